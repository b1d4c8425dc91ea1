package e2e

import (
	"context"
	"strings"
	"testing"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/sim"
)

// TestDoctorSetsUpTheEventsOfTicketSystems: at each product a look alone changes nothing;
// otherwise the events are set up where they are missing, once, and again where they were
// switched off. A test ticket is made and closed in each.
func TestDoctorSetsUpTheEventsOfTicketSystems(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{noHub: true})
	cfg, _, err := config.Load(s.configFile())
	if err != nil {
		t.Fatal(err)
	}
	doctor := func(trial app.Trial) map[string]responsehub.Check {
		t.Helper()
		trial.Tenant = s.scene(0).Tenant.ID
		d, err := app.Doctor(context.Background(), cfg, app.Options{Version: "e2e"}, trial)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]responsehub.Check{}
		for _, c := range d.Hub {
			all[c.Name] = c
		}
		return all
	}
	hooks := func(p product) (active int) {
		for _, h := range p.snapshot(s.world).Hooks {
			if h.Active {
				active++
			}
		}
		return active
	}
	says := func(got map[string]responsehub.Check, p product, what string, grade responsehub.Grade, words string) {
		t.Helper()
		if c := got["psa "+p.name+" "+what]; c.Grade != grade || !strings.Contains(c.Sentence, words) {
			t.Errorf("psa %s %s: %s %q, want %s %q", p.name, what, c.Grade, c.Sentence, grade, words)
		}
	}
	looked := doctor(app.Trial{LookOnly: true})
	for _, p := range products {
		says(looked, p, "events", responsehub.CheckWarning, "and so does doctor")
		says(looked, p, "last event", responsehub.CheckOK, "No event has come yet")
		if n := len(p.snapshot(s.world).Hooks); n != 0 {
			t.Errorf("a look set up %d webhooks in %s", n, p.name)
		}
	}
	made := doctor(app.Trial{TestTicket: true})
	for _, p := range products {
		says(made, p, "events set up", responsehub.CheckOK, "was set up.")
		says(made, p, "clock", responsehub.CheckOK, "")
		says(made, p, "test ticket", responsehub.CheckOK, "was made")
		says(made, p, "test close", responsehub.CheckOK, "was closed")
		if all := p.snapshot(s.world).Tickets; hooks(p) != 1 || len(all) != 1 || !all[0].Closed {
			t.Errorf("%s: %d active webhooks, tickets %+v", p.name, hooks(p), all)
		}
	}
	for _, p := range products {
		s.atDesk("", sim.Act{Do: "desk_hooks", Desk: p.name})
	}
	mended := doctor(app.Trial{})
	again := doctor(app.Trial{})
	for _, p := range products {
		says(mended, p, "events set up", responsehub.CheckOK, "was switched off")
		says(again, p, "events set up", responsehub.CheckOK, "is there")
		if n := len(p.snapshot(s.world).Hooks); hooks(p) != 1 || n > 2 {
			t.Errorf("%s: %d webhooks, %d active", p.name, n, hooks(p))
		}
	}
}
