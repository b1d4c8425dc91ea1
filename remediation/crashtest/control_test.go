package crashtest

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"responsehub/store"
	"responsehub/store/storetest"
)

// TestTheJudgeCatchesABrokenFollower runs a follower that settles before its effect.
// When the effects it loses go unnoticed, the other tests prove nothing.
func TestTheJudgeCatchesABrokenFollower(t *testing.T) {
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
	crew := hire(t, 3, job{Redis: []string{s.Addr}, Ledger: ledger.addr, Broken: exactlyOnce, Odds: 30})
	l.run(ctx, 20, time.Second)
	crew.change(func(j *job) { j.Odds = 0 })
	quiet(ctx, t, rdb, crew)
	crew.dismiss()

	v := judge(l.incidents, ledger.all())
	if len(v.missing) == 0 {
		t.Errorf("nothing is missing though a follower settled before its effect and %d workers died", crew.deaths())
	}
	for _, m := range v.missing {
		t.Log("caught: missing", m)
		if !strings.Contains(m, string(exactlyOnce)) {
			t.Errorf("%s is missing though its follower is not broken", m)
		}
	}
}
