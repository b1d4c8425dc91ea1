package responsehub_test

import (
	"testing"
	"time"

	"responsehub"
)

func TestReadiness(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC)
	missing := func(name string, blocks ...responsehub.StepID) responsehub.Check {
		return responsehub.Check{Name: name, Grade: responsehub.CheckMissing, Step: "It lacks " + name + ".", Blocks: blocks}
	}
	unknown := responsehub.Check{Name: "u", Grade: responsehub.CheckUnknown, Blocks: []responsehub.StepID{responsehub.Lock}}
	warning := responsehub.Check{Name: "w", Grade: responsehub.CheckWarning, Blocks: []responsehub.StepID{responsehub.Lock}}
	for _, tc := range []struct {
		name, words, lock string
		age               time.Duration
		checks            []responsehub.Check
	}{
		{"ready", "ready, 30 s ago", "", 30 * time.Second, []responsehub.Check{{Name: "a", Grade: responsehub.CheckOK}, warning}},
		{"one", "1 missing, 5 min ago", "It lacks a.", 5 * time.Minute, []responsehub.Check{missing("a", responsehub.Lock), unknown}},
		{"two", "2 missing, 7 h ago", "It lacks a. (and 1 more, see the tenant's preflight)", 7 * time.Hour, []responsehub.Check{missing("a", responsehub.Lock), missing("b", responsehub.Retract, responsehub.Lock)}},
		{"of another step", "1 missing, 3 days ago", "", 72 * time.Hour, []responsehub.Check{missing("a", responsehub.Retract)}},
		{"unknown is not ready", "1 unknown, 0 s ago", "", -time.Second, []responsehub.Check{unknown}},
	} {
		r := responsehub.Readiness{At: now.Add(-tc.age), Checks: tc.checks}
		if got := r.Words(now); got != tc.words {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.words)
		}
		if got := r.Lacks(responsehub.Lock); got != tc.lock {
			t.Errorf("%s: the lock lacks %q, want %q", tc.name, got, tc.lock)
		}
	}
	var none *responsehub.Readiness
	if none.Words(now) != "unknown" || none.Lacks(responsehub.Lock) != "" {
		t.Error("nobody has looked, and something is known")
	}
}
