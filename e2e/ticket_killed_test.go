package e2e

import (
	"testing"
	"time"

	"responsehub"
	"responsehub/sim/wire"
)

// TestKilledBetweenTheTicketAndItsRecord kills the hub with SIGKILL after ConnectWise got
// a request and before the hub could record it, and before ConnectWise did anything. The
// hub that comes up looks before it asks again: one ticket, each note once.
func TestKilledBetweenTheTicketAndItsRecord(t *testing.T) {
	t.Parallel()
	made := wire.Fault{Vendor: "connectwise", Method: "POST", Match: "/service/tickets", Body: `"externalXRef":"RH-`}
	noted := wire.Fault{Vendor: "connectwise", Method: "POST", Match: "/notes"}
	for _, m := range []moment{
		{name: "the ticket was made", fault: made, landed: true},
		{name: "the ticket was lost", fault: made},
		{name: "the note was written", fault: noted, landed: true},
		{name: "the note was lost", fault: noted},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := raise(t, scenery{separate: true, twoCards: true})
			s.world.Wire.AddFault(m.hang())
			in := s.takeover()
			s.until("the request hangs", func() bool { return len(s.world.Wire.Faults()) == 0 })
			if m.landed {
				time.Sleep(50 * time.Millisecond) // the effect is made, the answer is held back
			}
			s.killHub()
			s.world.Wire.ClearFaults()
			s.startHub()
			s.is(in.Incident, responsehub.Lock, responsehub.Done)
			s.persistenceSettled(in)
			s.told(in, "lock.1.done", "retract.1.done")
			tk := s.oneTicket(in)
			if marks := s.markers(in, tk); m.fault.Match == "/notes" && marks["lock.1.done"] == "" {
				t.Errorf("the lock is not told:\n%s", written(tk))
			}
			if n := len(s.world.ConnectWise.Snapshot().Tickets); n != 1 {
				t.Errorf("%d tickets were made", n)
			}
		})
	}
}

// TestTicketSystemAway: ConnectWise fails in two ways for a while, first when the ticket
// is to be made, then when it is to be told something. No step waits for it, and when it
// is back nothing is lost or told twice.
func TestTicketSystemAway(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	away := func() {
		s.world.Wire.AddFault(wire.Fault{Vendor: "connectwise", Every: 2, Status: 503, Answer: "<html>maintenance</html>"})
		s.world.Wire.AddFault(wire.Fault{Vendor: "connectwise", Drop: true})
	}
	away()
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.until("the hub tried twice", func() bool { return s.ticketRef(in).Tries > 1 })
	if n := len(s.world.ConnectWise.Snapshot().Tickets); n != 0 {
		t.Fatalf("%d tickets while ConnectWise was away", n)
	}
	s.world.Wire.ClearFaults()
	s.persistenceSettled(in)
	s.told(in, "lock.1.done", "retract.1.done")

	away()
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.until("the hub tried", func() bool { return s.ticketRef(in).Tries > 0 })
	s.world.Wire.ClearFaults()
	s.told(in, "password.1.done")
	s.until("the failure is forgotten", func() bool { return s.ticketRef(in).Failure == "" })
	if s.markers(in, s.oneTicket(in))["password.1.done"] == "" {
		t.Errorf("the password's note is missing:\n%s", written(s.oneTicket(in)))
	}
}
