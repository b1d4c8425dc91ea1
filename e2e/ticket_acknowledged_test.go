package e2e

import (
	"testing"
	"time"

	"responsehub"
	"responsehub/sim"
)

// TestTicketAcknowledges: where it is configured, somebody who takes the ticket, or sets
// it to another status, has acknowledged the incident. The phones stop, the caller's name
// is on the record, and no step runs.
func TestTicketAcknowledges(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{tenants: 2, psa: map[string]string{"connectwise": "acknowledge_on: assignment", "autotask": "acknowledge_on: status"}})
	for who, words := range map[string]string{"ann": "voicemail after 1s", "bob": "voicemail after 1s"} {
		if err := s.world.Twilio.Script(who, words); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.api("PATCH", "/v1/tenants/"+s.scene(0).Tenant.ID, map[string]bool{"response": false}); r.status != 200 {
		t.Fatal(r)
	}
	for i, c := range []struct {
		alert []byte
		act   sim.Act
	}{
		{s.world.Alert("takeover"), sim.Act{Do: "ticket_assign"}},
		{s.world.Alert("manual"), sim.Act{Do: "ticket_status", Value: "In Progress", Desk: "autotask"}},
	} {
		p := products[i]
		in := s.alert(c.alert)
		s.until("the ticket is made in "+p.name, func() bool { return s.refAt(p, in).ID != "" && s.eventsOn(p) })
		s.until("a phone rings", func() bool {
			a, _ := s.calls("ann")
			b, _ := s.calls("bob")
			return len(a)+len(b) > 0
		})
		c.act.Ticket = s.oneTicketAt(p, in).ID
		s.atDesk("tess", c.act)
		s.until("the incident is acknowledged", func() bool { return s.incident(in.Incident).Acknowledged != nil })
		if a := s.incident(in.Incident).Acknowledged; a.Via != responsehub.ViaPSA || a.By == "" {
			t.Errorf("%s: acknowledged %+v", p.name, a)
		}
		s.until("nobody is called any more", func() bool {
			inc, ok := s.kept(in.Incident)
			return ok && inc.Page != nil && inc.Page.State == responsehub.PageAcknowledged && inc.Page.Settled
		})
		if st := s.step(in.Incident, responsehub.Lock); st.Round != 0 {
			t.Errorf("%s: a ticket ran a step", p.name)
		}
	}
	calls := func() int {
		a, _ := s.calls("ann")
		b, _ := s.calls("bob")
		return len(a) + len(b)
	}
	n := calls()
	time.Sleep(2 * time.Second) // whoever would be called next
	if more := calls() - n; more != 0 {
		t.Errorf("%d more calls after the acknowledgement", more)
	}
}
