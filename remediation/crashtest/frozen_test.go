package crashtest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"responsehub"
	"responsehub/store"
	"responsehub/store/storetest"
)

// frost is how long a worker is frozen: long enough for another to take its lane over,
// finish it and close the incident.
const frost = 5 * time.Second

// TestAFrozenWorker stops a worker at a point of its turn and lets it go on after
// another took its lane over. Whatever it writes then is refused.
func TestAFrozenWorker(t *testing.T) {
	for name, c := range map[string]struct {
		step     responsehub.StepID
		point    string
		repeated int // effects that the other worker does again
	}{
		"after an effect":                           {responsehub.Lock, between, 1},
		"after an effect, one turn for each":        {responsehub.Retract, between, 1},
		"after an effect, and the other reads back": {responsehub.Persistence, between, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait nearly all the time
			thaw(t, c.step, spot{c.point, c.step.Lane(), 2}, c.repeated)
		})
	}
}

func thaw(t *testing.T, step responsehub.StepID, at spot, repeated int) {
	s := storetest.Redis(t)
	rdb := s.Client()
	ledger := newLedger(t)
	st := store.New(rdb)
	e, err := newEngine(st, st, slog.New(slog.DiscardHandler), toys())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l := &load{t: t, e: e}
	id, err := l.deliver(ctx, 1, asked)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []responsehub.StepID{responsehub.Publish, step} {
		if err := l.ask(ctx, id, "ann-"+string(s), "", s, responsehub.StepRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	old := hire(t, 1, job{Redis: []string{s.Addr}, Ledger: ledger.addr, Freeze: &at})
	for ledger.count("frozen") == 0 && ctx.Err() == nil {
		pause(ctx, 10*time.Millisecond)
	}
	frozen := time.Now()
	other := hire(t, 1, job{Redis: []string{s.Addr}, Ledger: ledger.addr})
	quiet(ctx, t, rdb, other)
	took := time.Since(frozen)
	before, err := e.Incident(ctx, responsehub.Hub, id)
	if err != nil {
		t.Fatal(err)
	}
	if before.Step(step).State != responsehub.Done || took > frost {
		t.Fatalf("after %s the step is %s, want it done by the other worker", took, before.Step(step).State)
	}
	pause(ctx, frost-took)
	old.thaw()
	for ledger.count(refused) == 0 && ctx.Err() == nil {
		pause(ctx, 10*time.Millisecond)
	}
	old.dismiss()
	other.dismiss()

	after, err := e.Incident(t.Context(), responsehub.Hub, id)
	if err != nil {
		t.Fatal(err)
	}
	if before.Revision != after.Revision {
		t.Errorf("the thawed worker wrote: revision %d became %d", before.Revision, after.Revision)
	}
	if ledger.count(refused) == 0 {
		t.Error("the thawed worker was refused nothing")
	}
	v := judge([]string{id}, ledger.all())
	if len(v.disorder) > 0 || len(ledger.all()) != effectsPerLane+repeated {
		t.Errorf("effects %+v, want %d in order and %d of them twice: %v", ledger.all(), effectsPerLane, repeated, v.disorder)
	}
	nothingLeft(t, rdb, st)
	t.Logf("taken over and done %s after the frost began (lease %s)", took.Round(time.Millisecond), lease)
}
