package e2e

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
	"responsehub/app"
	"responsehub/config"
	"responsehub/sim"
	"responsehub/sim/tenant"
)

// lookedAt runs a tenant's preflight by the API.
func (s *stage) lookedAt(t *tenant.Tenant) api.Readiness {
	s.Helper()
	var r api.Readiness
	got := s.api(http.MethodPost, "/v1/tenants/"+t.ID+"/preflight", nil)
	if got.status != http.StatusOK {
		s.Fatalf("preflight of %s: %s", t.Name, got)
	}
	got.decode(s, &r)
	return r
}

// onlyRead checks that nothing but reads went out to Microsoft, and nothing happened there.
func (s *stage) onlyRead() {
	s.Helper()
	microsofts := func(vendor string) bool { return vendor == "graph" || vendor == "exchange" } // not tickets and phones
	for _, e := range s.world.Wire.Effects() {
		if microsofts(e.Vendor) {
			s.Errorf("looking had an effect: %+v", e)
		}
	}
	for _, q := range s.world.Wire.Requests() {
		switch {
		case !microsofts(q.Vendor), q.Method == http.MethodGet:
		case strings.HasSuffix(q.Path, "/InvokeCommand") && strings.HasPrefix(q.Header.Get("X-CmdletName"), "Get-"):
		default:
			s.Errorf("looking sent %s %s %s (%s)", q.Vendor, q.Method, q.Path, q.Header.Get("X-CmdletName"))
		}
	}
}

// TestPreflight: five customers, each lacking something else, and one who lacks nothing.
func TestPreflight(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{tenants: 6, noHub: true})
	of := func(n int) *tenant.Tenant { return s.scene(n).Tenant }
	of(1).RemoveRole(sim.HubClientID, "Mail.ReadWrite")
	of(2).RemoveRole(sim.HubClientID, tenant.ExchangeAdministrator)
	of(2).RemoveRole(sim.HubClientID, tenant.PrivilegedAuthAdmin)
	of(3).WithdrawConsent(sim.HubClientID)
	s.frozen(func() {
		of(4).NoExchange = true
		of(5).NoP1 = true
		of(4).ServicePrincipals = slices.DeleteFunc(of(4).ServicePrincipals, func(sp *tenant.ServicePrincipal) bool { return sp.AppID == tenant.ExchangeAppID })
		of(5).ServicePrincipals = slices.DeleteFunc(of(5).ServicePrincipals, func(sp *tenant.ServicePrincipal) bool { return sp.AppID == tenant.TraceAppID })
	})
	s.startHub()
	s.install()
	for _, tc := range []struct {
		n     int
		check string
		grade responsehub.Grade
		says  []string
		ready bool
	}{
		{0, "consent", responsehub.CheckOK, nil, true},
		{0, "message trace", responsehub.CheckOK, nil, true},
		{0, "role Exchange Administrator", responsehub.CheckOK, nil, true},
		{0, "directory sync", responsehub.CheckOK, nil, true},
		{1, "Mail.ReadWrite", responsehub.CheckMissing, []string{"no phishing mail", "/" + of(1).ID + "/v2.0/adminconsent?client_id=" + sim.HubClientID, url.QueryEscape("https://graph.microsoft.com/.default")}, false},
		{2, "role Exchange Administrator", responsehub.CheckMissing, []string{"Roles and administrators, Exchange Administrator", "hidden rules"}, false},
		{2, "role Privileged Authentication Administrator", responsehub.CheckWarning, []string{"accounts of administrators cannot be locked"}, false},
		{3, "consent", responsehub.CheckMissing, []string{"AADSTS", "adminconsent?"}, false},
		{4, "exchange", responsehub.CheckWarning, []string{"has no Exchange Online"}, true},
		{0, "sign-in log", responsehub.CheckOK, nil, true},
		{5, "sign-in log", responsehub.CheckWarning, []string{"Sessions that begin after a lock are not seen", "Entra ID P1"}, true},
		{5, "message trace", responsehub.CheckWarning, []string{"all mailboxes are searched instead", tenant.TraceAppID}, true},
	} {
		r := s.lookedAt(of(tc.n))
		i := slices.IndexFunc(r.Checks, func(c responsehub.Check) bool { return c.Name == tc.check })
		if i < 0 {
			t.Errorf("tenant %d: no check %q in %+v", tc.n, tc.check, r.Checks)
			continue
		}
		if c := r.Checks[i]; c.Grade != tc.grade || !hasAll(c.Sentence, tc.says) {
			t.Errorf("tenant %d, %s: %s %q, want %s with %q", tc.n, tc.check, c.Grade, c.Sentence, tc.grade, tc.says)
		}
		if r.Ready != tc.ready {
			t.Errorf("tenant %d: ready %t, want %t: %+v", tc.n, r.Ready, tc.ready, r.Checks)
		}
	}
	s.onlyRead()

	in := s.alert([]byte(strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(string(s.world.Alert("takeover")),
		of(0).ID, of(1).ID), s.scene(0).Victim.ID, s.scene(1).Victim.ID), s.scene(0).Victim.UPN, s.scene(1).Victim.UPN)))
	const lacks = "lacks Mail.ReadWrite in"
	s.until("the waiting step says what is missing", func() bool {
		return strings.Contains(stepOf(s.incident(in.Incident), responsehub.Retract).Lacks, lacks)
	})
	s.card(in.Ref, lacks)
}

// TestRehearsal: what would be done is told beforehand, and nothing is done.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{noHub: true})
	first := s.scene(0)
	first.Tenant.RemoveRole(sim.HubClientID, tenant.PrivilegedAuthAdmin)
	kept := first.Tenant.AddUser(tenant.Person{UPN: "vera@" + strings.SplitN(first.Victim.UPN, "@", 2)[1], Name: "Vera Restricted", Restricted: true})
	s.startHub()
	s.install()
	rehearse := func(user string) (p responsehub.Plan) {
		t.Helper()
		got := s.api(http.MethodPost, "/v1/tenants/"+first.Tenant.ID+"/rehearse", api.RehearseBody{User: user})
		if got.status != http.StatusOK {
			t.Fatalf("rehearse %s: %s", user, got)
		}
		got.decode(t, &p)
		return p
	}
	for _, tc := range []struct {
		user string
		says []string
	}{
		{first.Victim.UPN, []string{"sign-in is allowed", "Block sign-in of " + first.Victim.UPN, "Revoke all sessions", "users with a mail address would be searched", "set a new random password", "inbox_rule", "disabled"}},
		{first.Admin.UPN, []string{"It is an administrator's account: Global Administrator", "lacks the role Privileged Authentication Administrator"}},
		{first.Hybrid.UPN, []string{"comes from on-premises AD", "Disable-ADAccount", "reset there, twice, by hand"}},
		{kept.UPN, []string{"restricted management administrative unit", "role scoped to that unit"}},
		{first.Guest.ID, []string{"It is a guest", "no effect on a guest"}},
		{"nobody@nowhere.example", []string{"cannot be looked at", "does not exist"}},
	} {
		if got := string(encoded(t, rehearse(tc.user))); !hasAll(got, tc.says) {
			t.Errorf("rehearsal for %s: %s, want %q in it", tc.user, got, tc.says)
		}
	}

	// The second customer's Response is off: nothing runs, so that all of it is still there.
	second := s.scene(1)
	in := s.alert([]byte(strings.NewReplacer(first.Tenant.ID, second.Tenant.ID, first.Victim.ID, second.Victim.ID, first.Victim.UPN, second.Victim.UPN, first.PhishID, second.PhishID).Replace(string(s.world.Alert("takeover")))))
	var p responsehub.Plan
	s.api(http.MethodPost, "/v1/incidents/"+in.Ref+"/rehearse", nil).decode(t, &p)
	retract := p.Steps[responsehub.Retract.Number()-1]
	if p.Ref != in.Ref || retract.Messages != len(second.Receivers) || retract.LookedAt < len(second.Receivers) || len(retract.Stops) > 0 {
		t.Errorf("the incident's rehearsal finds %d messages in %d mailboxes, want %d: %+v", retract.Messages, retract.LookedAt, len(second.Receivers), p)
	}
	if items := p.Steps[responsehub.Persistence.Number()-1].Items; len(items) == 0 {
		t.Errorf("the incident's rehearsal finds no persistence: %+v", p)
	}
	s.onlyRead()
}

// TestDoctor tries the configuration out while no hub runs.
func TestDoctor(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{noHub: true})
	s.scene(1).Tenant.RemoveRole(sim.HubClientID, "User.RevokeSessions.All")
	cfg, _, err := config.Load(s.configFile())
	if err != nil {
		t.Fatal(err)
	}
	diagnose := func(name string) app.Diagnosis {
		t.Helper()
		d, err := app.Doctor(context.Background(), cfg, app.Options{Version: "e2e"}, app.Trial{Tenant: name})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	all := diagnose("")
	if len(all.Tenants) != 2 || all.Missing == 0 {
		t.Errorf("looked at %d tenants, %d missing", len(all.Tenants), all.Missing)
	}
	one := diagnose(s.scene(0).Tenant.ID)
	if len(one.Tenants) != 1 || one.Tenants[0].Missing() != 0 {
		t.Errorf("a tenant that lacks nothing: %+v", one.Tenants)
	}
	for _, want := range []string{"teams token", "teams keys", "source petra", "redis appendonly"} {
		if !slices.ContainsFunc(one.Hub, func(c responsehub.Check) bool { return c.Name == want }) {
			t.Errorf("the hub's checks lack %q: %+v", want, one.Hub)
		}
	}
	for _, c := range one.Hub {
		if strings.HasPrefix(c.Name, "teams ") && c.Grade != responsehub.CheckOK {
			t.Errorf("%s: %s %s", c.Name, c.Grade, c.Sentence)
		}
	}
	if _, err := app.Doctor(context.Background(), cfg, app.Options{}, app.Trial{Tenant: "nobody"}); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("a tenant that is not there: %v", err)
	}
	s.onlyRead()
}
