package preflight

import (
	"context"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// TestSignIn: a tenant whose passwords are written back needs somebody who signed in and
// still may; any other needs nobody.
func TestSignIn(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	as := func(roles ...string) func(context.Context, string) (SignIn, error) {
		return func(context.Context, string) (SignIn, error) {
			return SignIn{Who: "ann@contoso.example", At: at, Rights: Rights{Known: true, Roles: roles}}, nil
		}
	}
	fails := func(kind responsehub.Kind) func(context.Context, string) (SignIn, error) {
		return func(context.Context, string) (SignIn, error) { return SignIn{}, refused(kind) }
	}
	for _, c := range []struct {
		name   string
		mode   responsehub.PasswordMode
		signIn func(context.Context, string) (SignIn, error)
		grade  responsehub.Grade
		says   string
	}{
		{"another mode", responsehub.PasswordCloud, fails(responsehub.Refused), "", ""},
		{"it stands", responsehub.PasswordWriteback, as(authenticationAdministrator), responsehub.CheckOK, "ann@contoso.example signed in on 2026-11-20, and Microsoft still takes it. Accounts of administrators would need"},
		{"it stands for all", responsehub.PasswordWriteback, as(privilegedAdministrator), responsehub.CheckOK, "still takes it."},
		{"without the role", responsehub.PasswordWriteback, as("Exchange Administrator"), responsehub.CheckMissing, "lacks the role Authentication Administrator"},
		{"nobody signed in", responsehub.PasswordWriteback, fails(responsehub.Refused), responsehub.CheckMissing, "No."},
		{"it is over", responsehub.PasswordWriteback, fails(responsehub.Forbidden), responsehub.CheckMissing, "No."},
		{"Microsoft is away", responsehub.PasswordWriteback, fails(responsehub.Unavailable), responsehub.CheckUnknown, "No."},
		{"not asked", responsehub.PasswordWriteback, nil, responsehub.CheckUnknown, "cannot look"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tenant := contoso()
			tenant.PasswordMode = c.mode
			p := New(Config{Microsoft: full(), Directory: directory{}, SignIn: c.signIn})
			r, err := p.Run(t.Context(), tenant)
			if err != nil {
				t.Fatal(err)
			}
			var got responsehub.Check
			for _, k := range r.Checks {
				if k.Name == "delegated sign-in" {
					got = k
				}
			}
			if got.Grade != c.grade || !strings.Contains(got.Sentence, c.says) {
				t.Errorf("%s %q", got.Grade, got.Sentence)
			}
			if (got.Grade == responsehub.CheckMissing) != (got.Step != "") {
				t.Errorf("at the step: %q", got.Step)
			}
		})
	}
}
