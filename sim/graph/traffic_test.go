package graph

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTrafficAtOnce: four at one mailbox, whatever goes on at the others.
func TestTrafficAtOnce(t *testing.T) {
	var tr traffic
	now := time.Now()
	var leave []func()
	for n := range 6 {
		for _, key := range []string{"a", "b"} {
			release, refused := tr.enter(key, now)
			if (refused != nil) != (n >= 4) {
				t.Errorf("request %d at %s: refused %t", n+1, key, refused != nil)
			}
			if refused != nil && (refused.status != http.StatusTooManyRequests || refused.header["Retry-After"] != "1") {
				t.Errorf("refused with %d, Retry-After %q", refused.status, refused.header["Retry-After"])
			}
			if release != nil {
				leave = append(leave, release)
			}
		}
	}
	for _, f := range leave {
		f()
	}
	if _, refused := tr.enter("a", now); refused != nil {
		t.Error("refused though nothing is in flight any more")
	}
	if diff := cmp.Diff(Peak{Mailbox: 5, All: 9, Refused: 4}, tr.peak); diff != "" {
		t.Errorf("peak (-want +got):\n%s", diff)
	}
}

// TestTrafficInTenMinutes: ten thousand requests, refused ones included, then the rest of the time.
func TestTrafficInTenMinutes(t *testing.T) {
	var tr traffic
	begin := time.Now()
	for n := range perPeriod {
		release, refused := tr.enter("a", begin)
		if refused != nil {
			t.Fatalf("request %d was refused", n+1)
		}
		release()
	}
	_, refused := tr.enter("a", begin.Add(9*time.Minute+30500*time.Millisecond))
	if refused == nil || refused.header["Retry-After"] != "30" {
		t.Errorf("one too many: %+v, want 429 with Retry-After 30", refused)
	}
	if _, refused := tr.enter("b", begin); refused != nil {
		t.Error("another mailbox suffers")
	}
	if _, refused := tr.enter("a", begin.Add(10*time.Minute)); refused != nil {
		t.Error("refused after the ten minutes")
	}
}
