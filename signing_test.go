package responsehub_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

func TestSigningOverlaps(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	var s responsehub.Signing
	for _, step := range []struct {
		name string
		s    responsehub.Signing
		at   time.Time
		want []int
	}{
		{"never rotated", s, now, []int{0}},
		{"made anew", s.Fresh(), now, []int{1}},
		{"just rotated", s.Rotated(now), now.Add(time.Hour), []int{1, 0}},
		{"rotated yesterday", s.Rotated(now), now.Add(24 * time.Hour), []int{1}},
		{"rotated twice", s.Rotated(now).Rotated(now.Add(time.Minute)), now.Add(time.Hour), []int{2, 1}},
		{"made anew after a rotation", s.Rotated(now).Fresh(), now, []int{2}},
	} {
		if diff := cmp.Diff(step.want, step.s.Generations(step.at)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	if a, b := responsehub.AddressID("https://a.example/1"), responsehub.AddressID("https://a.example/2"); a == b || len(a) != 16 {
		t.Errorf("ids %q and %q", a, b)
	}
}
