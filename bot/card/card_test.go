package card

import (
	"bytes"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"responsehub"
)

var update = flag.Bool("update", false, "write the golden files anew")

var t0 = time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC)

var ann = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}

func alert() *responsehub.Alert {
	return &responsehub.Alert{
		Version: "1", ID: "det-123", DetectedAt: t0,
		Account:  responsehub.Account{ObjectID: "22222222-2222-4222-8222-222222222222", UserPrincipalName: "pat@contoso.example", DisplayName: "Pat"},
		Severity: responsehub.Critical, Title: "Account takeover", Summary: "Sign-in from a new country, then an inbox rule.",
		Link:     "https://detector.example/i/det-123",
		Evidence: []responsehub.Evidence{{At: t0.Add(-19 * time.Minute), Kind: "sign_in", Text: "Sign-in with a stolen session", IP: "203.0.113.10", Country: "NL"}},
		Phish:    []responsehub.Phish{{InternetMessageID: "<1@evil.example>"}},
		Persistence: []responsehub.AlertFoothold{
			{Kind: responsehub.InboxRule, ID: "rule-1", Name: "."},
			{Kind: responsehub.ServicePrincipal, ID: "33333333-3333-4333-8333-333333333333", Name: "eM Client"},
		},
	}
}

func contoso() responsehub.TenantRef {
	return responsehub.TenantRef{ID: "t1", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"}
}

func open(response bool, a *responsehub.Alert) *responsehub.Incident {
	return responsehub.NewIncident("01JD0000000000000000000000", "RH-7K2M", t0.Add(2*time.Second), "petra", a, contoso(), response)
}

// verified brings a step to its end the way a worker does.
func verified(inc *responsehub.Incident, id responsehub.StepID, by responsehub.Actor, after time.Duration) {
	s := inc.Step(id)
	s.State, s.Round, s.RequestedBy, s.RequestedAt = responsehub.Done, 1, by.By(), t0.Add(after-time.Second)
	s.VerifiedAt = t0.Add(after)
	s.Proof = &responsehub.Proof{Value: "as it should be", RequestID: "req", At: s.VerifiedAt}
	for i := range s.Items {
		s.Items[i].State = responsehub.Done
	}
}

// hybrid is an account from on-premises AD whose lock is under watch.
func hybrid() *responsehub.Incident {
	inc := open(true, alert())
	verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
	inc.Step(responsehub.Lock).Proof.Value = "accountEnabled=false, sessions valid from 2026-11-23T09:40:03Z; Exchange, Teams, SharePoint are cut off within 15 min, other apps within 60"
	inc.BeginWatch(true, t0.Add(3*time.Second), t0.Add(4*time.Second))
	return inc
}

type golden struct {
	name string
	view View
	inc  func() *responsehub.Incident
}

var goldens = []golden{
	{name: "unpublished", inc: func() *responsehub.Incident { return open(false, alert()) }},
	{name: "response_on_running", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
		inc.Step(responsehub.Retract).State, inc.Step(responsehub.Retract).StartedAt = responsehub.Running, t0.Add(3*time.Second)
		inc.Step(responsehub.Persistence).State, inc.Step(responsehub.Persistence).SentAt = responsehub.Sent, t0.Add(5*time.Second)
		return inc
	}},
	{name: "all_verified", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		for i, id := range responsehub.StepIDs[1:6] {
			verified(inc, id, ann, time.Duration(i+1)*time.Minute)
		}
		inc.Acknowledged = &responsehub.Acknowledgement{By: ann.By(), At: t0.Add(time.Minute)}
		return inc
	}},
	{name: "shut_gate", view: View{Answer: "Retract phishing emails was started by Ann at 09:42:00 UTC and is done."}, inc: func() *responsehub.Incident {
		inc := open(true, alert())
		verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
		verified(inc, responsehub.Retract, responsehub.Policy, 2*time.Minute)
		s := inc.Step(responsehub.Persistence)
		s.State, s.Reason = responsehub.NeedsHuman, "One app needs a decision."
		s.Items[0].State = responsehub.Done
		return inc
	}},
	{name: "failed_with_reason", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		s := inc.Step(responsehub.Lock)
		s.State, s.Reason = responsehub.Failed, "The hub may not disable an administrator. Give it the role Privileged Authentication Administrator, then ask again."
		return inc
	}},
	{name: "partial", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
		s := inc.Step(responsehub.Retract)
		s.State, s.Reason = responsehub.Partial, "12 mailboxes could not be read."
		s.Progress = &responsehub.Progress{Searched: 9988, Mailboxes: 10000, Found: 97, Moved: 96, Already: 1, Unreachable: 12}
		return inc
	}},
	{name: "watching", inc: func() *responsehub.Incident { return hybrid() }},
	{name: "relocked", inc: func() *responsehub.Incident {
		inc := hybrid()
		inc.Undid(t0.Add(35*time.Minute), t0.Add(35*time.Minute), true, t0)
		inc.Relocked(t0.Add(35*time.Minute), t0.Add(35*time.Minute+3*time.Second))
		return inc
	}},
	{name: "ad_todos", inc: func() *responsehub.Incident {
		inc := hybrid()
		inc.AddTodo("ad-disable", "In on-premises AD: Disable-ADAccount pat")
		inc.AddTodo("ad-reset", "In on-premises AD: reset the AD password of pat twice")
		if _, err := inc.Tick(ann, "ad-disable", t0.Add(10*time.Minute)); err != nil {
			panic(err)
		}
		return inc
	}},
	{name: "needs_human", view: View{Console: "https://hub.example/incidents/01JD"}, inc: func() *responsehub.Incident {
		inc := open(true, alert())
		inc.AddFoothold(responsehub.Item{Kind: responsehub.Forwarding, Object: "smtp:x@evil.example", Why: "Forwards everything outside."})
		s := inc.Step(responsehub.Persistence)
		s.State, s.Reason = responsehub.NeedsHuman, "Only a person can judge what is left."
		s.Items[0].State, s.Items[1].State = responsehub.Done, responsehub.Done
		return inc
	}},
	{name: "retract_progress", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		s := inc.Step(responsehub.Retract)
		s.State, s.StartedAt = responsehub.Running, t0.Add(3*time.Second)
		s.Progress = &responsehub.Progress{Searched: 7312, Mailboxes: 10000, Moved: 96}
		return inc
	}},
	{name: "password_ready", view: View{Now: t0.Add(10 * time.Minute)}, inc: func() *responsehub.Incident {
		inc := open(true, alert())
		for i, id := range responsehub.StepIDs[1:5] {
			verified(inc, id, ann, time.Duration(i+1)*time.Minute)
		}
		inc.Sealed = map[string]responsehub.Sealed{"password": {Box: []byte("sealed-box-bytes"), For: ann.ID, Expires: t0.Add(15 * time.Minute)}}
		return inc
	}},
	{name: "closed", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		for i, id := range responsehub.StepIDs[1:] {
			verified(inc, id, ann, time.Duration(i+1)*time.Minute)
		}
		inc.State, inc.ClosedAt = responsehub.Remediated, t0.Add(6*time.Minute)
		return inc
	}},
	{name: "unknown_tenant", inc: func() *responsehub.Incident {
		a := alert()
		return responsehub.NewIncident("01JD0000000000000000000000", "RH-7K2M", t0, "petra", a, responsehub.TenantRef{Name: "99999999-9999-4999-8999-999999999999"}, false)
	}},
	{name: "hostile_text", inc: func() *responsehub.Incident {
		a := alert()
		a.Title = "**All fine** [log in](https://evil.example) ✅✓✔ <at>Everyone</at>"
		a.Summary = "\u202egnp.exe\u202c <script>alert(1)</script>\r\n# heading\x00\x1b[31m" + strings.Repeat("Z\u0300\u0301\u0302\u0303\u0304\u0305", 20)
		a.Account.DisplayName = "Pat\n- [x](javascript:alert(1))"
		a.Evidence[0].Text = strings.Repeat("👩‍👩‍👧‍👦", 16<<10)
		a.Persistence[0].Name = "_._ ![i](https://evil.example/x.png) ✓ verified"
		a.Link = "javascript:alert(1)"
		return open(false, a)
	}},
	{name: "long_lists", inc: func() *responsehub.Incident {
		a := alert()
		a.Summary = strings.Repeat("界", 4000)
		a.Evidence, a.Persistence = nil, nil
		for i := range responsehub.MaxEvidence {
			a.Evidence = append(a.Evidence, responsehub.Evidence{Text: fmt.Sprint(i, strings.Repeat("😀", 3990))})
		}
		for i := range responsehub.MaxPersistence {
			a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: responsehub.InboxRule, ID: fmt.Sprint("r", i), Name: fmt.Sprint(i, strings.Repeat("規", 390))})
		}
		inc := open(true, a)
		s := inc.Step(responsehub.Persistence)
		s.State, s.Reason = responsehub.Failed, strings.Repeat("Because. ", 500)
		return inc
	}},
	{name: "many_requests", view: View{Console: "https://hub.example/incidents/01JD"}, inc: func() *responsehub.Incident {
		inc := hybrid()
		for i := range 9 {
			inc.AddTodo(fmt.Sprint("todo-", i), fmt.Sprint("In on-premises AD: do thing ", i))
		}
		for i := range 20 {
			inc.AddFoothold(responsehub.Item{Kind: responsehub.InboxRule, Object: fmt.Sprint("r", i), Name: fmt.Sprint("rule ", i), Why: "Moves mail out of sight."})
		}
		s := inc.Step(responsehub.Persistence)
		s.State, s.Reason = responsehub.Partial, "Five rules could not be disabled."
		for i := range 5 {
			s.Items[i].State, s.Items[i].At, s.Items[i].By = responsehub.Done, t0.Add(9*time.Second), responsehub.Policy.By()
		}
		return inc
	}},
	{name: "told_by_phone", view: View{Person: func(id string) string { return map[string]string{"ann": "Ann Berg", "bob": "Bob"}[id] }}, inc: func() *responsehub.Incident {
		inc := open(true, alert())
		verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
		inc.Page = &responsehub.Page{State: responsehub.PageExhausted}
		for i, a := range []responsehub.Attempt{
			{Person: "ann", Way: responsehub.ByText, State: responsehub.AttemptDelivered}, {Person: "ann", Way: responsehub.ByCall, State: responsehub.AttemptNoAnswer},
			{Person: "bob", Way: responsehub.ByText, State: responsehub.AttemptUndelivered}, {Person: "bob", Way: responsehub.ByCall, State: responsehub.AttemptVoicemail},
			{Person: "cyd", Way: responsehub.ByCall, State: responsehub.AttemptHeard},
		} {
			a.At = t0.Add(time.Duration(i+1) * time.Minute)
			inc.Page.Attempts = append(inc.Page.Attempts, a)
		}
		inc.Tickets = map[string]responsehub.TicketRef{"halo": {Failure: "HaloPSA refused the client."}, "connectwise": {ID: "17", Number: "T-123"}}
		inc.Mails = map[string]responsehub.MailRef{"soc@msp.example": {Sent: 1}, "boss@msp.example": {Sent: 2}, "gone@msp.example": {Failure: "No such mailbox."}}
		return inc
	}},
	{name: "response_off_published", view: View{Console: "https://hub.example/incidents/01JD"}, inc: func() *responsehub.Incident {
		inc := open(false, alert())
		inc.State = responsehub.Active
		inc.Step(responsehub.Publish).State = responsehub.Done
		verified(inc, responsehub.Lock, ann, time.Minute)
		inc.Acknowledged = &responsehub.Acknowledgement{By: ann.By(), At: t0.Add(50 * time.Second)}
		return inc
	}},
	{name: "response_off_contained_again", view: View{Console: "https://hub.example/incidents/01JD0000000000000000000000"}, inc: func() *responsehub.Incident {
		inc := open(false, alert())
		inc.State = responsehub.Active
		inc.Step(responsehub.Publish).State = responsehub.Done
		for i, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
			verified(inc, id, ann, time.Duration(i+1)*time.Minute)
		}
		inc.Step(responsehub.Retract).Progress = &responsehub.Progress{Searched: 5, Mailboxes: 5, Found: 5, Moved: 3, Already: 1, Kept: 1}
		inc.Former = &responsehub.Former{ID: "01JC0000000000000000000000", Ref: "RH-2B3C", State: responsehub.Remediated, ClosedAt: t0.Add(-49 * time.Hour)}
		return inc
	}},
	{name: "set_aside_and_taken_back", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
		s := inc.Step(responsehub.Lock)
		s.State, s.Undo, s.RequestedBy, s.VerifiedAt = responsehub.Undone, true, ann.By(), t0.Add(26*time.Hour)
		s = inc.Step(responsehub.Retract)
		s.State, s.Reason, s.RequestedBy, s.RequestedAt = responsehub.Skipped, "Nothing was sent.", ann.By(), t0.Add(25*time.Hour)
		return inc
	}},
	{name: "held_back", inc: func() *responsehub.Incident {
		a := alert()
		return responsehub.NewIncident("01JD0000000000000000000000", "RH-7K2M", t0, "petra", a, contoso(), true, responsehub.BreakGlassHold(a.Account))
	}},
	{name: "false_alarm_waits", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
		inc.Withdrawal = &responsehub.Withdrawal{By: ann.By(), At: t0.Add(time.Hour), EndedAt: t0.Add(2 * time.Hour), Left: []string{"The password cannot be given back."}}
		return inc
	}},
	{name: "false_alarm_running", inc: func() *responsehub.Incident {
		inc := open(true, alert())
		verified(inc, responsehub.Lock, responsehub.Policy, 4*time.Second)
		inc.Step(responsehub.Persistence).State = responsehub.Failed
		inc.Withdrawal = &responsehub.Withdrawal{By: ann.By(), At: t0.Add(time.Hour)}
		return inc
	}},
	{name: "copy_to_read", view: View{ReadOnly: true}, inc: func() *responsehub.Incident { return open(false, alert()) }},
}

func TestGolden(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			got := Card(g.inc(), g.view)
			if again := Card(g.inc(), g.view); !bytes.Equal(got, again) {
				t.Error("the same incident gave two different cards")
			}
			compare(t, g.name, got)
			check(t, got)
		})
	}
}

func TestPasswordExpires(t *testing.T) {
	var ready golden
	for _, g := range goldens {
		if g.name == "password_ready" {
			ready = g
		}
	}
	for _, tc := range []struct {
		name string
		edit func(*responsehub.Incident)
		now  time.Time
		want bool
	}{
		{"readable", func(*responsehub.Incident) {}, t0.Add(14 * time.Minute), true},
		{"expired", func(*responsehub.Incident) {}, t0.Add(15 * time.Minute), false},
		{"seen", func(inc *responsehub.Incident) { delete(inc.Sealed, "password") }, t0, false},
		{"nobody's", func(inc *responsehub.Incident) {
			inc.Sealed["password"] = responsehub.Sealed{Expires: t0.Add(time.Hour)}
		}, t0, false},
		{"saved before the call", func(inc *responsehub.Incident) { inc.Step(responsehub.Password).State = responsehub.Running }, t0, false},
	} {
		inc := ready.inc()
		tc.edit(inc)
		if got := bytes.Contains(Card(inc, View{Now: tc.now}), []byte("task/fetch")); got != tc.want {
			t.Errorf("%s: button shown %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestSummary(t *testing.T) {
	want := "RH-7K2M critical: Account takeover, Pat (pat@contoso.example) (Contoso): act now"
	if got := Summary(open(false, alert())); got != want {
		t.Errorf("Summary = %q, want %q", got, want)
	}
}

func TestClean(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"one line", " a\r\n\tb\u2028c ", "a b c"},
		{"control and direction", "a\x00\x1b\u202e\u2066\u200bb", "ab"},
		{"marks", "e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301"},
		{"check marks", "✓done✅", "done"},
		{"not utf-8", "a\xff\xfeb", "ab"},
		{"functions", "{{TIME(x)}}", "{ {TIME(x)…"},
		{"cut", "abcdefghijk", "abcdefghij…"},
		{"real replacement character", "a\ufffdb", "a\ufffdb"},
	} {
		if got := Clean(tc.in, 10); got != tc.want {
			t.Errorf("%s: Clean = %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestDialogAndList(t *testing.T) {
	password := "aA*b_c[9](x)`"
	got := Dialog(password, "Pat", "Tell it by phone.")
	check(t, got)
	if !bytes.Contains(got, []byte(`"text":"aA*b_c[9](x)`+"`")) {
		t.Errorf("the password is not shown as it is: %s", got)
	}
	long := make([]string, 500)
	for i := range long {
		long[i] = strings.Repeat("😀", 1000)
	}
	check(t, List("Open incidents", long))
	check(t, Test(false))
	check(t, Test(true))
	if bytes.Equal(Test(false), Test(true)) {
		t.Error("nobody could see that the test passed")
	}
}
