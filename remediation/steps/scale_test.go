package steps

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

// lured is an alert with a phish that is known by its message id and by its looks.
func lured() (*responsehub.Alert, responsehub.Phish) {
	a := alert()
	now := time.Now().UTC().Truncate(time.Second)
	p := responsehub.Phish{InternetMessageID: "<phish@x>", Sender: "pat@contoso.example", Subject: "Invoice", ReceivedAfter: now.Add(-time.Hour), ReceivedBefore: now}
	a.Phish = []responsehub.Phish{p}
	return a, p
}

// populate gives one in a hundred mailboxes a copy, some more a copy with an id of its
// own, and many others honest mail that only looks alike.
func populate(b *bigTenant, p responsehub.Phish) (phish int) {
	in := p.ReceivedAfter.Add(time.Minute)
	for n := range b.boxes {
		switch {
		case n%100 == 7:
			b.deliver(n, "same", p.InternetMessageID, p.Sender, p.Subject, in)
			phish++
		case n%500 == 9:
			b.deliver(n, "alone", fmt.Sprintf("<%d@x>", n), p.Sender, p.Subject, in)
			phish++
		case n%100 == 11:
			b.deliver(n, "other sender", "<o@x>", "kim@contoso.example", p.Subject, in)
			b.deliver(n, "other subject", "<s@x>", p.Sender, "Lunch", in)
			b.deliver(n, "outside the window", "<w@x>", p.Sender, p.Subject, p.ReceivedAfter.Add(-time.Hour))
		}
	}
	for i := range 30 { // more than may be asked for at once
		b.deliver(3, fmt.Sprint("one of many ", i), p.InternetMessageID, p.Sender, p.Subject, in)
		phish++
	}
	return phish
}

func TestRetractFromTenThousand(t *testing.T) {
	for _, c := range []struct {
		name  string
		trace bool
		every int64
		kills []int
		most  time.Duration // of the last turn
	}{
		{name: "everybody is looked at", most: 40 * time.Second},
		{name: "one in fifty is throttled", every: 50, most: 60 * time.Second},
		{name: "the trace says who", trace: true, most: 10 * time.Second},
		{name: "the trace says who, throttled and killed", trace: true, every: 50, kills: []int{2, 3, 4, 6, 9}, most: 30 * time.Second},
		{name: "killed early", kills: []int{2, 3, 4, 5}, every: 50, most: 70 * time.Second},
		{name: "killed late and often", kills: []int{20, 60, 97, 110, 150}, every: 50, most: 60 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, p := lured()
				w := newBigTenant(10_000, 150*time.Millisecond)
				w.every = c.every
				if !c.trace {
					w.traceErr = forbidden()
				}
				phish := populate(w, p)
				b := remediationtest.New(a, true)
				r := &Retract{Mail: w, Letters: b.Letters()}
				for _, kill := range c.kills {
					b.KillAt = b.Saves + kill
					b.Run(t, r, 5)
				}
				b.KillAt = 0
				begin := time.Now()
				b.Run(t, r, 20)
				s := check(t, b.Incident, responsehub.Retract, responsehub.Done)
				if took := time.Since(begin); took > c.most {
					t.Errorf("it took %s, want at most %s", took, c.most)
				}
				if bad := w.wrong(p); len(bad) > 0 {
					t.Errorf("%d wrong, the first: %s", len(bad), bad[0])
				}
				if w.mostBox > 4 || w.most > 64+1 { // Microsoft's limit, ours, and the list of mailboxes
					t.Errorf("%d at once at one mailbox, %d in all", w.mostBox, w.most)
				}
				if pr := *s.Progress; pr.Found != phish || pr.Moved != phish || !c.trace && (pr.Searched != 10_000 || pr.Mailboxes != 10_000) {
					t.Errorf("of %d phish the incident says %+v", phish, pr)
				}
				if n := len(b.Letters().All()); n != phish || len(s.Items) != min(phish, maxSample) {
					t.Errorf("%d letters are kept, %d shown, of %d", n, len(s.Items), phish)
				}
				events := 0
				for _, e := range b.Events {
					if e.Kind == responsehub.EventProgress {
						events++
					}
				}
				if events > 20+5*len(c.kills) {
					t.Errorf("the record has %d entries of progress", events)
				}
				if c.trace && len(w.found) > phish+1 {
					t.Errorf("%d mailboxes were searched though the trace names fewer", len(w.found))
				}
				if want := "Message trace is not available here"; !c.trace && !strings.Contains(s.Note, want) {
					t.Errorf("the step says %q, want %q in it", s.Note, want)
				}
				if c.most > 0 && !strings.Contains(s.Note, "by message id") {
					t.Errorf("the step does not say by what it matched: %q", s.Note)
				}
			})
		})
	}
}

// A search that was killed goes on near where it was.
func TestRetractGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := lured()
		w := newBigTenant(5_000, 150*time.Millisecond)
		w.traceErr = forbidden()
		populate(w, p)
		b := remediationtest.New(a, true)
		r := &Retract{Mail: w, Letters: b.Letters()}
		b.KillAt = 80
		b.Run(t, r, 1)
		before := len(w.found)
		clear(w.found)
		b.Run(t, r, 5)
		check(t, b.Incident, responsehub.Retract, responsehub.Done)
		// What was searched in the second before the kill is searched again.
		if again := len(w.found); before < 1000 || again > 5_000-before+width*9+2*width {
			t.Errorf("%d mailboxes were searched before the kill and %d after it", before, again)
		}
	})
}

func TestRetractPreview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := lured()
		w := newBigTenant(500, 10*time.Millisecond)
		phish := populate(w, p)
		b := remediationtest.New(a, false)
		b.Ask(t, responsehub.Publish, responsehub.StepRequest{})
		b.Ask(t, responsehub.Retract, responsehub.StepRequest{Preview: true})
		r := &Retract{Mail: w, Letters: b.Letters()}
		b.Run(t, r, 5)
		s := check(t, b.Incident, responsehub.Retract, responsehub.NeedsHuman)
		if want := fmt.Sprintf("%d messages in 7 mailboxes match (%d by message id, 1 by sender, subject and time). Ask again to move them.", phish, phish-1); s.Reason != want {
			t.Errorf("it says %q, want %q", s.Reason, want)
		}
		if len(w.moves) != 0 {
			t.Fatalf("a preview moved %d messages", len(w.moves))
		}
		b.Ask(t, responsehub.Retract, responsehub.StepRequest{})
		b.Run(t, r, 5)
		check(t, b.Incident, responsehub.Retract, responsehub.Done)
		if bad := w.wrong(p); len(bad) > 0 {
			t.Errorf("%v", bad)
		}
	})
}

// What the trace does not know yet is found by whoever searches everywhere; the victim's
// own copy stays.
func TestRetractEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := lured()
		w := newBigTenant(400, 10*time.Millisecond)
		w.late = map[string]bool{boxID(107): true}
		populate(w, p)
		a.Account.ObjectID = boxID(200)
		w.deliver(200, "own", p.InternetMessageID, p.Sender, p.Subject, p.ReceivedAfter)
		w.letters[boxID(200)][0].Folder = "sent-" + boxID(200)
		b := remediationtest.New(a, true)
		r := &Retract{Mail: w, Letters: b.Letters()}
		b.Run(t, r, 5)
		s := check(t, b.Incident, responsehub.Retract, responsehub.Done)
		if bad := w.wrong(p); len(bad) != 1 || s.Progress.Kept != 1 {
			t.Errorf("one copy is not in the trace and one is kept: %v, %+v", bad, *s.Progress)
		}
		b.Ask(t, responsehub.Retract, responsehub.StepRequest{Everywhere: true})
		b.Run(t, r, 5)
		s = check(t, b.Incident, responsehub.Retract, responsehub.Done)
		if bad := w.wrong(p); len(bad) != 0 || s.Progress.Kept != 1 || s.Progress.Searched != 400 {
			t.Errorf("%v, %+v", bad, *s.Progress)
		}
		for _, l := range b.Letters().All() {
			if l.State == responsehub.Skipped && !strings.Contains(l.Why, "kept as evidence") {
				t.Errorf("it is left, and nobody knows why: %q", l.Why)
			}
		}
	})
}

// frail is a tenant whose answers break the hub's own code now and then.
type frail struct {
	*bigTenant
	left int
}

func (f *frail) Sent(ctx context.Context, tenant, box string) (string, error) {
	if f.left--; f.left >= 0 {
		panic("a bad answer")
	}
	return f.bigTenant.Sent(ctx, tenant, box)
}

func TestRetractOutlivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := lured()
		w := &frail{newBigTenant(300, 10*time.Millisecond), 2}
		populate(w.bigTenant, p)
		a.Account.ObjectID = boxID(7)
		b := remediationtest.New(a, true)
		b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 1)
		if b.Last.Err == nil || !strings.Contains(b.Last.Err.Error(), "a bad answer") {
			t.Fatalf("the turn ended with %v", b.Last.Err)
		}
		b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 5)
		check(t, b.Incident, responsehub.Retract, responsehub.Done)
		if bad := w.wrong(p); len(bad) > 0 {
			t.Errorf("%v", bad)
		}
	})
}

// dark is a tenant of which no mailbox answers.
type dark struct{ *bigTenant }

func (d dark) Find(ctx context.Context, _, box string, _ responsehub.Phish) ([]Letter, error) {
	d.calls.Add(1)
	return nil, &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft Graph has a fault."}
}

// When nothing answers, not every mailbox is asked to find that out.
func TestRetractStopsWhenNothingAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := lured()
		w := newBigTenant(10_000, time.Millisecond)
		w.traceErr = forbidden()
		populate(w, p)
		b := remediationtest.New(a, true)
		b.Run(t, &Retract{Mail: dark{w}, Letters: b.Letters()}, 1)
		if n := w.calls.Load(); n > 5000 {
			t.Errorf("%d requests were made to a Microsoft that is down", n)
		}
		s := check(t, b.Incident, responsehub.Retract, responsehub.Running)
		if !strings.Contains(s.Reason, "has a fault") {
			t.Errorf("the step says %q", s.Reason)
		}
		b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 3)
		check(t, b.Incident, responsehub.Retract, responsehub.Done)
		if bad := w.wrong(p); len(bad) > 0 {
			t.Errorf("%d wrong, the first: %s", len(bad), bad[0])
		}
	})
}

// A mailbox that never answers does not keep the others waiting, and is named at last.
func TestRetractLeavesTheSilentOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := mailWorld(30)
		for range 1000 {
			w.fail["find m4"] = append(w.fail["find m4"], &responsehub.Error{Kind: responsehub.Unavailable, Message: "It has a fault."})
		}
		b := remediationtest.New(alert(), true)
		b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 1)
		if n := b.Incident.Step(responsehub.Retract).Progress; n.Moved != 29 {
			t.Errorf("after one turn %+v", *n)
		}
		b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 40)
		s := check(t, b.Incident, responsehub.Retract, responsehub.Partial)
		if !strings.Contains(s.Reason, "m4@contoso.example") || len(s.Unread) != 1 {
			t.Errorf("reason is %q, unread %q", s.Reason, s.Unread)
		}
		if n := w.counts("find m5"); n != 1 {
			t.Errorf("another mailbox was searched %d times", n)
		}
	})
}
