package ticket_test

import (
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/ticket"
)

// TestSeveralConnections: a tenant whose tickets go to two ticket systems has one ticket in
// each, for its company there, with each note once; what people do in one is about that one.
func TestSeveralConnections(t *testing.T) {
	setUp := func(b *bench) *desk {
		other := newDesk()
		b.more = map[string]ticket.Connection{"halo": {Desk: other, Product: "HaloPSA", ReopenDays: 7, AcknowledgeOn: "assignment"}}
		b.tenant.Notify.PSA = responsehub.Desks{{Connection: "cw", Company: "FAB"}, {Connection: "halo", Company: "Fabrikam Ltd", CloseOnTicketClose: true}}
		b.wire()
		return other
	}
	hint := func(b *bench, name string) {
		b.edit(func(inc *responsehub.Incident) {
			ref := inc.Tickets[name]
			ref.Hints++
			inc.Tickets[name] = ref
		})
	}
	bubble(t, "one ticket in each", func(t *testing.T, b *bench) {
		other := setUp(b)
		b.open(true)
		b.run(time.Minute)
		b.done(responsehub.Lock)
		b.run(2 * time.Minute)
		if a, z := b.desk.one(t), other.one(t); a.Company != "FAB" || z.Company != "Fabrikam Ltd" {
			t.Errorf("companies %q and %q", a.Company, z.Company)
		}
		for name, d := range map[string]*desk{"cw": b.desk, "halo": other} {
			told := 0
			for _, n := range d.one(t).notes {
				told += strings.Count(n.Text, "[RH-7K2M lock.1.done]")
			}
			if ref := b.inc().Tickets[name]; told != 1 || ref.ID != d.one(t).ID || ref.Failure != "" {
				t.Errorf("%s: told %d times, known as %+v", name, told, ref)
			}
		}
		one := other.one(t)
		one.Owner = "Tess"
		hint(b, "halo")
		b.run(time.Minute)
		if inc := b.inc(); inc.Acknowledged == nil || inc.Tickets["cw"].Owner != "" || inc.Tickets["halo"].Owner != "Tess" {
			t.Errorf("taken in one: %+v, %+v", inc.Acknowledged, inc.Tickets)
		}
		b.desk.one(t).Closed = true
		hint(b, "cw")
		b.run(time.Minute)
		if inc := b.inc(); !inc.Tickets["cw"].Closed || inc.Tickets["halo"].Closed || inc.State.Closed() || other.one(t).Closed {
			t.Errorf("closed in one: %+v", inc.Tickets)
		}
	})
	bubble(t, "one is away, the other waits for nothing", func(t *testing.T, b *bench) {
		other := setUp(b)
		away := true
		b.desk.fault = func(string) (error, bool) {
			if !away {
				return nil, false
			}
			time.Sleep(20 * time.Second) // each answer takes its time too
			return &responsehub.Error{Kind: responsehub.Unavailable, Message: "It is away."}, false
		}
		b.open(true)
		begun := time.Now()
		b.run(time.Minute)
		if took := other.one(t).made.Sub(begun); took > time.Second {
			t.Errorf("the other's ticket was made after %s", took)
		}
		b.done(responsehub.Lock)
		b.run(10 * time.Minute)
		if len(b.desk.tickets) != 0 || b.ref().Failure == "" {
			t.Errorf("%d tickets, %+v", len(b.desk.tickets), b.ref())
		}
		if z := other.one(t); len(z.notes) == 0 || b.inc().Tickets["halo"].Failure != "" {
			t.Errorf("the other: %+v", b.inc().Tickets["halo"])
		}
		away = false
		b.run(time.Hour)
		if b.desk.one(t).Company != "FAB" || b.ref().Failure != "" || len(other.tickets) != 1 {
			t.Errorf("afterwards: %+v", b.inc().Tickets)
		}
	})
}
