package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/tenant"
)

// rewritten is the alert of the takeover with other persistence.
func (s *stage) rewritten(persistence []any) []byte {
	s.Helper()
	var alert map[string]any
	if err := json.Unmarshal(s.world.Alert("takeover"), &alert); err != nil {
		s.Fatal(err)
	}
	delete(alert, "persistence")
	if len(persistence) > 0 {
		alert["persistence"] = persistence
	}
	return encoded(s, alert)
}

// TestHiddenPersistence: the detector names two things that must never be touched and
// nothing else; everything else the hub finds by itself, with Exchange at a second a
// call. A person removes by name what only people can judge.
func TestHiddenPersistence(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	scene := s.scene(0)
	victim, upn, tn := scene.Victim, scene.Victim.UPN, scene.Tenant
	scene.Date(scene.Started.Add(2 * time.Minute))
	victim.AddSweep(tenant.Sweep{Name: "Tidy", Sender: "bank@partner.example"})
	tn.AddTransportRule(tenant.TransportRule{Name: "Copy all", By: upn, More: map[string]any{"BlindCopyTo": []string{"drop@evil.example"}}})
	tn.AddTransportRule(tenant.TransportRule{Name: "Disclaimer", By: scene.Admin.UPN})
	tn.AddTransportRule(tenant.TransportRule{Name: "Old", By: scene.Admin.UPN, Changed: time.Now().AddDate(-1, 0, 0)})
	victim.Forward("smtp:drop@evil.example", false)
	victim.Delegate(scene.Sam.UPN, false)
	victim.Delegate(scene.Robin.UPN, true)
	victim.ShareInbox(scene.Sam.UPN, "Editor")
	payroll := tn.AddApplication(tenant.Application{DisplayName: "Payroll", Owners: []string{scene.Admin.ID}, Created: time.Now().AddDate(-1, 0, 0)})
	crm := tn.AddApplication(tenant.Application{DisplayName: "CRM", Owners: []string{scene.Admin.ID}, Created: time.Now().AddDate(-1, 0, 0)})
	for app, who := range map[string][2]*tenant.User{payroll.ID: {scene.Sam, victim}, crm.ID: {scene.Robin, scene.Admin}} {
		if err := tn.AddOwner(app, who[0], who[1]); err != nil {
			t.Fatal(err)
		}
	}
	erp := tn.AddApplication(tenant.Application{DisplayName: "ERP", Owners: []string{scene.Admin.ID}, Created: time.Now().AddDate(-1, 0, 0)})
	hr := tn.AddApplication(tenant.Application{DisplayName: "HR", Owners: []string{scene.Admin.ID}, Created: time.Now().AddDate(-1, 0, 0)})
	for app, who := range map[string]*tenant.User{erp.ID: victim, hr.ID: scene.Admin} {
		if err := tn.AddSecret(app, who); err != nil {
			t.Fatal(err)
		}
	}
	var graphSP *tenant.ServicePrincipal
	s.frozen(func() {
		victim.AutomaticRepliesStatus = "alwaysEnabled"
		graphSP = tenant.FindServicePrincipal(tn, tenant.GraphAppID)
	})
	s.world.Exchange.SetLatency(time.Second)
	start := time.Now()
	in := s.alert(s.rewritten([]any{
		map[string]any{"kind": "inbound_connector", "id": scene.HybridLink.GUID, "name": scene.HybridLink.Name},
		map[string]any{"kind": "service_principal", "id": graphSP.ID, "name": graphSP.DisplayName},
	}))
	lock := s.is(in.Incident, responsehub.Lock, responsehub.Done)
	locked := lock.VerifiedAt.Sub(start)
	st := s.is(in.Incident, responsehub.Persistence, responsehub.NeedsHuman)
	t.Logf("locked after %s, step 3 ended after %s", locked.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
	if locked > 5*time.Second {
		t.Errorf("the lock waited for the search: %s", locked)
	}

	state := map[string]responsehub.StepState{}
	for _, it := range st.Items {
		state[string(it.Kind)+" "+it.Name] = it.State
		if it.Why == "" || it.Kind.Effect() == "" {
			t.Errorf("%s has no why or no effect: %+v", it.Title(), it)
		}
	}
	for what, want := range map[string]responsehub.StepState{
		"inbox_rule .": responsehub.Done, "inbox_rule ..": responsehub.Done, "inbound_connector Relay": responsehub.Done,
		"app_registration Sync Helper": responsehub.Done, "app_registration Payroll": responsehub.Done, "app_registration ERP": responsehub.Done, "transport_rule Copy all": responsehub.Done,
		"transport_rule Disclaimer": responsehub.NeedsHuman, "sweep_rule Tidy": responsehub.NeedsHuman,
		"inbound_connector " + scene.HybridLink.Name: responsehub.NeedsHuman, "service_principal Microsoft Graph": responsehub.NeedsHuman,
		"forwarding drop@evil.example": responsehub.NeedsHuman, "delegate " + scene.Sam.UPN + " (FullAccess)": responsehub.NeedsHuman,
		"delegate " + scene.Robin.UPN + " (SendAs)": responsehub.NeedsHuman, "delegate " + scene.Sam.UPN + " (Inbox)": responsehub.NeedsHuman,
		"auto_reply " + upn: responsehub.NeedsHuman, "oauth_grant Mail Backup Pro": responsehub.NeedsHuman,
		"auth_method Authenticator app SM-G960F": responsehub.NeedsHuman, "device DESKTOP-EVIL": responsehub.NeedsHuman,
	} {
		if state[what] != want {
			t.Errorf("%s is %q, want %s", what, state[what], want)
		}
		delete(state, what)
	}
	if len(state) > 0 {
		t.Errorf("found as well: %v", state)
	}
	if it := s.item(in.Incident, responsehub.AppRegistration, "Payroll", responsehub.Done); it.MadeBy != upn || !strings.Contains(it.Why, scene.Sam.UPN+" was added as an owner of the app on ") {
		t.Errorf("the new owner: %+v", it)
	}
	why := s.blocked(in.Incident)
	for _, name := range []string{scene.HybridLink.Name, "Microsoft Graph", "Disclaimer", "Tidy"} {
		if !strings.Contains(why, name) {
			t.Errorf("the gate does not name %q: %s", name, why)
		}
	}

	// By name: all that can be removed, and what is guarded, which stays.
	s.world.Exchange.SetLatency(0)
	var names []string
	for _, it := range st.Items {
		if it.State == responsehub.NeedsHuman && it.Name != "Disclaimer" {
			names = append(names, it.ID)
		}
	}
	if r := s.ask(in.Incident, responsehub.Persistence, api.StepBody{Items: names}); r.status != http.StatusAccepted && r.status != http.StatusOK {
		t.Fatalf("removing by name: %s", r)
	}
	s.item(in.Incident, responsehub.Forwarding, "drop@", responsehub.Done)
	after := s.is(in.Incident, responsehub.Persistence, responsehub.NeedsHuman, responsehub.Partial)
	var left []string
	for _, it := range after.Items {
		if !it.State.Settled() {
			left = append(left, it.Name)
		} else if it.Proof == nil || it.Kind != responsehub.InboxRule && len(it.Snapshot) == 0 {
			t.Errorf("%s has no proof or no snapshot", it.Title())
		}
	}
	slices.Sort(left)
	if want := []string{"Disclaimer", scene.HybridLink.Name, "Microsoft Graph"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	s.frozen(func() {
		if victim.ForwardingSMTPAddress != "" || len(victim.Delegates)+len(victim.SendAs)+len(victim.Mailbox.Shares) > 0 || victim.AutomaticRepliesStatus != "disabled" ||
			scene.EvilDevice.AccountEnabled || victim.Mailbox.Sweeps[0].Enabled || len(victim.Methods) != 2 {
			t.Errorf("something is left in the world: %+v", victim)
		}
		if !scene.HybridLink.Enabled || !graphSP.AccountEnabled {
			t.Error("the hub touched what it must never touch")
		}
		if len(scene.EvilApp.Owners) != 0 {
			t.Error("the app still has its owner")
		}
	})
	s.click("ann", in.Ref, "Set chosen aside", map[string]string{"items": strings.Join(ids(after.Items), ","), "reason": "Ours; the administrator made them."})
	s.until("the gate opens", func() bool { return s.blocked(in.Incident) == "" })
}

func ids(items []responsehub.Item) (out []string) {
	for _, it := range items {
		if !it.State.Settled() {
			out = append(out, it.ID)
		}
	}
	return out
}

// TestTenantWithoutExchange: there is nothing to read in mailboxes, which is not the same
// as not being able to read them.
func TestTenantWithoutExchange(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	scene := s.scene(0)
	s.frozen(func() {
		t := scene.Tenant
		t.NoExchange = true
		t.ServicePrincipals = slices.DeleteFunc(t.ServicePrincipals, func(sp *tenant.ServicePrincipal) bool { return sp.AppID == tenant.ExchangeAppID })
		for _, u := range t.Users {
			u.Mailbox = nil
		}
	})
	in := s.alert(s.rewritten(nil))
	st := s.is(in.Incident, responsehub.Persistence, responsehub.NeedsHuman)
	if len(st.Unread) > 0 || s.blocked(in.Incident) != "" {
		t.Errorf("unread %v, the gate says %q", st.Unread, s.blocked(in.Incident))
	}
	s.recorded(in.Incident, responsehub.EventProgress, "has no Exchange Online")
	for _, it := range st.Items {
		if it.Mailbox != "" {
			t.Errorf("found in a mailbox that does not exist: %+v", it)
		}
	}
}
