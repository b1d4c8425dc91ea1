package crashtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"responsehub"
)

// effect is one thing done to the outside world.
type effect struct {
	Incident string
	Lane     responsehub.Lane
	N        int // 1 to effectsPerLane
	Worker   string
}

// call is what a worker sends to the ledger.
type call struct {
	Effect effect
	Read   bool   // only ask whether the effect was done
	Note   string // something to count, such as a refused write
}

// ledger is the outside world as seen from the workers: it outlives them and knows in
// which order what was done to it.
type ledger struct {
	addr string

	mu      sync.Mutex
	effects []effect
	notes   map[string]int
}

// newLedger starts a ledger on a unix socket.
func newLedger(t *testing.T) *ledger {
	t.Helper()
	dir, err := os.MkdirTemp("", "rl") // a socket's path may have 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ld := &ledger{addr: filepath.Join(dir, "s"), notes: map[string]int{}}
	l, err := net.Listen("unix", ld.addr)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { ld.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return ld
}

func (ld *ledger) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // the caller may be frozen
	var c call
	if json.NewDecoder(conn).Decode(&c) != nil {
		return // the caller was killed while it wrote: nothing was done
	}
	_, _ = fmt.Fprintln(conn, ld.take(c))
}

// take carries out a call and reports whether the effect had been done before.
func (ld *ledger) take(c call) (before bool) {
	ld.mu.Lock()
	defer ld.mu.Unlock()
	if c.Note != "" {
		ld.notes[c.Note]++
		return false
	}
	for _, e := range ld.effects {
		before = before || e.Incident == c.Effect.Incident && e.Lane == c.Effect.Lane && e.N == c.Effect.N
	}
	if !c.Read {
		ld.effects = append(ld.effects, c.Effect)
	}
	return before
}

// do and done are for followers in the ledger's own process.
func (ld *ledger) do(ctx context.Context, e effect) error {
	if ctx.Err() == nil {
		ld.take(call{Effect: e})
	}
	return ctx.Err()
}

func (ld *ledger) done(ctx context.Context, e effect) (bool, error) {
	return ld.take(call{Effect: e, Read: true}), ctx.Err()
}

func (ld *ledger) all() []effect {
	ld.mu.Lock()
	defer ld.mu.Unlock()
	return append([]effect(nil), ld.effects...)
}

func (ld *ledger) count(note string) int {
	ld.mu.Lock()
	defer ld.mu.Unlock()
	return ld.notes[note]
}

// world is a worker's way to the ledger.
type world struct{ addr, worker string }

func (w *world) do(ctx context.Context, e effect) error {
	e.Worker = w.worker
	_, err := w.send(ctx, call{Effect: e})
	return err
}

// done reads back whether an effect took place.
func (w *world) done(ctx context.Context, e effect) (bool, error) {
	return w.send(ctx, call{Effect: e, Read: true})
}

func (w *world) note(what string) { _, _ = w.send(context.Background(), call{Note: what}) }

func (w *world) send(ctx context.Context, c call) (bool, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", w.addr)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	b, err := json.Marshal(c)
	if err != nil {
		return false, err
	}
	if _, err := conn.Write(b); err != nil {
		return false, err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return false, fmt.Errorf("ledger: %w", err)
	}
	return line == "true\n", nil
}
