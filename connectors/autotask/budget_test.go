package autotask_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

type buckets struct {
	mu    sync.Mutex
	taken map[string]int
	wait  time.Duration
	err   error
}

func (b *buckets) Take(_ context.Context, name string, n int, per time.Duration) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if per != time.Hour || n > 1000 {
		return 0, errors.New("a bucket of another size")
	}
	b.taken[name]++
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
	t.Run("shared", func(t *testing.T) {
		s, b := newSite(t), &buckets{taken: map[string]int{}}
		must[ticket.Ticket](t)(s.desk(func(c *autotask.Config) { c.Buckets = b }).Create(t.Context(), draft()))
		if n := len(s.calls) - count(s.calls, "zone"); b.taken["autotask:at"] != n || b.taken["autotask:at:busy"] != 0 {
			t.Errorf("%d calls, tokens %v", n, b.taken)
		}
	})
	t.Run("used up by the hub", func(t *testing.T) {
		s, b := newSite(t), &buckets{taken: map[string]int{}, wait: time.Minute}
		_, err := s.desk(func(c *autotask.Config) { c.Buckets = b }).Find(t.Context(), "RH-1")
		if after, ok := transport.Retryable(err); !ok || after != time.Minute || responsehub.KindOf(err) != responsehub.Throttled {
			t.Errorf("%v, after %s", err, after)
		}
	})
	t.Run("without the shared one", func(t *testing.T) {
		s, b := newSite(t), &buckets{taken: map[string]int{}, err: errors.New("no redis")}
		d := s.desk(func(c *autotask.Config) { c.Buckets, c.Hourly = b, 4 })
		var err error
		for range 5 {
			if _, err = d.Find(t.Context(), "RH-1"); err != nil {
				break
			}
		}
		if responsehub.KindOf(err) != responsehub.Throttled || err == nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("others used most of it", func(t *testing.T) {
		for used, want := range map[int]int{7000: 0, 8000: 1} {
			s, b := newSite(t), &buckets{taken: map[string]int{}}
			s.used = used
			d := s.desk(func(c *autotask.Config) { c.Buckets = b })
			must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-1"))
			must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-1"))
			if b.taken["autotask:at:busy"] != want {
				t.Errorf("at %d: %v", used, b.taken)
			}
		}
		s := newSite(t)
		s.used = 9900
		d := s.desk()
		must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-1"))
		if _, err := d.Find(t.Context(), "RH-1"); responsehub.KindOf(err) != responsehub.Throttled || err == nil {
			t.Errorf("at 99 %%: %v", err)
		}
	})
}
