package steps

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
)

func rehearsal(w *world) *Rehearsal {
	return &Rehearsal{Directory: w, Mail: w, Persistence: persistence(w), Account: &AccountLane{Directory: w}}
}

func lure(phish ...responsehub.Phish) *responsehub.Incident {
	alert := &responsehub.Alert{
		DetectedAt: time.Now(), Account: responsehub.Account{ObjectID: "u1", UserPrincipalName: "pat@contoso.example"}, Phish: phish,
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r1", Name: "."}},
	}
	return responsehub.NewIncident("i1", "RH-7K2M", time.Now(), "petra", alert, responsehub.TenantRef{ID: "t1", Name: "Contoso", MicrosoftTenantID: "m1"}, false)
}

// TestRehearsalOnlyReads: of a tenant with more mailboxes than are looked into, without a
// trace, the plan says so, and no call has an effect.
func TestRehearsalOnlyReads(t *testing.T) {
	w := mailWorld(300)
	w.pageSize = 90
	w.footholds["r1"] = &foothold{kind: responsehub.InboxRule, name: ".", active: true, guard: "Outlook's own."}
	inc := lure(responsehub.Phish{InternetMessageID: "<1@evil.example>"})
	before := len(inc.Step(responsehub.Persistence).Items)
	plan, err := rehearsal(w).Plan(t.Context(), inc, func(id responsehub.StepID) string {
		if id == responsehub.Retract {
			return "It lacks Mail.ReadWrite."
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	s := plan.Steps[responsehub.Retract.Number()-1]
	if s.LookedAt != rehearseMost || !s.Bounded || s.Mailboxes != 300 {
		t.Errorf("looked into %d of %d mailboxes, bounded %t", s.LookedAt, s.Mailboxes, s.Bounded)
	}
	if !slices.Equal(s.Stops, []string{"It lacks Mail.ReadWrite."}) || !strings.Contains(strings.Join(s.Would, " "), "looks into 200 at most") {
		t.Errorf("stops %q, would %q", s.Stops, s.Would)
	}
	if items := plan.Steps[responsehub.Persistence.Number()-1].Items; len(items) != 1 || items[0].Would != "left to a person" || items[0].Why != "Outlook's own." {
		t.Errorf("items: %+v", items)
	}
	for _, c := range w.calls {
		for _, effect := range []string{"enabled=", "revoke", "move", "group", "password", "neutralise", "disable", "restore"} {
			if strings.HasPrefix(c, effect) {
				t.Errorf("the rehearsal called %s", c)
			}
		}
	}
	if len(w.moves) > 0 || w.revoked > 0 || w.footholds["r1"].changes > 0 || len(w.passwords) > 0 || !w.account.Enabled {
		t.Errorf("the rehearsal had an effect: %v", w.calls)
	}
	if inc.Step(responsehub.Persistence).State != responsehub.Waiting || len(inc.Step(responsehub.Persistence).Items) != before || len(inc.Todos) > 0 {
		t.Error("the rehearsal changed the incident")
	}
}

type roles []string

func (r roles) Roles(context.Context, string, string) ([]string, error) { return r, nil }

// TestRehearsalOfAccounts: what stands in the way depends on the account.
func TestRehearsalOfAccounts(t *testing.T) {
	for _, tc := range []struct {
		name string
		acct func(*Account)
		held roles
		step responsehub.StepID
		stop string // a part of what stops the step; "" for nothing
		says string // a part of what it would do
	}{
		{name: "cloud", step: responsehub.Lock, says: "Revoke all sessions"},
		{name: "blocked before", acct: func(a *Account) { a.Enabled = false }, step: responsehub.Reenable, says: "it was before the lock"},
		{name: "an administrator", held: roles{"Global Administrator"}, step: responsehub.Lock, stop: "lacks the role Big in Contoso"},
		{name: "an administrator's password", held: roles{"Global Administrator"}, step: responsehub.Password, stop: "lacks the role Big"},
		{name: "restricted", acct: func(a *Account) { a.Restricted = true }, step: responsehub.Lock, stop: "role scoped to that unit"},
		{name: "synced", acct: func(a *Account) { a.Synced, a.SAM = true, "pat" }, step: responsehub.Lock, says: "Disable-ADAccount pat"},
		{name: "synced password", acct: func(a *Account) { a.Synced = true }, step: responsehub.Password, says: "by hand"},
		{name: "guest", acct: func(a *Account) { a.Guest = true }, step: responsehub.Password, says: "home tenant"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			if tc.acct != nil {
				tc.acct(&w.account)
			}
			r := rehearsal(w)
			r.Roles = tc.held
			r.NeedsRole = func(context.Context, string, []string) (string, error) { return "Big", nil }
			plan, err := r.Plan(t.Context(), lure(), nil)
			if err != nil {
				t.Fatal(err)
			}
			s := plan.Steps[tc.step.Number()-1]
			if stops := strings.Join(s.Stops, " "); tc.stop == "" && stops != "" || !strings.Contains(stops, tc.stop) {
				t.Errorf("stops %q, want %q", stops, tc.stop)
			}
			if would := strings.Join(s.Would, " "); !strings.Contains(would, tc.says) {
				t.Errorf("would %q, want %q", would, tc.says)
			}
		})
	}
}

// TestRehearsalWithoutAccount: nobody there is no empty plan.
func TestRehearsalWithoutAccount(t *testing.T) {
	w := newWorld()
	w.fail["account"] = []error{&responsehub.Error{Kind: responsehub.NotFound, Message: "It does not exist."}}
	plan, err := rehearsal(w).Plan(t.Context(), lure(), nil)
	if err != nil || !strings.Contains(strings.Join(plan.Found, " "), "It does not exist.") || len(plan.Steps[0].Stops) == 0 || len(plan.Steps[0].Would) > 0 {
		t.Errorf("%v: %+v", err, plan)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := rehearsal(newWorld()).Plan(ctx, lure(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a rehearsal that was broken off: %v", err)
	}
}
