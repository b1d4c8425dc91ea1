package ticket_test

import (
	"strings"
	"testing"
	"time"

	"responsehub"
)

func TestPSAAway(t *testing.T) {
	bubble(t, "refused credentials for an hour, then one note", func(t *testing.T, b *bench) {
		b.open(true)
		b.run(time.Second)
		b.desk.fault = func(string) (error, bool) {
			return &responsehub.Error{Kind: responsehub.Unauthorized, Message: "ConnectWise refuses the API key."}, false
		}
		b.done(responsehub.Lock, responsehub.Retract, responsehub.Persistence)
		b.run(time.Minute)
		b.ask(responsehub.Password)
		b.run(time.Minute)
		b.done(responsehub.Password)
		b.run(time.Hour)
		if got := b.kinds(responsehub.EventNoticeFailed); len(got) != 1 || !strings.Contains(got[0], "refuses the API key") {
			t.Errorf("the record says %q, want the failure once", got)
		}
		if n := len(b.desk.calls); n > 40 {
			t.Errorf("%d calls within an hour of refused credentials", n)
		}
		if len(b.alarms) != 1 || !strings.Contains(b.alarms[0], "refuses the API key") {
			t.Errorf("the operators are told %q, want it once", b.alarms)
		}
		b.desk.fault = nil
		b.run(time.Hour)
		h := b.desk.one(t)
		if len(h.notes) != 1 {
			t.Errorf("after the outage there are %d notes, want one:\n%s", len(h.notes), h.texts())
		}
		contains(t, "note", h.texts(), "[RH-7K2M lock.1.done]", "[RH-7K2M password.1.done]", "While the ticket could not be reached")
		if b.ref().Failure != "" {
			t.Errorf("failure stays: %q", b.ref().Failure)
		}
		b.desk.fault = func(string) (error, bool) {
			return &responsehub.Error{Kind: responsehub.Unauthorized, Message: "Refused again."}, false
		}
		b.ask(responsehub.Reenable)
		b.due = time.Now()
		b.run(time.Hour)
		if len(b.alarms) != 2 {
			t.Errorf("after the next outage the operators were told %q", b.alarms)
		}
	})
	bubble(t, "away when the alert comes", func(t *testing.T, b *bench) {
		b.desk.fault = func(string) (error, bool) {
			return &responsehub.Error{Kind: responsehub.Unavailable, Message: "ConnectWise is away."}, false
		}
		b.open(true)
		b.run(3 * time.Hour)
		b.desk.fault = nil
		b.run(time.Hour)
		b.desk.one(t)
	})
	bubble(t, "a long closed incident gets no ticket", func(t *testing.T, b *bench) {
		b.desk.fault = func(string) (error, bool) {
			return &responsehub.Error{Kind: responsehub.Unavailable, Message: "ConnectWise is away."}, false
		}
		b.open(false)
		b.run(time.Minute)
		b.edit(func(inc *responsehub.Incident) {
			if _, err := inc.FalseAlarm(ann, "a test", time.Now()); err != nil {
				t.Error(err)
			}
		})
		b.run(72 * time.Hour)
		b.desk.fault = nil
		b.run(time.Hour)
		if len(b.desk.tickets) != 0 || !b.due.IsZero() {
			t.Errorf("%d tickets, due %s", len(b.desk.tickets), b.due)
		}
	})
	bubble(t, "throttled is no failure", func(t *testing.T, b *bench) {
		n := 0
		b.desk.fault = func(string) (error, bool) {
			if n++; n < 20 {
				return &responsehub.Error{Kind: responsehub.Throttled, Message: "Slow down.", RetryAfter: 30 * time.Second}, false
			}
			return nil, false
		}
		b.open(true)
		b.run(time.Hour)
		b.desk.one(t)
		if got := b.kinds(responsehub.EventNoticeFailed); len(got) != 0 {
			t.Errorf("the record says %q", got)
		}
	})
}
