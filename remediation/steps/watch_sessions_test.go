package steps

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

// logged is a world with a log of sign-ins.
type logged struct {
	*world
	ins   []responsehub.Session
	fails []error
	read  int
	since time.Time
}

func (l *logged) SignIns(_ context.Context, _, _ string, since time.Time) ([]responsehub.Session, error) {
	l.read++
	l.since = since
	if len(l.fails) > 0 {
		err := l.fails[0]
		l.fails = l.fails[1:]
		return nil, err
	}
	return l.ins, nil
}

var noLog = &responsehub.Error{Kind: responsehub.Forbidden, Message: "The app lacks AuditLog.Read.All."}

// TestWatchSeesANewSession: the account is locked all the time, and somebody signed in
// after the revocation all the same: sessions are revoked again at once, once. Who signed
// in before it is out already.
func TestWatchSeesANewSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, false)
		from := b.Incident.Watch.Sessions
		l := &logged{world: w, ins: []responsehub.Session{{At: from.Add(-time.Second), App: "Teams"}, {At: from}}}
		f := &Watch{Directory: l}
		b.Run(t, f, 2)
		if w.revoked != 1 || len(b.Incident.Watch.Reversals) != 0 || !l.since.Equal(from) {
			t.Fatalf("revoked %d times, read since %s, want %s: %+v", w.revoked, l.since, from, b.Incident.Watch)
		}
		l.ins = append(l.ins, responsehub.Session{At: time.Now().Add(-time.Second), App: "Outlook", IP: "203.0.113.9"})
		b.Run(t, f, 1)
		r := b.Incident.Watch.Reversals
		if w.revoked != 2 || w.account.Enabled || len(r) != 1 || r[0].LockedAt.Sub(r[0].SeenAt) > time.Minute {
			t.Fatalf("revoked %d times: %+v", w.revoked, b.Incident.Watch)
		}
		if said := b.Incident.Watch.Sentence(); !strings.Contains(said, "A new session of ") || !strings.Contains(said, " (Outlook, 203.0.113.9) was seen at ") || !strings.Contains(said, "; locked again at ") {
			t.Errorf("the watch says %q", said)
		}
		b.Run(t, f, 3)
		if w.revoked != 2 || len(b.Incident.Watch.Reversals) != 1 {
			t.Errorf("the same session was ended again: revoked %d times", w.revoked)
		}
		check(t, b.Incident, responsehub.Lock, responsehub.Done)
	})
}

// TestWatchWithoutALog: what cannot be read is said once, the account is still looked at
// and locked again, and it is said when the log can be read again.
func TestWatchWithoutALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, false)
		l := &logged{world: w, fails: []error{noLog, noLog, noLog}}
		f := &Watch{Directory: l}
		b.Run(t, f, 3)
		said := b.Incident.Watch.Sentence()
		if b.Incident.Watch.Checks != 2 || !strings.Contains(said, "New sessions cannot be seen: The app lacks AuditLog.Read.All.") {
			t.Errorf("%d looks, the watch says %q", b.Incident.Watch.Checks, said)
		}
		if n := entries(b, responsehub.EventWatchChecked); n != 1 {
			t.Errorf("said %d times", n)
		}
		w.reverses()
		b.Run(t, f, 1)
		if w.account.Enabled || len(b.Incident.Watch.Reversals) != 1 {
			t.Errorf("not locked again: %+v", b.Incident.Watch)
		}
		b.Run(t, f, 2)
		if b.Incident.Watch.Unseen != "" || !strings.Contains(strings.Join(b.Texts(), "\n"), "The hub can look for new sessions again") {
			t.Errorf("unseen %q, the record says:\n%s", b.Incident.Watch.Unseen, strings.Join(b.Texts(), "\n"))
		}
	})
}

// TestWatchReadsTheLogTwice: a fault that passes is not said.
func TestWatchReadsTheLogTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, false)
		l := &logged{world: w, fails: []error{lost()}}
		b.Run(t, &Watch{Directory: l}, 2)
		if l.read != 2 || entries(b, responsehub.EventWatchChecked) != 0 || b.Incident.Watch.Checks != 1 {
			t.Errorf("read %d times, %+v", l.read, b.Incident.Watch)
		}
	})
}

// TestWatchCannotEndASession: a revocation that is refused is said at the step, and a
// locked account alone does not make it good.
func TestWatchCannotEndASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, false)
		l := &logged{world: w, ins: []responsehub.Session{{At: time.Now().Add(time.Second)}}}
		refused := &responsehub.Error{Kind: responsehub.Forbidden, Message: "The app lacks User.RevokeSessions.All."}
		w.fail["revoke"] = []error{refused, refused}
		f := &Watch{Directory: l}
		b.Run(t, f, 3)
		s := check(t, b.Incident, responsehub.Lock, responsehub.NeedsHuman)
		if !strings.Contains(s.Reason, "A new session of ") || !strings.Contains(s.Reason, "User.RevokeSessions.All") || w.revoked != 1 {
			t.Errorf("revoked %d times, the step says %q", w.revoked, s.Reason)
		}
		b.Run(t, f, 1)
		check(t, b.Incident, responsehub.Lock, responsehub.Done)
		if w.revoked != 2 || len(b.Incident.Watch.Reversals) != 1 {
			t.Errorf("revoked %d times, %+v", w.revoked, b.Incident.Watch)
		}
	})
}
