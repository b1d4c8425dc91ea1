package autotask_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/connectors/connectortest"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

type buckets struct {
	mu    sync.Mutex
	taken int   // tokens
	sizes []int // of the bucket, at each call
	wait  time.Duration
	err   error
}

func (b *buckets) TakeMany(_ context.Context, name string, tokens, n int, per time.Duration) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if per != time.Hour || name != "autotask:at" {
		return 0, errors.New("another bucket")
	}
	b.taken, b.sizes = b.taken+tokens, append(b.sizes, n)
	return b.wait, b.err
}

func TestBudget(t *testing.T) {
	t.Run("two calls at once", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := d.Find(t.Context(), "RH-1"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if s.most > 2 {
			t.Errorf("%d calls at once to one kind of record", s.most)
		}
	})
	t.Run("a visit is paid for at its beginning", func(t *testing.T) {
		s, b := newSite(t), &buckets{}
		d := s.desk(func(c *autotask.Config) { c.Buckets = b })
		must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-7K2M"))
		b.wait = time.Hour // from here on the bucket is empty
		made := must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		if err := d.Note(t.Context(), made.ID, ticket.Note{Title: "n", Text: "n"}); err != nil {
			t.Error(err)
		}
		if _, _, err := d.Move(t.Context(), made.ID, ticket.Working, ""); err != nil {
			t.Error(err)
		}
		lists := 0
		for _, c := range s.calls {
			if strings.HasPrefix(c, "zone") || strings.HasSuffix(c, "/fields") || c == "GET ThresholdInformation" || strings.HasPrefix(c, "POST Resources") {
				lists++ // read once an hour or less
			}
		}
		if calls := len(s.calls) - lists; b.taken < calls-2 || b.taken > calls {
			t.Errorf("%d tokens for the %d calls of a ticket: %q", b.taken, calls, s.calls)
		}
		if _, err := d.Get(t.Context(), made.ID); responsehub.KindOf(err) != responsehub.Throttled {
			t.Errorf("the next visit began without a token: %v", err)
		}
	})
	t.Run("used up by the hub", func(t *testing.T) {
		s, b := newSite(t), &buckets{wait: time.Minute}
		_, err := s.desk(func(c *autotask.Config) { c.Buckets = b }).Find(t.Context(), "RH-1")
		if after, ok := transport.Retryable(err); !ok || after != time.Minute || responsehub.KindOf(err) != responsehub.Throttled {
			t.Errorf("%v, after %s", err, after)
		}
	})
	t.Run("the bucket is as large as configured", func(t *testing.T) {
		for hourly, want := range map[int]int{0: 1000, 300: 300, 5000: 5000} {
			s, b := newSite(t), &buckets{}
			must[[]ticket.Ticket](t)(s.desk(func(c *autotask.Config) { c.Buckets, c.Hourly = b, hourly }).Find(t.Context(), "RH-1"))
			if b.sizes[0] != want {
				t.Errorf("%d: %d calls an hour, want %d", hourly, b.sizes[0], want)
			}
		}
	})
}

// TestShareOfTheThreshold: the more everybody together has used, the fewer calls the hub
// makes, until it waits; what can be spared goes first.
func TestShareOfTheThreshold(t *testing.T) {
	for _, tt := range []struct {
		used, share  int
		polls, works bool
	}{{0, 1000, true, true}, {5000, 1000, true, true}, {6000, 791, true, true}, {7500, 477, true, true}, {7700, 436, false, true}, {9400, 80, false, true}, {9500, 0, false, false}, {12000, 0, false, false}} {
		s, b := newSite(t), &buckets{}
		s.used = tt.used
		d := s.desk(func(c *autotask.Config) { c.Buckets = b })
		_, err := d.Find(t.Context(), "RH-1")
		if works := err == nil; works != tt.works || !works && responsehub.KindOf(err) != responsehub.Throttled {
			t.Errorf("at %d: %v", tt.used, err)
		}
		if tt.works && b.sizes[0] != tt.share {
			t.Errorf("at %d: %d calls an hour, want %d", tt.used, b.sizes[0], tt.share)
		}
		for what, f := range map[string]func() error{
			"comparing": func() error { _, err := d.List(t.Context(), []string{"1"}); return err },
			"listening": func() error { _, err := d.Listen(t.Context(), "https://hub.example/psa/at/events?token=x"); return err },
		} {
			if err := f(); (err == nil) != tt.polls || err != nil && responsehub.KindOf(err) != responsehub.Throttled {
				t.Errorf("at %d, %s: %v", tt.used, what, err)
			}
		}
	}
}

// TestBudgetInTime: without the shared bucket the process keeps one of its own; the use
// is read anew every five minutes, every minute once half of it is used up, and a reading
// of long ago binds nobody.
func TestBudgetInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, used, broken := 0, 0, false
		d, err := autotask.New(autotask.Config{Name: "at", ZoneURL: "https://at.example", Username: "u", Secret: secret, Hourly: 80, Buckets: &buckets{err: errors.New("no redis")}},
			transport.Client(transport.Over(tripper(func(r *http.Request) (*http.Response, error) {
				switch {
				case strings.Contains(r.URL.Path, "zoneInformation"):
					return connectortest.JSON(r, 200, `{"url":"https://at.example/ATServicesRest/"}`), nil
				case strings.HasSuffix(r.URL.Path, "ThresholdInformation") && broken:
					return connectortest.JSON(r, 500, `{"errors":["no"]}`), nil
				case strings.HasSuffix(r.URL.Path, "ThresholdInformation"):
					asked++
					return connectortest.JSON(r, 200, fmt.Sprintf(`{"externalRequestThreshold":10000,"currentTimeframeRequestCount":%d}`, used)), nil
				}
				return connectortest.JSON(r, 200, `{"items":[],"fields":[],"pageDetails":{}}`), nil
			}))))
		if err != nil {
			t.Fatal(err)
		}
		find := func() (time.Duration, error) {
			_, err := d.Find(t.Context(), "RH-1")
			after, _ := transport.Retryable(err)
			return after, err
		}
		for i := range 10 { // ten visits of eight calls
			if _, err := find(); err != nil {
				t.Fatalf("visit %d: %v", i, err)
			}
		}
		wait, err := find()
		if responsehub.KindOf(err) != responsehub.Throttled || wait < 5*time.Minute || wait > 6*time.Minute+time.Second {
			t.Errorf("the eleventh: wait %s, %v", wait, err)
		}
		time.Sleep(wait)
		if _, err := find(); err != nil {
			t.Errorf("after %s: %v", wait, err)
		}
		if asked != 2 {
			t.Errorf("the use was asked for %d times within %s", asked, wait)
		}
		used = 9900
		time.Sleep(30 * time.Minute)
		if wait, err := find(); responsehub.KindOf(err) != responsehub.Throttled || wait > time.Minute {
			t.Errorf("full: wait %s, %v", wait, err)
		}
		used = 100
		time.Sleep(time.Minute)
		if _, err := find(); err != nil {
			t.Errorf("a minute after others stopped: %v", err)
		}
		used = 9900
		time.Sleep(5 * time.Minute)
		if _, err := find(); err == nil {
			t.Error("full again, and the hub went on")
		}
		broken = true
		time.Sleep(11 * time.Minute)
		if _, err := find(); err != nil {
			t.Errorf("on what was true eleven minutes ago: %v", err)
		}
	})
}
