package responsehub_test

import (
	"slices"
	"testing"
	"time"

	"responsehub"
)

func TestAttemptsMoveForwardOnly(t *testing.T) {
	now := time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)
	for i, from := range responsehub.AttemptStates {
		for k, to := range responsehub.AttemptStates {
			a := responsehub.Attempt{State: from, Again: now, Unsure: true}
			if moved := a.To(to, now); moved != (k > i) || moved != (a.State == to && from != to) {
				t.Errorf("from %s to %s: %t, %s", from, to, moved, a.State)
			}
			if a.State != from && to.Over() != !a.Ended.IsZero() || a.State != from && to.Over() && (a.Unsure || !a.Again.IsZero()) {
				t.Errorf("from %s to %s: ended %v, looked at again %v", from, to, a.Ended, a.Again)
			}
		}
	}
	if last := responsehub.AttemptStates[len(responsehub.AttemptStates)-1]; last != responsehub.AttemptAcknowledged {
		t.Errorf("an answer is undone by %s", last)
	}
	for s, over := range map[responsehub.AttemptState]bool{responsehub.AttemptQueued: false, responsehub.AttemptRequested: false, responsehub.AttemptSent: false, responsehub.AttemptRinging: false, responsehub.AttemptInProgress: false, responsehub.AttemptDelivered: true, responsehub.AttemptHeard: true, responsehub.AttemptCancelled: true} {
		if s.Over() != over || !slices.Contains(responsehub.AttemptStates, s) {
			t.Errorf("%s is over: %t", s, s.Over())
		}
	}
}

func TestMaskPhone(t *testing.T) {
	for in, want := range map[string]string{"+15005550006": "+1500***0006", "+4930123": "******23", "": "", "1": "1"} {
		if got := responsehub.MaskPhone(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func TestWhenPeopleAreNeeded(t *testing.T) {
	now := time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)
	alert := &responsehub.Alert{Severity: responsehub.High}
	done := func(inc *responsehub.Incident) {
		for i := range inc.Steps {
			if inc.Steps[i].ID.Automatic() {
				inc.Steps[i].State = responsehub.Done
			}
		}
	}
	for _, tc := range []struct {
		name     string
		response bool
		after    time.Duration
		edit     func(*responsehub.Incident)
		want     string
	}{
		{"response off", false, 0, nil, "Response is off: nothing is done by itself"},
		{"closed", false, 0, func(inc *responsehub.Incident) { inc.State = responsehub.Remediated }, ""},
		{"response on, just opened", true, 0, nil, ""},
		{"the lock takes too long", true, 5 * time.Minute, nil, "the account is not locked yet"},
		{"all done", true, time.Hour, done, ""},
		{"retraction failed", true, 0, func(inc *responsehub.Incident) { done(inc); inc.Step(responsehub.Retract).State = responsehub.Failed }, "Retract phishing emails failed"},
		{"persistence came back", true, 0, func(inc *responsehub.Incident) {
			done(inc)
			inc.Step(responsehub.Persistence).State = responsehub.NeedsHuman
		}, "Disable persistence needs a person"},
		{"held back", true, 0, func(inc *responsehub.Incident) {
			inc.Step(responsehub.Lock).State, inc.Step(responsehub.Lock).Held = responsehub.Waiting, true
		}, "Revoke sessions and lock account was held back"},
	} {
		inc := responsehub.NewIncident("i", "RH-TEST", now, "petra", alert, responsehub.TenantRef{ID: "t"}, tc.response)
		if tc.edit != nil {
			tc.edit(inc)
		}
		if got := inc.NeedsPeople(now.Add(tc.after)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
