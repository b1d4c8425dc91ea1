package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim"
	"responsehub/sim/wire"
	"responsehub/ticket"
)

// hanging is a request that has no answer when the hub is killed: the product got it and
// did what was asked (landed), or never saw it.
func hanging(p product, f wire.Fault, landed bool) wire.Fault {
	f.Vendor, f.Times, f.DelayMS = p.name, 1, 20_000
	f.After, f.Drop = landed, !landed
	return f
}

func about(f wire.Fault, body string) wire.Fault {
	f.Body = body
	return f
}

// cuts are the moments at which the hub is killed, two at a time: at each product the
// requests of two incidents hang.
var cuts = []struct {
	name  string
	begin func(*stage, []*pair) // returns when every request hangs
	end   func(*stage, product, opened)
}{
	{"the ticket is about to be made, and a status was set", func(s *stage, all []*pair) {
		s.hangAndAlert(all, func(p product) []wire.Fault {
			return []wire.Fault{hanging(p, p.company, false), hanging(p, p.moved, true)}
		})
	}, (*stage).contained},
	{"the ticket was made, and a status was lost", func(s *stage, all []*pair) {
		s.hangAndAlert(all, func(p product) []wire.Fault {
			return []wire.Fault{hanging(p, p.made, true), hanging(p, p.moved, false)}
		})
	}, (*stage).contained},
	{"the ticket was lost, and an event was taken", func(s *stage, all []*pair) {
		for _, p := range all {
			p.in[1] = s.alert(p.alerts[1])
		}
		for _, p := range all {
			s.contained(p.product, p.in[1])
			s.until("events come from "+p.name, func() bool { return s.eventsOn(p.product) })
		}
		for _, p := range all {
			id := s.oneTicketAt(p.product, p.in[1]).ID
			s.world.Wire.AddFault(hanging(p.product, p.read(id), false))
			s.atDesk("tess", sim.Act{Do: "ticket_close", Desk: p.name, Ticket: id})
			s.world.Wire.AddFault(hanging(p.product, p.made, false))
			p.in[0] = s.alert(p.alerts[0])
		}
		s.allHang()
	}, func(s *stage, p product, in opened) {
		s.contained(p, in)
		if s.oneTicketAt(p, in).Closed {
			s.recorded(in.Incident, responsehub.EventTicketChanged, "was closed in", "by ")
		}
	}},
	{"a note was written, another was lost", func(s *stage, all []*pair) {
		s.openAll(all)
		for _, p := range all {
			for i, in := range p.in {
				s.world.Wire.AddFault(hanging(p.product, about(p.noted, in.Ref+" password.1."), i == 0))
			}
		}
		s.askAll(all, responsehub.Password)
		s.allHang()
	}, func(s *stage, p product, in opened) {
		s.is(in.Incident, responsehub.Password, responsehub.Done)
		s.toldAt(p, in, "password.1.done")
		if s.markers(in, s.oneTicketAt(p, in))["password.1.done"] == "" {
			s.Errorf("%s: no note tells of the password:\n%s", p.name, written(s.oneTicketAt(p, in)))
		}
	}},
	{"what was missed was told, and was lost", func(s *stage, all []*pair) {
		s.openAll(all)
		for _, p := range all {
			s.world.Wire.AddFault(wire.Fault{Vendor: p.name, Status: http.StatusServiceUnavailable})
		}
		s.askAll(all, responsehub.Password)
		s.doneAll(all, responsehub.Password)
		s.askAll(all, responsehub.Reenable)
		s.doneAll(all, responsehub.Reenable)
		for _, p := range all {
			for _, in := range p.in {
				s.until("the hub tried", func() bool { return s.refAt(p.product, in).Tries > 0 })
			}
		}
		s.killHub()
		for _, p := range all {
			s.anHourPasses(p.name, p.in[:]...)
		}
		s.world.Wire.ClearFaults()
		for _, p := range all {
			for i, in := range p.in {
				s.world.Wire.AddFault(hanging(p.product, about(p.noted, in.Ref+" password.1."), i == 0))
			}
		}
		s.startHub()
		s.allHang()
	}, func(s *stage, p product, in opened) {
		s.toldAt(p, in, "password.1.done", "reenable.1.done")
		tk := s.oneTicketAt(p, in)
		marks := s.markers(in, tk)
		if n := strings.Count(written(tk), awayWords); n != 1 || marks["password.1.done"] != marks["reenable.1.done"] || marks["password.1.done"] == "" {
			s.Errorf("%s: %d notes tell what was missed:\n%s", p.name, n, written(tk))
		}
	}},
	{"the resolution was written, and the closing was lost", ending(true), (*stage).overAt},
	{"the resolution was lost, and the ticket was closed", ending(false), (*stage).overAt},
}

// TestKilledBetweenATicketAndItsRecord kills the hub with SIGKILL while requests about
// tickets hang at each product. The hub that comes up looks before it asks again: one
// ticket for each incident, each note once, and nobody waits for a place that the dead
// one held.
func TestKilledBetweenATicketAndItsRecord(t *testing.T) {
	t.Parallel()
	for _, c := range cuts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := raise(t, scenery{tenants: len(products), desks: true, response: true, separate: true, twoCards: true})
			all := s.pairs()
			c.begin(s, all)
			time.Sleep(100 * time.Millisecond) // what landed has its effect
			s.killHub()
			s.world.Wire.ClearFaults()
			killed := time.Now()
			s.startHub()
			for _, p := range all {
				for _, in := range p.in {
					c.end(s, p.product, in)
					s.markers(in, s.oneTicketAt(p.product, in))
				}
				if n := len(p.snapshot(s.world).Tickets); n != len(p.in) {
					t.Errorf("%d tickets were made in %s", n, p.name)
				}
			}
			t.Logf("all is told %s after the kill", time.Since(killed).Round(10*time.Millisecond))
		})
	}
}

// hangAndAlert has requests hang from the first one on.
func (s *stage) hangAndAlert(all []*pair, faults func(product) []wire.Fault) {
	s.Helper()
	for _, p := range all {
		for _, f := range faults(p.product) {
			s.world.Wire.AddFault(f)
		}
		for i := range p.in {
			p.in[i] = s.alert(p.alerts[i])
		}
	}
	s.allHang()
}

func (s *stage) allHang() {
	s.Helper()
	s.until("every request hangs", func() bool { return len(s.world.Wire.Faults()) == 0 })
}

// openAll has every incident contained, and its ticket quiet.
func (s *stage) openAll(all []*pair) {
	s.Helper()
	for _, p := range all {
		for i := range p.in {
			p.in[i] = s.alert(p.alerts[i])
		}
	}
	for _, p := range all {
		for _, in := range p.in {
			s.contained(p.product, in)
		}
	}
}

// contained waits until the steps that run by themselves are done and told.
func (s *stage) contained(p product, in opened) {
	s.Helper()
	for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
		s.is(in.Incident, id, responsehub.Done, responsehub.Skipped)
	}
	s.toldAt(p, in, "lock.1.done")
	s.stands(p, in, string(ticket.Contained))
}

func (s *stage) askAll(all []*pair, id responsehub.StepID) {
	s.Helper()
	for _, p := range all {
		for _, in := range p.in {
			if r := s.ask(in.Incident, id, api.StepBody{}); r.status != http.StatusAccepted {
				s.Fatalf("%s: %s", id, r)
			}
		}
	}
}

func (s *stage) doneAll(all []*pair, id responsehub.StepID) {
	s.Helper()
	for _, p := range all {
		for _, in := range p.in {
			s.is(in.Incident, id, responsehub.Done)
		}
	}
}

// ending marks every incident as remediated. Of each product's two the resolution of one
// hangs and the closing of the other.
func ending(resolved bool) func(*stage, []*pair) {
	return func(s *stage, all []*pair) {
		s.openAll(all)
		for _, id := range []responsehub.StepID{responsehub.Password, responsehub.Reenable} {
			s.askAll(all, id)
			s.doneAll(all, id)
		}
		for _, p := range all {
			for _, in := range p.in {
				s.toldAt(p.product, in, "password.1.done", "reenable.1.done")
				s.stands(p.product, in, string(ticket.Contained))
			}
			s.world.Wire.AddFault(hanging(p.product, about(p.noted, p.in[0].Ref+" resolution]"), resolved))
			s.world.Wire.AddFault(hanging(p.product, p.moved, !resolved))
		}
		s.askAll(all, responsehub.Close)
		s.allHang()
	}
}

// overAt waits until the ticket is closed with its resolution.
func (s *stage) overAt(p product, in opened) {
	s.Helper()
	s.is(in.Incident, responsehub.Close, responsehub.Done)
	s.toldAt(p, in, "resolution")
	s.stands(p, in, string(ticket.Closed))
	tk := s.oneTicketAt(p, in)
	if !tk.Closed || s.markers(in, tk)["resolution"] == "" {
		s.Errorf("%s: the ticket is %q:\n%s", p.name, tk.Status, written(tk))
	}
}

// eventsOn reports whether a hub has said that the product sends events.
func (s *stage) eventsOn(p product) bool {
	for line := range strings.Lines(s.logs.String()) {
		if strings.Contains(line, `"msg":"psa events"`) && strings.Contains(line, `"connection":"`+p.name+`"`) {
			return true
		}
	}
	return false
}
