package mail

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// post is a Sender that keeps the mails, or refuses them.
type post struct {
	mu    sync.Mutex
	mails []Letter
	err   map[string]error // by recipient
}

func (p *post) Send(_ context.Context, l Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.err[l.To]; err != nil {
		return err
	}
	p.mails = append(p.mails, l)
	return nil
}

func (p *post) refuse(to string, kind responsehub.Kind, words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = map[string]error{}
	}
	p.err[to] = &responsehub.Error{Kind: kind, Message: words}
	if kind == "" {
		delete(p.err, to)
	}
}

// desk is one incident with its mail lane.
type desk struct {
	t      *testing.T
	f      *Follower
	post   *post
	inc    *responsehub.Incident
	events []string
	saves  int
	died   func() bool // the process dies after a save
	turns  int
}

func open(t *testing.T, tenant responsehub.Tenant, addresses ...string) *desk {
	t.Helper()
	tenant.Notify.Mail = addresses
	d := &desk{t: t, post: &post{}}
	d.f = NewFollower(Config{
		From: "responsehub <alarm@msp.example>", PublicURL: "https://hub.example.com/", Fallback: []string{"Boss@msp.example"},
		Tenant: func(id string) (responsehub.Tenant, bool) { return tenant, id == tenant.ID },
	}, d.post, slog.New(slog.DiscardHandler))
	alert := &responsehub.Alert{
		Severity: responsehub.Critical, Title: "Account takeover", Summary: "A session from a new country.", Link: "https://detector.example/1",
		Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"}, DetectedAt: time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC),
		Evidence: []responsehub.Evidence{{At: time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC), Text: "Sign-in", IP: "203.0.113.10", Country: "NL"}},
	}
	d.inc = responsehub.NewIncident("01TEST", "RH-7K2M", time.Now(), "petra", alert, tenant.Ref(), tenant.Response)
	return d
}

var contoso = responsehub.Tenant{ID: "t1", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"}

// work visits the incident as the engine does, until the lane rests for longer than most.
func (d *desk) work(most time.Duration) {
	d.t.Helper()
	for range 500 {
		turn := responsehub.NewTurn(clone(d.inc), 0, func(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
			d.saves++
			if err := edit(d.inc); err != nil {
				return nil, err
			}
			return clone(d.inc), nil
		})
		d.turns++
		out := d.f.Follow(d.t.Context(), turn)
		if out.Err != nil {
			d.t.Fatal(out.Err)
		}
		if d.died != nil && d.died() {
			return
		}
		if out.Edit != nil {
			if err := out.Edit(d.inc); err != nil {
				d.t.Fatal(err)
			}
		}
		for _, e := range d.inc.TakeEvents() {
			if strings.HasPrefix(string(e.Kind), "notice.") {
				d.events = append(d.events, fmt.Sprintf("%s %s", e.Kind, e.Text))
			}
		}
		if out.After == 0 || out.After > most {
			return
		}
		time.Sleep(out.After)
	}
	d.t.Fatal("the lane finds no rest")
}

func clone(inc *responsehub.Incident) *responsehub.Incident {
	c := *inc
	c.Steps = slices.Clone(inc.Steps)
	return &c
}

func (d *desk) told() (out []string) {
	for _, l := range d.post.mails {
		first, _, _ := strings.Cut(l.Text, "\n\n")
		out = append(out, fmt.Sprintf("%s %s | %s", l.To, l.Subject[:3], strings.ReplaceAll(strings.TrimSpace(first), "\n", " ")))
	}
	return out
}

func (d *desk) step(id responsehub.StepID, s responsehub.StepState, reason string) {
	d.inc.Step(id).State, d.inc.Step(id).Reason = s, reason
}

// TestThread: an incident from its opening to its end is one thread, with a mail for what
// matters, and none for the rest.
func TestThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, contoso, "soc@example.com")
		d.work(time.Second)
		if d.f.Wake(d.inc, nil) {
			t.Error("there is nothing to tell, and the lane wakes")
		}
		time.Sleep(5 * time.Minute)
		d.step(responsehub.Lock, responsehub.Running, "")
		d.step(responsehub.Retract, responsehub.Done, "")
		if d.f.Wake(d.inc, nil) {
			t.Error("a step under way is no news for a mail")
		}
		d.step(responsehub.Lock, responsehub.Done, "")
		if !d.f.Wake(d.inc, nil) {
			t.Error("the lock is news")
		}
		d.work(time.Second) // at once: the last mail is old
		time.Sleep(10 * time.Second)
		d.step(responsehub.Persistence, responsehub.NeedsHuman, "Two rules have to be judged.")
		d.inc.Acknowledged = &responsehub.Acknowledgement{By: responsehub.By{Name: "Ann"}, At: time.Now()}
		begin := time.Now()
		d.work(2 * time.Minute) // merged: the last mail is young
		if waited := time.Since(begin); waited < 50*time.Second || waited > 55*time.Second {
			t.Errorf("the merged mail left after %s, want 50 s: a minute after the last", waited)
		}
		time.Sleep(time.Hour)
		d.step(responsehub.Persistence, responsehub.Done, "")
		d.inc.State = responsehub.Remediated
		d.work(time.Second)
		d.work(time.Second)
		want := []string{
			"soc@example.com [RH | A new incident. Response is off for this tenant: nothing runs by itself, somebody has to act.",
			"soc@example.com Re: | The account is locked and its sessions are revoked; this was read back.",
			"soc@example.com Re: | A person is needed: Disable persistence. Two rules have to be judged. Ann answered at 2000-01-01 00:05:12 UTC.",
			"soc@example.com Re: | The incident is closed as remediated.",
		}
		if diff := cmp.Diff(want, d.told()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		ids := map[string]bool{}
		root := d.post.mails[0].MessageID
		for i, l := range d.post.mails {
			if ids[l.MessageID] || !strings.HasSuffix(l.MessageID, "@msp.example") || l.ListID != "incidents.responsehub.msp.example" {
				t.Errorf("mail %d: id %s, list %s", i, l.MessageID, l.ListID)
			}
			ids[l.MessageID] = true
			if i == 0 && len(l.References) != 0 || i > 0 && (l.References[0] != root || l.References[len(l.References)-1] != d.post.mails[i-1].MessageID) {
				t.Errorf("mail %d answers %q", i, l.References)
			}
		}
		if ref := d.inc.Mails["soc@example.com"]; ref.Sent != 4 || ref.MessageID != root || ref.Next != "" {
			t.Errorf("kept %+v", ref)
		}
		if len(d.events) != 4 || d.events[3] != "notice.sent Mail to soc@example.com: closed" {
			t.Errorf("events %q", d.events)
		}
	})
}

// TestKilled: the hub dies after the server took the mail and before it was noted. The
// mail goes out again with the same id and the same news, though there is more by then;
// what is more comes in the next one.
func TestKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, contoso, "soc@example.com")
		d.died = func() bool { return true }
		d.work(time.Second)
		d.died = nil
		d.step(responsehub.Lock, responsehub.Done, "")
		d.work(2 * time.Minute)
		if len(d.post.mails) != 3 {
			t.Fatalf("%d mails, want the first, its repetition and the next", len(d.post.mails))
		}
		first, again, next := d.post.mails[0], d.post.mails[1], d.post.mails[2]
		if first.MessageID != again.MessageID || first.Subject != again.Subject || strings.Contains(again.Text, "sessions are revoked; this was read back") {
			t.Errorf("the repetition is another mail: %s and %s\n%s", first.MessageID, again.MessageID, again.Text)
		}
		if next.MessageID == first.MessageID || !strings.Contains(next.Text, "read back") {
			t.Errorf("the news is not in a mail of its own:\n%s", next.Text)
		}
	})
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, contoso, "gone@example.com", "soc@example.com", "no address")
		d.post.refuse("gone@example.com", responsehub.Permanent, "The mail server refuses the address (550 User unknown).")
		d.post.refuse("soc@example.com", responsehub.Unavailable, "The mail server asks to try again later (451).")
		begin := time.Now()
		d.work(time.Minute)
		want := []string{
			"notice.failed Mail to gone@example.com failed: The mail server refuses the address (550 User unknown).",
			"notice.failed Mail to no address failed: " + badAddress,
			"notice.failed Mail to soc@example.com failed: The mail server asks to try again later (451).",
		}
		slices.Sort(d.events)
		d.events = slices.DeleteFunc(d.events, func(s string) bool { return strings.Contains(s, "boss@") })
		if diff := cmp.Diff(want, d.events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if ref := d.inc.Mails["gone@example.com"]; ref.Failure == "" || ref.Sent != 0 || ref.Next != "" {
			t.Errorf("the refusal is not on the incident: %+v", ref)
		}
		if len(d.post.mails) == 0 || d.post.mails[0].To != "boss@msp.example" {
			t.Errorf("no mail of the tenant gets out and the fallback was told %q", d.told())
		}
		time.Sleep(30 * time.Minute)
		d.post.refuse("soc@example.com", "", "")
		d.work(time.Hour)
		if ref := d.inc.Mails["soc@example.com"]; ref.Failure != "" || ref.Sent != 1 {
			t.Errorf("the mail did not get out when the server was back: %+v after %s", ref, time.Since(begin))
		}
		d.step(responsehub.Lock, responsehub.Done, "")
		tries := len(d.post.mails)
		d.work(time.Hour)
		if len(d.post.mails) != tries+2 {
			t.Errorf("%d more mails, want one each to soc and the boss", len(d.post.mails)-tries)
		}
	})
}

// TestPatience: a server that is away for days is given up, and people see it.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, contoso, "soc@example.com")
		d.post.refuse("soc@example.com", responsehub.Unavailable, "The mail server cannot be reached.")
		d.post.refuse("boss@msp.example", responsehub.Unavailable, "The mail server cannot be reached.")
		begin := time.Now()
		for range 20 {
			d.work(time.Hour)
			if ref := d.inc.Mails["soc@example.com"]; ref.Next == "" {
				break
			}
		}
		if took := time.Since(begin); took < 48*time.Hour || took > 49*time.Hour {
			t.Errorf("given up after %s, want two days", took)
		}
		if ref := d.inc.Mails["soc@example.com"]; !strings.HasPrefix(ref.Failure, gaveUp) {
			t.Errorf("kept %+v", ref)
		}
	})
}

// TestFallback: somebody is written to about a tenant that nobody knows, and when nobody
// answers the phone; and they are told how it ends.
func TestFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unknown := open(t, responsehub.Tenant{MicrosoftTenantID: "22222222-2222-4222-8222-222222222222"})
		unknown.work(time.Second)
		if got := unknown.told(); len(got) != 1 || !strings.Contains(got[0], "boss@msp.example") || !strings.Contains(got[0], "does not know") {
			t.Errorf("told %q", got)
		}
		d := open(t, contoso, "soc@example.com")
		d.work(time.Second)
		if len(d.post.mails) != 1 {
			t.Fatalf("told %q", d.told())
		}
		d.inc.Page = &responsehub.Page{State: responsehub.PageExhausted}
		d.work(2 * time.Minute)
		d.inc.Acknowledged = &responsehub.Acknowledgement{By: responsehub.By{Name: "Ann"}, At: time.Now()}
		d.inc.Page.State = responsehub.PageAcknowledged
		time.Sleep(time.Hour)
		d.work(2 * time.Minute)
		var boss []string
		for _, s := range d.told() {
			if strings.HasPrefix(s, "boss") {
				boss = append(boss, s)
			}
		}
		if len(boss) != 2 || !strings.Contains(boss[0], "Nobody answered the phone") || !strings.Contains(boss[1], "Ann answered") {
			t.Errorf("the fallback was told %q", boss)
		}
	})
}

func TestNobodyToTell(t *testing.T) {
	d := open(t, contoso)
	if d.f.Wake(d.inc, nil) {
		t.Error("a tenant without addresses wakes the lane")
	}
	twice := open(t, contoso, "SOC@example.com", "soc@example.com", "SOC <soc@example.com>")
	if got := twice.f.recipients(twice.inc); len(got) != 1 {
		t.Errorf("one person is written to as %q", got)
	}
}
