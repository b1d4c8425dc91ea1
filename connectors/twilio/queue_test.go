package twilio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

// shared is a line for several replicas, as Redis keeps it.
type shared struct {
	mu   sync.Mutex
	due  time.Time
	line map[string]asker
	err  error
}

type asker struct {
	rank float64
	seen time.Time
}

func (l *shared) Next(_ context.Context, _ string, perSecond int, place string, rank float64) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	now := time.Now()
	if l.line == nil {
		l.line = map[string]asker{}
	}
	l.line[place] = asker{rank, now}
	before := 0
	for name, a := range l.line {
		switch {
		case now.Sub(a.seen) > 2*time.Second:
			delete(l.line, name)
		case a.rank < rank || a.rank == rank && name < place:
			before++
		}
	}
	wait := max(l.due.Sub(now), 0)
	if before == 0 && wait == 0 {
		delete(l.line, place)
		l.due = now.Add(time.Second / time.Duration(perSecond))
		return 0, nil
	}
	return max(wait+time.Duration(before)*10*time.Millisecond, time.Millisecond), nil
}

func (l *shared) Leave(_ context.Context, _, place string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.line, place)
	return nil
}

// persist asks until its turn comes, as a lane does.
func persist(ctx context.Context, q *queue, attempt string, s responsehub.Severity) error {
	for {
		err := q.wait(ctx, "call", "line", 1, attempt, s)
		e, ok := errors.AsType[*responsehub.Error](err)
		if !ok || e.Kind != responsehub.Throttled {
			return err
		}
		time.Sleep(e.RetryAfter)
	}
}

// TestQueue: two hundred incidents at once. One call leaves per second, nobody is
// forgotten, and the most severe go first, in however many replicas.
func TestQueue(t *testing.T) {
	t.Run("one replica", func(t *testing.T) { twoHundred(t, 1, 5) })
	t.Run("two replicas", func(t *testing.T) { twoHundred(t, 2, 5) })
	t.Run("five replicas", func(t *testing.T) { twoHundred(t, 5, 5) })
}

func twoHundred(t *testing.T, n, slack int) {
	synctest.Test(t, func(t *testing.T) {
		shared := &shared{}
		var replicas []*queue
		for range n {
			replicas = append(replicas, newQueue(shared, slog.New(slog.DiscardHandler)))
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		type went struct {
			s  responsehub.Severity
			at time.Duration
		}
		var order []went
		begin := time.Now()
		severities := []responsehub.Severity{}
		for i := range 200 {
			severities = append(severities, responsehub.Severities[i%4])
		}
		rand.Shuffle(len(severities), func(i, j int) { severities[i], severities[j] = severities[j], severities[i] })
		for i, s := range severities {
			wg.Go(func() {
				if err := persist(t.Context(), replicas[i%len(replicas)], fmt.Sprint("a", i), s); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, went{s, time.Since(begin)})
				mu.Unlock()
			})
		}
		wg.Wait()
		var last [4]int // at which place the last of each severity left
		for i, w := range order {
			if i > 0 && w.at-order[i-1].at < time.Second {
				t.Fatalf("two calls within %s", w.at-order[i-1].at)
			}
			last[rank(w.s)] = i + 1
		}
		if end := order[len(order)-1].at; end > 215*time.Second {
			t.Errorf("200 calls took %s: seconds are left unused", end)
		}
		// The first ones left before the others had come.
		if last[0] > 50+slack || last[1] > 100+slack || last[2] > 150+slack {
			t.Errorf("50 of each severity; the last of each left as number %v", last)
		}
		t.Logf("the last of each severity left as number %v, the last of all after %s", last, order[len(order)-1].at)
	})
}

// TestQueueJumps: a critical incident that comes last goes next.
func TestQueueJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		q := newQueue(nil, slog.New(slog.NewTextHandler(&log, nil)))
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() { _ = persist(t.Context(), q, fmt.Sprint("low", i), responsehub.Low) })
		}
		time.Sleep(5500 * time.Millisecond)
		begin := time.Now()
		if err := persist(t.Context(), q, "critical", responsehub.Critical); err != nil || time.Since(begin) > time.Second {
			t.Errorf("the critical call left after %s (%v), want within a second", time.Since(begin), err)
		}
		wg.Wait()
		if n := strings.Count(log.String(), "wait too long"); n != 1 {
			t.Errorf("people were told %d times that the queue is old, want once a minute:\n%s", n, &log)
		}
	})
}

func TestQueueEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &shared{err: errors.New("redis is away")}
		q := newQueue(away, slog.New(slog.DiscardHandler))
		if err := persist(t.Context(), q, "a", responsehub.High); err != nil {
			t.Fatalf("without the shared rate nothing leaves: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := q.wait(ctx, "call", "line", 1, "b", responsehub.High); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Hour)
		if err := persist(t.Context(), q, "c", responsehub.High); err != nil || len(q.lines["line"].places) != 0 {
			t.Errorf("%v, %d places are left", err, len(q.lines["line"].places))
		}
	})
}
