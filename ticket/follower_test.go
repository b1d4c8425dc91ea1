package ticket_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/ticket"
)

func bubble(t *testing.T, name string, f func(t *testing.T, b *bench)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { f(t, newBench(t)) })
	})
}

func contains(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if n := strings.Count(text, w); n != 1 {
			t.Errorf("%s: %q stands there %d times, want once:\n%s", what, w, n, text)
		}
	}
}

// TestTicketNamesWhatWasBefore: in the words of the card, with the way to it.
func TestTicketNamesWhatWasBefore(t *testing.T) {
	bubble(t, "before", func(t *testing.T, b *bench) {
		b.before = &responsehub.Former{ID: "inc0", Ref: "RH-2B3C", State: responsehub.Remediated, ClosedAt: time.Date(2026, 11, 21, 8, 51, 0, 0, time.UTC)}
		b.open(true)
		b.run(2 * time.Second)
		contains(t, "description", b.desk.one(t).draft.Description, "Before: RH-2B3C, the same account, remediated 21 Nov 2026 08:51:00 UTC: https://hub.example/incidents/RH-2B3C")
		if f := b.inc().Former; f == nil || f.ID != "inc0" {
			t.Errorf("the incident keeps %+v", f)
		}
	})
}

func TestTicketOfAWholeIncident(t *testing.T) {
	bubble(t, "response on", func(t *testing.T, b *bench) {
		b.open(true)
		b.run(2 * time.Second)
		h := b.desk.one(t)
		if diff := cmp.Diff("[Critical] M365 account takeover: pat@fabrikam.example (Fabrikam)", h.draft.Title); diff != "" {
			t.Error(diff)
		}
		contains(t, "description", h.draft.Description, "Account: Pat (pat@fabrikam.example)", "See hxxps://evil.example/x[2J", "https://hub.example/incidents/RH-7K2M", "Reference: RH-7K2M")
		contains(t, "evidence", h.draft.Internal, "hxxp://bad.example 203.0.113.10 NL")
		if len(h.notes) != 0 || h.Status != "New" {
			t.Errorf("right after the alert there are notes %v and status %q", h.notes, h.Status)
		}
		b.done(responsehub.Lock)
		b.run(3 * time.Second)
		b.done(responsehub.Retract)
		b.run(3 * time.Second)
		if len(h.notes) != 0 {
			t.Errorf("the automatic steps are told one by one: %s", h.texts())
		}
		b.done(responsehub.Persistence)
		b.run(time.Second)
		if len(h.notes) != 1 || h.Status != "Contained" {
			t.Errorf("after steps 1 to 3: %d notes, status %q", len(h.notes), h.Status)
		}
		contains(t, "first note", h.texts(), "[RH-7K2M lock.1.done]", "[RH-7K2M retract.1.done]", "[RH-7K2M persistence.1.done]", "Step 1, Revoke sessions and lock account: done, asked for by Response (automatic)")
		b.ask(responsehub.Password)
		b.run(time.Second)
		if h.Status != "In Progress" {
			t.Errorf("status while a step runs is %q", h.Status)
		}
		b.done(responsehub.Password)
		b.edit(func(inc *responsehub.Incident) {
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventRevealed, By: ann.By(), Text: "One-time password shown to Ann"})
		})
		b.run(time.Second)
		b.ask(responsehub.Reenable)
		b.run(time.Second)
		b.done(responsehub.Reenable)
		b.run(time.Second)
		b.ask(responsehub.Close)
		b.run(time.Minute)
		contains(t, "notes", h.texts(), "Acknowledged by Ann in Teams", "The one-time password was shown to Ann", "[RH-7K2M password.1.done]", "[RH-7K2M reenable.1.asked]", "[RH-7K2M reenable.1.done]", "marked as remediated by Ann in Teams")
		last := h.notes[len(h.notes)-1]
		if !last.Resolution || h.Status != "Closed!" || !strings.Contains(h.resolution, "marked as remediated by Ann") {
			t.Errorf("the end: resolution %t, status %q, field %q", last.Resolution, h.Status, h.resolution)
		}
		if !b.due.IsZero() || !b.ref().Closed || b.ref().Failure != "" {
			t.Errorf("the lane should sleep: %s, %+v", b.due, b.ref())
		}
	})
	bubble(t, "a step takes longer than a minute", func(t *testing.T, b *bench) {
		b.open(true)
		b.run(time.Second)
		b.done(responsehub.Lock, responsehub.Persistence)
		b.run(2 * time.Minute)
		h := b.desk.one(t)
		if len(h.notes) != 1 {
			t.Fatalf("after a minute: %s", h.texts())
		}
		contains(t, "note", h.texts(), "[RH-7K2M retract.1.asked]", "[RH-7K2M lock.1.done]")
		b.done(responsehub.Retract)
		b.run(time.Second)
		contains(t, "notes", h.texts(), "[RH-7K2M retract.1.done]")
	})
	bubble(t, "an unknown tenant", func(t *testing.T, b *bench) {
		b.tenant.ID = ""
		b.open(false)
		b.run(time.Second)
		h := b.desk.one(t)
		if h.draft.Company != "" || !strings.HasPrefix(h.draft.Title, "[UNMAPPED] [Critical]") || !strings.HasPrefix(h.draft.Description, "UNMAPPED TENANT Fabrikam 22222222-") {
			t.Errorf("draft %+v", h.draft)
		}
		b.tenant.ID = "fab"
		b.edit(func(inc *responsehub.Incident) { inc.Tenant.ID = "fab" })
		b.run(time.Second)
		if h.Company != "FAB" {
			t.Errorf("once mapped the ticket belongs to %q", h.Company)
		}
	})
	bubble(t, "a mapping that leads nowhere", func(t *testing.T, b *bench) {
		b.tenant.Notify.PSA[0].Company = "Ghost"
		b.open(true)
		b.run(time.Second)
		h := b.desk.one(t)
		contains(t, "description", h.draft.Description, `The company "Ghost" of the tenant's mapping is not in ConnectWise.`)
	})
	bubble(t, "a tenant without tickets", func(t *testing.T, b *bench) {
		b.tenant.Notify.PSA = nil
		b.open(true)
		b.run(time.Hour)
		if b.turns != 0 || len(b.desk.calls) != 0 {
			t.Errorf("%d turns, calls %v", b.turns, b.desk.calls)
		}
	})
}

func TestLostAnswers(t *testing.T) {
	for _, call := range []string{"create", "note", "move contained", "find", "get"} {
		for _, effect := range []bool{true, false} {
			bubble(t, call, func(t *testing.T, b *bench) {
				lost := false
				b.desk.fault = func(c string) (error, bool) {
					if c == call && !lost {
						lost = true
						return errLost, effect
					}
					return nil, false
				}
				b.open(true)
				b.run(time.Minute)
				b.done(responsehub.Lock, responsehub.Retract, responsehub.Persistence)
				b.run(time.Hour)
				h := b.desk.one(t)
				contains(t, "notes", h.texts(), "[RH-7K2M lock.1.done]", "[RH-7K2M retract.1.done]")
				if h.Status != "Contained" || !lost && call != "get" {
					t.Errorf("status %q, lost %t, calls %v", h.Status, lost, b.desk.calls)
				}
				if b.ref().Failure != "" || b.ref().Tries != 0 {
					t.Errorf("a failure stays: %+v", b.ref())
				}
			})
		}
	}
}

func TestWhatPeopleDoToATicket(t *testing.T) {
	start := func(b *bench) *held {
		b.open(true)
		b.run(time.Second)
		b.done(responsehub.Lock, responsehub.Retract, responsehub.Persistence)
		b.run(time.Minute)
		return b.desk.one(b.t)
	}
	close := func(h *held) { h.Closed, h.Status, h.UpdatedBy = true, "Closed!", "jdoe" }
	bubble(t, "closed by hand while the account is locked", func(t *testing.T, b *bench) {
		h := start(b)
		before := b.inc().Steps
		close(h)
		b.hint()
		b.run(time.Hour)
		inc := b.inc()
		if diff := cmp.Diff(before, inc.Steps); diff != "" {
			t.Errorf("closing the ticket changed a step: %s", diff)
		}
		if inc.State != responsehub.Active || b.ref().ClosedBy != "jdoe" || len(inc.Todos) != 1 || !strings.Contains(inc.Todos[0].Text, "was closed in ConnectWise by jdoe. Mark the incident as remediated?") {
			t.Errorf("state %s, ref %+v, todos %+v", inc.State, b.ref(), inc.Todos)
		}
		if got := b.kinds(responsehub.EventTicketChanged); len(got) != 1 {
			t.Errorf("record %q", got)
		}
		b.hint()
		b.run(time.Hour)
		if got := b.kinds(responsehub.EventTicketChanged); len(got) != 1 || h.Status != "Closed!" {
			t.Errorf("told again: %q; status %q", got, h.Status)
		}
		b.ask(responsehub.Password)
		b.run(time.Minute)
		if h.Status != "Re-opened" || b.ref().Closed {
			t.Errorf("going on should open the ticket again, it is %q", h.Status)
		}
		contains(t, "notes", h.texts(), "[RH-7K2M password.1.asked]")
	})
	bubble(t, "closed long ago: a new one names it", func(t *testing.T, b *bench) {
		h := start(b)
		close(h)
		b.hint()
		b.run(8 * 24 * time.Hour)
		b.ask(responsehub.Password)
		b.run(time.Minute)
		if len(b.desk.tickets) != 2 || b.ref().Number != "#102" {
			t.Fatalf("%d tickets, the incident's is %s", len(b.desk.tickets), b.ref().Number)
		}
		contains(t, "description", b.desk.tickets["102"].draft.Description, "This ticket follows #101, which was closed too long ago to be opened again.")
		if h.Status != "Closed!" {
			t.Errorf("the old one is %q", h.Status)
		}
	})
	bubble(t, "closing marks as remediated where the tenant says so", func(t *testing.T, b *bench) {
		b.tenant.Notify.PSA[0].CloseOnTicketClose = true
		h := start(b)
		close(h)
		b.hint()
		b.run(time.Minute)
		if b.inc().State != responsehub.Active {
			t.Fatalf("steps are open, yet the incident is %s", b.inc().State)
		}
		h.Closed, h.Status = false, "In Progress"
		b.hint()
		b.run(time.Minute)
		b.done(responsehub.Password, responsehub.Reenable)
		b.run(time.Minute)
		close(h)
		b.hint()
		b.run(time.Minute)
		inc := b.inc()
		if inc.State != responsehub.Remediated || inc.Step(responsehub.Close).RequestedBy.Via != responsehub.ViaPSA || inc.Step(responsehub.Close).RequestedBy.Name != "jdoe" {
			t.Errorf("state %s, closed by %+v", inc.State, inc.Step(responsehub.Close).RequestedBy)
		}
	})
	bubble(t, "taking it acknowledges", func(t *testing.T, b *bench) {
		b.conn.AcknowledgeOn = "assignment"
		b.wire()
		h := start(b)
		h.Owner = "Jane Doe"
		b.hint()
		b.run(time.Minute)
		if a := b.inc().Acknowledged; a == nil || a.By.Name != "Jane Doe" || a.By.Via != responsehub.ViaPSA {
			t.Errorf("acknowledged %+v", a)
		}
	})
	bubble(t, "the hub's own status does not acknowledge", func(t *testing.T, b *bench) {
		b.conn.AcknowledgeOn = "status"
		b.wire()
		h := start(b)
		b.hint()
		b.run(time.Minute)
		if a := b.inc().Acknowledged; a != nil {
			t.Fatalf("acknowledged by nobody: %+v", a)
		}
		h.Status, h.UpdatedBy = "Triage", "jdoe"
		b.hint()
		b.run(time.Minute)
		if a := b.inc().Acknowledged; a == nil || a.By.Name != "jdoe" {
			t.Errorf("acknowledged %+v", a)
		}
	})
	bubble(t, "merged", func(t *testing.T, b *bench) {
		h := start(b)
		b.desk.tickets["55"] = &held{Ticket: ticket.Ticket{ID: "55", Number: "#55", Ref: "", Status: "Open"}}
		h.MergedInto = "55"
		b.hint()
		b.run(time.Minute)
		b.ask(responsehub.Password)
		b.run(time.Minute)
		parent := b.desk.tickets["55"]
		contains(t, "parent", parent.texts(), "[RH-7K2M password.1.asked]")
		if parent.Status != "Open" || b.index.ids["cw|55"] != "inc1" || cmp.Diff([]string{"#101"}, b.ref().Old) != "" {
			t.Errorf("parent %q, index %v, ref %+v", parent.Status, b.index.ids, b.ref())
		}
	})
	bubble(t, "merged into another incident's", func(t *testing.T, b *bench) {
		h := start(b)
		b.desk.tickets["55"] = &held{Ticket: ticket.Ticket{ID: "55", Number: "#55", Ref: "RH-OTHR", Status: "Open"}}
		b.index.ids["cw|55"] = "inc2"
		h.MergedInto = "55"
		b.hint()
		b.run(time.Minute)
		if b.ref().ID != "55" || b.index.ids["cw|55"] != "inc2" {
			t.Errorf("the other incident does not hear of its ticket any more: %v, ref %+v", b.index.ids, b.ref())
		}
	})
	bubble(t, "deleted", func(t *testing.T, b *bench) {
		h := start(b)
		h.deleted = true
		b.hint()
		b.run(time.Minute)
		n := b.desk.one(t)
		contains(t, "description", n.draft.Description, "This ticket follows #101, which was deleted", "Step 1, Revoke sessions and lock account: done")
		if n.Status != "Contained" {
			t.Errorf("status %q", n.Status)
		}
	})
	bubble(t, "deleted while a note is on the way, and the refusal is in words only", func(t *testing.T, b *bench) {
		h := start(b)
		b.desk.fault = func(call string) (error, bool) {
			if call != "note" || h.deleted {
				return nil, false
			}
			h.deleted = true
			return &responsehub.Error{Kind: responsehub.Permanent, Message: "Value does not reference an existing entity."}, false
		}
		b.done(responsehub.Password)
		b.run(time.Minute)
		contains(t, "description", b.desk.one(t).draft.Description, "This ticket follows #101, which was deleted")
	})
	bubble(t, "a note is refused for good", func(t *testing.T, b *bench) {
		h := start(b)
		b.desk.fault = func(call string) (error, bool) {
			if call == "note" {
				return &responsehub.Error{Kind: responsehub.Permanent, Message: "The note is too long."}, false
			}
			return nil, false
		}
		b.done(responsehub.Password)
		b.run(10 * time.Minute)
		if got := b.kinds(responsehub.EventNoticeFailed); len(got) != 1 || b.desk.one(t) != h {
			t.Errorf("record %q", got)
		}
	})
	bubble(t, "the close is refused", func(t *testing.T, b *bench) {
		h := start(b)
		b.desk.fault = func(call string) (error, bool) {
			if call == "move closed" {
				return &responsehub.Error{Kind: responsehub.Forbidden, Message: "The API member may not close tickets."}, false
			}
			return nil, false
		}
		b.done(responsehub.Password, responsehub.Reenable)
		b.ask(responsehub.Close)
		b.run(time.Hour)
		contains(t, "notes", h.texts(), "marked as remediated by Ann", "The hub could not close this ticket: The API member may not close tickets.")
		if b.inc().State != responsehub.Remediated || len(b.kinds(responsehub.EventNoticeFailed)) != 1 {
			t.Errorf("state %s, record %q", b.inc().State, b.kinds(responsehub.EventNoticeFailed))
		}
	})
	bubble(t, "a rule that works against the hub", func(t *testing.T, b *bench) {
		h := start(b)
		for i := range 8 {
			h.Status = []string{"Auto", "Contained"}[i%2]
			b.hint()
			b.run(20 * time.Second)
		}
		b.desk.calls = nil
		b.ask(responsehub.Password)
		b.run(time.Minute)
		for _, c := range b.desk.calls {
			if strings.HasPrefix(c, "move") {
				t.Errorf("the status is still written: %v", b.desk.calls)
			}
		}
		if got := b.kinds(responsehub.EventNoticeFailed); len(got) != 1 || !strings.Contains(got[0], "was changed 6 times") {
			t.Errorf("record %q", got)
		}
	})
	bubble(t, "several carry the reference", func(t *testing.T, b *bench) {
		for _, id := range []string{"42", "57"} {
			b.desk.tickets[id] = &held{Ticket: ticket.Ticket{ID: id, Number: "#" + id, Ref: "RH-7K2M", Status: "New"}}
		}
		b.open(true)
		b.run(time.Minute)
		if len(b.desk.tickets) != 2 || b.ref().ID != "42" || len(b.kinds(responsehub.EventNoticeFailed)) != 1 {
			t.Errorf("%d tickets, ref %+v, record %q", len(b.desk.tickets), b.ref(), b.kinds(responsehub.EventNoticeFailed))
		}
	})
}
