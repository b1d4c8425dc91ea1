package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/app"
	"responsehub/config"
	"responsehub/remediation"
	"responsehub/sim/tenant"
	"responsehub/store"
)

// signIn lets a person of the first customer sign in for it, as `responsehub tenant
// sign-in` does, on a hub's configuration of its own.
func (s *stage) signIn(as *tenant.User) app.SignedIn {
	s.Helper()
	cfg, _, err := config.Load(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	made, err := app.SignIn(ctx, cfg, app.Options{Version: "e2e"}, s.scene(0).Tenant.Name, func(_ responsehub.TenantRef, c responsehub.DeviceCode) {
		if err := s.world.Login.Approve(c.Code, as.UPN); err != nil {
			s.Error(err)
		}
	})
	if err != nil {
		s.Fatal(err)
	}
	return made
}

// TestWriteback: the account comes from Active Directory and the tenant's passwords are
// written back there. Nobody has signed in: preflight and step say what to run. Somebody
// without the role does, then somebody with it. AD's policy refuses a password; the hub
// makes another, resets twice, and shows the second one to Ann alone. When the sign-in is
// revoked, the step says so and what to run.
func TestWriteback(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{guards: func(*tenant.Scene) string { return "    password_mode: writeback\n" }})
	scene := s.scene(0)
	hal, before := scene.Hybrid, scene.Hybrid.Password()
	missing := func(says string) {
		t.Helper()
		for _, k := range s.lookedAt(scene.Tenant).Checks {
			if k.Name == "delegated sign-in" {
				if got := string(k.Grade) + ": " + k.Sentence; !strings.Contains(got, says) {
					t.Errorf("the preflight says %q, want %q", got, says)
				}
				return
			}
		}
		t.Error("the preflight does not look at the sign-in")
	}
	missing("missing: Nobody has signed in for this tenant")
	in := s.alert(s.world.Alert("hybrid"))
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.ask(in.Incident, responsehub.Persistence, api.StepBody{Skip: true, Reason: "nothing there"})
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.NeedsHuman)
	s.card(in.Ref, "responsehub tenant sign-in "+scene.Tenant.ID)

	if made := s.signIn(scene.Sam); !strings.Contains(made.Lacks, "lacks the role Authentication Administrator") {
		t.Errorf("Sam signed in: %+v", made)
	}
	missing("missing: " + scene.Sam.UPN + ", who signed in for the tenant, lacks the role")
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.until("the step names the role", func() bool {
		st := s.step(in.Incident, responsehub.Password)
		return st.State == responsehub.NeedsHuman && strings.Contains(st.Reason, "It takes the role Authentication Administrator")
	})

	if made := s.signIn(scene.Admin); made.Who != scene.Admin.UPN || made.Lacks != "" {
		t.Errorf("the administrator signed in: %+v", made)
	}
	missing("ok: " + scene.Admin.UPN + " signed in on ")
	scene.Tenant.SetWriteback(tenant.Writeback{Takes: 1500 * time.Millisecond, Refuse: 1})
	s.click("ann", in.Ref, "4 Reset password", nil)
	done := s.is(in.Incident, responsehub.Password, responsehub.Done)
	if !strings.Contains(done.Proof.Value, "written back to on-premises AD twice") {
		t.Errorf("the proof is %q", done.Proof.Value)
	}
	now := hal.Password()
	if n := s.count("password", hal.ID); n != 2 || now == before {
		t.Errorf("AD took %d passwords", n)
	}
	s.searchLogs("after the writeback", now)
	s.searchRedis("after the writeback", now)
	ann := s.click("ann", in.Ref, "Show password", nil)
	if !ann.Dialog || !strings.Contains(string(unescaped(ann.Card)), now) {
		t.Errorf("Ann got %q, want a dialog with the password that AD has", ann.Message)
	}
	s.recorded(in.Incident, responsehub.EventRetrying, "policy of on-premises AD refused the password")
	for _, todo := range s.incident(in.Incident).Todos {
		if todo.ID == "ad-reset" && !todo.Done {
			t.Error("the reset in AD is still to do")
		}
	}

	// The person's sessions are revoked: the next reset says so.
	s.frozen(func() { scene.Admin.SessionsValidFrom = time.Now().Add(time.Hour) })
	if r := s.ask(in.Incident, responsehub.Password, api.StepBody{Reason: "it was overheard"}); r.status != http.StatusAccepted {
		t.Fatalf("asked again: %s", r)
	}
	s.until("either the token in memory did, or the step says what to run", func() bool {
		return !s.step(in.Incident, responsehub.Password).State.Busy()
	})
	missing("AADSTS50173")
	tokens := s.refreshTokens()
	s.searchLogs("at the end", tokens...)
	s.searchRedis("at the end", tokens...)
}

// refreshTokens are those that the hub keeps, opened with its key.
func (s *stage) refreshTokens() (all []string) {
	s.Helper()
	cfg, _, err := config.Load(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	vault, err := remediation.NewVault(cfg.Secrets.Bytes())
	if err != nil {
		s.Fatal(err)
	}
	kept, ok, err := store.New(s.rdb).SignIn(s.Context(), s.scene(0).Tenant.ID)
	if err != nil || !ok {
		s.Fatalf("no sign-in is kept: %v", err)
	}
	token, err := vault.Open(kept.Box, "sign-in|"+kept.Tenant)
	if err != nil || len(token) < 20 {
		s.Fatalf("the sign-in that is kept does not open: %v", err)
	}
	return []string{string(token)}
}
