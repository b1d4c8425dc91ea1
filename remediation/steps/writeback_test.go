package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/remediation/remediationtest"
)

// domain is an on-premises AD behind Microsoft's writeback.
type domain struct {
	passwords []responsehub.Secret // that it took
	takes     int                  // readings of an operation that still show it running
	asked     int
	refuse    map[int]error // by the number of the reset: refused at once
	end       map[int]error // by the number of the reset: what it ends with
	reads     map[string]int
	meant     map[string]responsehub.Secret
}

func newDomain() *domain {
	return &domain{refuse: map[int]error{}, end: map[int]error{}, reads: map[string]int{}, meant: map[string]responsehub.Secret{}}
}

func (d *domain) Reset(_ context.Context, _, _ string, p responsehub.Secret) (string, Receipt, error) {
	d.asked++
	if err := d.refuse[d.asked]; err != nil {
		return "", Receipt{}, err
	}
	op := "https://graph.example/op/" + strings.Repeat("i", d.asked)
	d.meant[op] = p
	return op, Receipt{RequestID: "req-reset"}, nil
}

func (d *domain) Follow(_ context.Context, _, op string) (bool, Receipt, error) {
	if d.reads[op]++; d.reads[op] <= d.takes {
		return false, Receipt{}, nil
	}
	if err := d.end[len(op)-len("https://graph.example/op/")]; err != nil {
		return false, Receipt{}, err
	}
	if n := len(d.passwords); n == 0 || d.passwords[n-1] != d.meant[op] {
		d.passwords = append(d.passwords, d.meant[op])
	}
	return true, Receipt{RequestID: "req-op"}, nil
}

func TestWriteback(t *testing.T) {
	policy := &responsehub.Error{Kind: responsehub.Invalid, Message: "The password policy of on-premises AD refused the password."}
	down := &responsehub.Error{Kind: responsehub.Permanent, Message: "Microsoft could not write the password back."}
	nobody := &responsehub.Error{Kind: responsehub.Refused, Message: "Nobody has signed in. Run: responsehub tenant sign-in."}
	busy := &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft Graph has a fault."}
	for _, c := range []struct {
		name  string
		set   func(*domain)
		want  responsehub.StepState
		says  string
		asked int
	}{
		{"both succeed", func(*domain) {}, responsehub.Done, "written back to on-premises AD twice", 2},
		{"it takes a while", func(d *domain) { d.takes = 12 }, responsehub.Done, "twice", 2},
		{"the cloud refuses one", func(d *domain) { d.refuse[1] = policy }, responsehub.Done, "twice", 3},
		{"AD refuses the second", func(d *domain) { d.end[2] = policy }, responsehub.Done, "twice", 3},
		{"AD refuses all", func(d *domain) { d.end[1], d.end[2], d.end[3] = policy, policy, policy }, responsehub.Failed, "tried 3 passwords", 3},
		{"no agent answers", func(d *domain) { d.end[1] = down }, responsehub.NeedsHuman, "could not write the password back", 1},
		{"nobody signed in", func(d *domain) { d.refuse[1] = nobody }, responsehub.NeedsHuman, "responsehub tenant sign-in", 1},
		{"a fault that passes", func(d *domain) { d.refuse[1] = busy }, responsehub.Done, "twice", 3},
		{"it does not end", func(d *domain) { d.takes = 100_000 }, responsehub.NeedsHuman, "within ten minutes", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, ad := newWorld(), newDomain()
				w.account.Synced = true
				c.set(ad)
				b, l := ready(t, w), lane(t, w)
				l.Writeback, l.Mode = ad, func(string) responsehub.PasswordMode { return responsehub.PasswordWriteback }
				b.Incident.AddTodo(TodoReset, "twice")
				revoked := w.revoked
				b.Ask(t, responsehub.Password, responsehub.StepRequest{})
				for n := 0; b.Incident.Step(responsehub.Password).State.Busy() && n < 1000; n++ {
					b.Run(t, l, 1)
				}
				s := check(t, b.Incident, responsehub.Password, c.want)
				said := s.Reason
				if s.Proof != nil {
					said = s.Proof.Value
				}
				if !strings.Contains(said, c.says) || ad.asked != c.asked {
					t.Errorf("%q after %d resets", said, ad.asked)
				}
				if len(w.passwords) != 0 {
					t.Error("a password was set in the cloud")
				}
				sealed, kept := b.Incident.Sealed[remediation.SealedPassword]
				if c.want != responsehub.Done {
					if kept {
						t.Error("a password is shown that nobody has")
					}
					return
				}
				last := ad.passwords[len(ad.passwords)-1]
				got, err := l.Vault.Open(sealed.Box, remediation.BoundTo(b.Incident.ID, remediation.SealedPassword))
				if err != nil || got != last || len(ad.passwords) != 2 || ad.passwords[0] == last || sealed.For != remediationtest.Ann.ID {
					t.Errorf("%v: %d passwords in AD; the sealed one is the last: %v; for %q", err, len(ad.passwords), got == last, sealed.For)
				}
				if left := time.Until(sealed.Expires); left > remediation.PasswordLife {
					t.Errorf("it can be read for %s", left)
				}
				if !b.Incident.Todo(TodoReset).Done() || w.revoked == revoked {
					t.Error("the to-do is open, or the sessions live on")
				}
				stored, _ := json.Marshal(b.Incident)
				events, _ := json.Marshal(b.Events)
				for _, p := range ad.meant {
					if bytes.Contains(stored, []byte(p)) || bytes.Contains(events, []byte(p)) {
						t.Error("a password stands in the record in the clear")
					}
				}
			})
		})
	}
}

// TestWritebackKilled: killed at any write, the hub ends with the sealed password in AD,
// and follows a reset that it had saved instead of asking for another.
func TestWritebackKilled(t *testing.T) {
	for kill := 1; kill <= 5; kill++ {
		synctest.Test(t, func(t *testing.T) {
			w, ad := newWorld(), newDomain()
			w.account.Synced = true
			b, l := ready(t, w), lane(t, w)
			l.Writeback, l.Mode = ad, func(string) responsehub.PasswordMode { return responsehub.PasswordWriteback }
			b.Ask(t, responsehub.Password, responsehub.StepRequest{})
			b.KillAt = b.Saves + kill
			for range 3 {
				b.Run(t, l, 1)
			}
			b.KillAt = 0
			for b.Incident.Step(responsehub.Password).State.Busy() {
				b.Run(t, l, 1)
			}
			check(t, b.Incident, responsehub.Password, responsehub.Done)
			got, err := l.Vault.Open(b.Incident.Sealed[remediation.SealedPassword].Box, remediation.BoundTo(b.Incident.ID, remediation.SealedPassword))
			if err != nil || got != ad.passwords[len(ad.passwords)-1] || ad.asked > writebacks+1 {
				t.Errorf("killed at write %d: %v, %d resets", kill, err, ad.asked)
			}
		})
	}
}
