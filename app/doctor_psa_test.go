package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/ticket"
)

// board is a desk whose board has a team or not.
type board struct {
	ticket.Desk
	teamless bool
	looks    int
}

func (b *board) Check(context.Context) []responsehub.Check {
	b.looks++
	grade := responsehub.CheckOK
	if b.teamless {
		grade = responsehub.CheckMissing
	}
	return []responsehub.Check{{Name: "team", Grade: grade, Sentence: "The board's default team."}}
}

// TestAMendedTicketSystemIsSeenSoon: a preflight of many tenants asks a ticket system once,
// and whoever mended what it said sees that without waiting for long.
func TestAMendedTicketSystemIsSeenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{teamless: true}
		p := &psa{connections: map[string]ticket.Connection{"cw": {Desk: b}}}
		for _, s := range []struct {
			what            string
			wait            time.Duration
			teamless        bool
			faults, lookups int
		}{
			{"the first tenant", 0, true, 1, 1},
			{"the next tenant", 5 * time.Second, true, 1, 1},
			{"mended, and looked at again", time.Minute, false, 0, 2},
			{"the next tenant of one that is well", 10 * time.Minute, false, 0, 2},
			{"later", 10 * time.Minute, true, 1, 3},
		} {
			time.Sleep(s.wait)
			b.teamless = s.teamless
			if got := p.faults(t.Context(), "cw"); len(got) != s.faults || b.looks != s.lookups {
				t.Errorf("%s: %d faults after %d looks, want %d after %d", s.what, len(got), b.looks, s.faults, s.lookups)
			}
		}
	})
}
