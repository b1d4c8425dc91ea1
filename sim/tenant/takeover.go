package tenant

import (
	"fmt"
	"strings"
	"time"
)

// Scene is everything Takeover put into the world, by the names a story uses.
type Scene struct {
	World  *World
	Tenant *Tenant

	Victim    *User   // pat@, cloud-only, no admin role
	Sam       *User   // ordinary colleague, got the phish
	Robin     *User   // ordinary colleague, got the phish and had deleted it already
	Shared    *User   // info@, shared mailbox (disabled user), got the phish
	Guest     *User   // from another tenant, no mailbox
	NoMailbox *User   // no licence
	Admin     *User   // Global Administrator, did not get the phish
	Hybrid    *User   // comes from Active Directory, got the phish
	Everyone  []*User // all of the above
	Receivers []*User // whose mailbox holds the phish outside Deleted Items at the start

	Started      time.Time // first bad sign-in
	PhishID      string    // internet message id, the same for all receivers
	PhishSubject string
	PhishSender  string // the victim's address: the mail went out from the taken account
	PhishAt      time.Time

	Rule       *Rule // named ".", visible, deletes replies
	HiddenRule *Rule // Exchange PowerShell only
	UserRule   *Rule // harmless, the victim's own
	EvilSP     *ServicePrincipal
	EvilGrant  *Grant // the victim's consent to EvilSP
	EvilApp    *Application
	Connector  *Connector // the attacker's
	HybridLink *Connector // the customer's own hybrid mail flow, must survive
	EvilMethod string     // authentication method the attacker added
	EvilDevice *Device
}

var companies = []string{"Contoso", "Fabrikam", "Northwind", "Adatum", "Litware", "Proseware", "Tailspin", "Woodgrove", "Wingtip"}

// TenantID is the id of the n-th canonical tenant (1 = 11111111-1111-4111-8111-111111111111).
func TenantID(n int) string {
	if n >= 1 && n <= 9 {
		d := string(rune('0' + n))
		r := func(k int) string { return strings.Repeat(d, k) }
		return r(8) + "-" + r(4) + "-4" + r(3) + "-8" + r(3) + "-" + r(12)
	}
	return fmt.Sprintf("10000000-0000-4000-8000-%012d", n)
}

// Takeover adds the n-th canonical tenant (n from 1) with an account takeover in full swing: the
// account pat@ was used to send a phish to colleagues, and rules, apps and a connector were left behind.
func Takeover(w *World, n int) *Scene {
	name := fmt.Sprintf("Customer %d", n)
	if n >= 1 && n <= len(companies) {
		name = companies[n-1]
	}
	t := w.AddTenant(Tenant{ID: TenantID(n), Name: name, OnPremisesSyncEnabled: true})
	domain := t.Domains[0].Name
	s := &Scene{World: w, Tenant: t, Started: time.Now().UTC().Add(-40 * time.Minute).Truncate(time.Second)}
	at := func(local string) string { return local + "@" + domain }
	s.Victim = t.AddUser(Person{UPN: at("pat"), Name: "Pat Doe"})
	s.Sam = t.AddUser(Person{UPN: at("sam"), Name: "Sam Lee"})
	s.Robin = t.AddUser(Person{UPN: at("robin"), Name: "Robin Fox"})
	s.Shared = t.AddUser(Person{UPN: at("info"), Name: name + " Info", Shared: true})
	s.Guest = t.AddUser(Person{UPN: "kim_partner.example#EXT#@" + domain, Mail: "kim@partner.example", Name: "Kim Guest", Guest: true})
	s.NoMailbox = t.AddUser(Person{UPN: at("kiosk"), Name: "Kiosk", NoMailbox: true})
	s.Admin = t.AddUser(Person{UPN: at("root"), Name: "Root Admin", Roles: []string{GlobalAdministrator}})
	s.Hybrid = t.AddUser(Person{UPN: at("hal"), Name: "Hal Hybrid", Synced: true})
	s.Everyone = []*User{s.Victim, s.Sam, s.Robin, s.Shared, s.Guest, s.NoMailbox, s.Admin, s.Hybrid}
	s.sendPhish()
	s.leavePersistence(domain)
	return s
}

// sendPhish delivers the phish and some honest mail from the same sender around it.
func (s *Scene) sendPhish() {
	s.PhishAt = s.Started.Add(15 * time.Minute)
	s.PhishSender, s.PhishSubject = s.Victim.Mail, "Invoice 4711 is overdue"
	s.PhishID = "<phish-4711@" + s.Tenant.Domains[0].Name + ">"
	phish := Message{
		InternetMessageID: s.PhishID, From: s.PhishSender, FromName: s.Victim.Name, Subject: s.PhishSubject,
		Preview: "Please sign in to see the invoice: https://login.evil.example", Received: s.PhishAt,
	}
	s.Receivers = []*User{s.Sam, s.Shared, s.Hybrid}
	for _, u := range append([]*User{s.Robin}, s.Receivers...) {
		u.Deliver(phish)
		u.Deliver(Message{From: s.PhishSender, FromName: s.Victim.Name, Subject: "Minutes of Monday", Preview: "As discussed.", Received: s.Started.Add(-48 * time.Hour), Read: true})
	}
	_ = s.Robin.DeleteMessage(s.PhishID) // it was delivered three lines above
	sent := phish
	sent.FolderID, sent.To, sent.Read = "sentitems", []string{s.Sam.Mail, s.Robin.Mail, s.Shared.Mail, s.Hybrid.Mail}, true
	s.World.mu.Lock()
	s.Victim.put(sent)
	s.World.mu.Unlock()
}

// leavePersistence adds what the attacker wants to come back through, and harmless neighbours of it.
func (s *Scene) leavePersistence(domain string) {
	t := s.Tenant
	s.UserRule = s.Victim.AddRule(Rule{Name: "Newsletters", Conditions: map[string]any{"senderContains": []any{"news@"}}, Actions: map[string]any{"moveToFolder": FindFolder(s.Victim.Mailbox, "archive").ID}})
	s.Rule = s.Victim.AddRule(Rule{Name: ".", Conditions: map[string]any{"subjectContains": []any{"invoice", "phish"}}, Actions: map[string]any{"delete": true, "markAsRead": true, "stopProcessingRules": true}})
	s.HiddenRule = s.Victim.AddRule(Rule{Name: "..", Hidden: true, Actions: map[string]any{"forwardTo": []any{map[string]any{"emailAddress": map[string]any{"address": "drop@evil.example", "name": "drop"}}}}})
	s.Victim.AddRule(Rule{Name: "Junk E-Mail Rule", Hidden: true, ReadOnly: true, Actions: map[string]any{"stopProcessingRules": true}})
	s.EvilSP = t.AddServicePrincipal(ServicePrincipal{DisplayName: "Mail Backup Pro", OwnerOrganizationID: "66666666-aaaa-4aaa-8aaa-666666666666", ReplyURLs: []string{"https://evil.example/cb"}})
	graph := FindServicePrincipal(t, GraphAppID)
	s.EvilGrant = t.AddGrant(Grant{ClientID: s.EvilSP.ID, PrincipalID: s.Victim.ID, ResourceID: graph.ID, Scope: "Mail.ReadWrite Mail.Send offline_access"})
	t.AddAssignment(Assignment{PrincipalID: s.Victim.ID, PrincipalType: "User", ResourceID: s.EvilSP.ID})
	s.EvilApp = t.AddApplication(Application{
		DisplayName: "Sync Helper", Owners: []string{s.Victim.ID},
		Passwords: []Credential{{KeyID: t.w.lockedID("key"), Name: "s1", Start: s.Started, End: s.Started.AddDate(2, 0, 0)}},
	})
	s.Connector = t.AddConnector(Connector{Name: "Relay", SenderIPAddresses: []string{"198.51.100.23"}, Created: s.Started.Add(5 * time.Minute)})
	s.HybridLink = t.AddConnector(Connector{Name: "Inbound from " + domain, ConnectorType: "OnPremises", CloudServicesMailEnabled: true, TLSSenderCertificateName: "mail." + domain, RequireTLS: true, Created: s.Started.AddDate(-2, 0, 0)})
	s.Victim.AddMethod(Method{Type: "phoneAuthenticationMethod", Detail: "+1 2065550100", Created: s.Started.AddDate(-1, 0, 0), Default: true})
	s.EvilMethod = s.Victim.AddMethod(Method{Type: "microsoftAuthenticatorAuthenticationMethod", Detail: "SM-G960F", Created: s.Started.Add(2 * time.Minute)})
	s.EvilDevice = s.Victim.AddDevice(Device{Name: "DESKTOP-EVIL", OS: "Windows", Registered: s.Started.Add(3 * time.Minute)})
	s.Victim.AddDevice(Device{Name: "PAT-LAPTOP", OS: "Windows", IsManaged: true, Registered: s.Started.AddDate(-1, 0, 0)})
}

func (w *World) lockedID(kind string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newID(kind)
}

// Alert is the takeover as a detector reports it, in the hub's native alert format with this id.
func (s *Scene) Alert(id string) map[string]any {
	return map[string]any{
		"version": "1", "id": id, "detected_at": s.Started.Add(20 * time.Minute).Format(time.RFC3339),
		"tenant":   map[string]any{"microsoft_tenant_id": s.Tenant.ID},
		"account":  map[string]any{"object_id": s.Victim.ID, "user_principal_name": s.Victim.UPN, "display_name": s.Victim.Name},
		"severity": "critical", "title": "Account takeover", "summary": s.Victim.Name + " signed in from a new country, and a phish went out from the account.",
		"evidence": []any{map[string]any{"at": s.Started.Format(time.RFC3339), "kind": "sign_in", "text": "Sign-in from an unknown device", "ip": "203.0.113.10", "country": "NL"}},
		"phish": []any{map[string]any{
			"internet_message_id": s.PhishID, "sender": s.PhishSender, "subject": s.PhishSubject,
			"received_after": s.PhishAt.Add(-10 * time.Minute).Format(time.RFC3339), "received_before": s.PhishAt.Add(10 * time.Minute).Format(time.RFC3339),
		}},
		"persistence": []any{
			map[string]any{"kind": "inbox_rule", "id": s.Rule.ID, "name": s.Rule.Name},
			map[string]any{"kind": "service_principal", "id": s.EvilSP.ID, "name": s.EvilSP.DisplayName},
			map[string]any{"kind": "app_registration", "id": s.EvilApp.ID, "name": s.EvilApp.DisplayName},
			map[string]any{"kind": "inbound_connector", "id": s.Connector.GUID, "name": s.Connector.Name},
		},
	}
}

// Date says when the attacker's sign-in method and device were added. Within the attack
// they are what a person has to judge; long before it nobody looks at them.
func (s *Scene) Date(added time.Time) {
	s.World.Lock()
	defer s.World.Unlock()
	s.EvilDevice.Registered = added
	for i := range s.Victim.Methods {
		if m := &s.Victim.Methods[i]; (*m).ID == s.EvilMethod {
			(*m).Created = added
		}
	}
}
