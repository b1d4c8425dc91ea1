package sim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"responsehub/sim/petra"
)

// Config is a configuration file with which the hub works against this world. It holds secrets, all
// of them made for this world and good nowhere else; they stay the same as long as the World lives or
// is kept.
func (w *World) Config() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	listen := "127.0.0.1:8080"
	if hub, err := url.Parse(w.opts.HubURL); err == nil && hub.Port() != "" {
		listen = hub.Host
	}
	line(configStart+"%s, and nowhere else.", w.URL())
	line("server: {listen: %q, public_url: %q}", listen, w.opts.HubURL)
	line(`redis: {addrs: ["127.0.0.1:6379"]}`)
	line("secrets: {key: %q}", w.secrets.hubKey)
	line("outbound: {ca_file: %q}", w.CAFile())
	line("sources:")
	line("  - {name: petra, kind: standard-webhooks, secrets: [%q], poll: {url: %q, key: %q}}", w.secrets.webhook, w.URL()+"/petra", w.secrets.petra)
	line("microsoft:")
	line("  client_id: %s", HubClientID)
	line("  client_secret: %q", w.secrets.client)
	line("  authority: %q", w.LoginURL())
	line("  graph: %q", w.URL()+"/graph")
	line("  exchange: %q", w.URL()+"/exchange")
	line("teams:")
	line("  app_id: %s", BotAppID)
	line("  tenant_id: %s", HomeTenantID)
	line("  client_secret: %q", w.secrets.bot)
	line("  login: %q", w.LoginURL())
	line("  openid: %q", w.Teams.OpenIDURL())
	line(`  service_hosts: ["127.0.0.1"]`)
	line("  allow_loopback: true")
	line("twilio:")
	line("  account_sid: %s", TwilioAccount)
	line("  api_key: %s", TwilioKey)
	line("  api_secret: %q", w.secrets.twilioSecret)
	line("  auth_tokens: [%q]", w.secrets.twilioToken)
	line("  from: %q", HubNumber)
	line("  api: %q", w.URL()+"/twilio")
	post, _ := w.MailAddress()
	line("mail: {smtp: %q, from: %q}", "smtp://"+mailUser+":"+w.secrets.mail+"@"+post, HubMail)
	line("console: {oidc: {issuer: %q, client_id: %s, client_secret: %q}}", w.openIDURL(), consoleClient, w.consoleSecret())
	line("fallback: {mail: [%q], phone: [bob]}", Staff[1].Mail)
	w.deskConfig(line)
	line("people:")
	for _, p := range Staff[:2] {
		line("  - {id: %s, name: %q, entra_object_id: %s, phone: %q, email: %q, role: responder, tenants: [\"*\"]}", p.Key, p.Name, p.EntraID, Numbers[p.Key], p.Mail)
	}
	for _, p := range visitors {
		line("  - {id: %s, name: %q, entra_object_id: %s, email: %q, role: %s, tenants: [%q]}", p.Key, p.Name, p.ObjectID, p.Mail, p.role, p.tenant)
	}
	line("tenants:")
	for i, s := range w.Scenes {
		channel := ChannelID
		if i > 0 {
			channel = ChannelID2
		}
		line("  - name: %s", s.Tenant.Name)
		line("    microsoft_tenant_id: %s", s.Tenant.ID)
		line("    source_ids: {petra: %q}", "petra-"+strings.ToLower(s.Tenant.Name))
		line("    response: %t", i == 0)
		if i == 0 {
			hooks := ""
			if w.opts.Hooks {
				hooks = fmt.Sprintf(", slack: [%q], webhooks: [%q]", w.SlackURL(), w.HookURL("siem"))
			}
			line("    notify: {teams: [%q], phone: {sequence: [ann, bob]}, mail: [%q], psa: {connection: connectwise, company: %q}"+hooks+"}", channel, "soc@"+s.Tenant.Domains[0].Name, DeskCompany(s.Tenant.Name))
		} else {
			line("    notify: {teams: [%q], phone: {sequence: [bob, ann]}, psa: {connection: autotask, company: %q}}", channel, s.Tenant.Name) // Response off: somebody has to be woken
		}
	}
	return b.String()
}

// AlertKinds are the kinds that Alert knows, with what they show.
var AlertKinds = map[string]string{
	"takeover": "a cloud account of the first customer, Response on",
	"manual":   "the same at the second customer, Response off: it starts unpublished",
	"hybrid":   "an account of the first customer that comes from Active Directory",
}

// Find makes an incident at the detector, of a kind of AlertKinds, and sends no webhook.
func (w *World) Find(kind string, at time.Time) petra.Incident {
	var alert struct {
		ID      string `json:"id"`
		Account struct {
			ObjectID string `json:"object_id"`
			UPN      string `json:"user_principal_name"`
			Name     string `json:"display_name"`
		} `json:"account"`
		Tenant struct {
			ID string `json:"microsoft_tenant_id"`
		} `json:"tenant"`
	}
	if err := json.Unmarshal(w.Alert(kind), &alert); err != nil {
		panic("sim: an alert of ours is not read: " + err.Error())
	}
	in := petra.Incident{
		ID: alert.ID, URL: "https://app.petrasecurity.com/incidents/" + url.PathEscape(alert.ID), CreatedAt: at.UTC(), OccurredAt: at.Add(-19 * time.Minute).UTC(),
		RemediationStatus: "OPEN", IsLive: true, DwellTimeMinutes: 19, Tenant: petra.Tenant{MicrosoftTenantID: alert.Tenant.ID},
		User: petra.User{ID: alert.Account.ObjectID, UserPrincipalName: alert.Account.UPN, Mail: alert.Account.UPN, DisplayName: alert.Account.Name, AccountEnabled: true},
	}
	for _, s := range w.Scenes {
		if s.Tenant.ID == alert.Tenant.ID {
			in.Tenant.Name, in.Tenant.PetraTenantID = s.Tenant.Name, "petra-"+strings.ToLower(s.Tenant.Name)
		}
	}
	w.Petra.Add(in)
	return in
}

// Alert is an alert in the hub's own format, with a new id each time. An unknown kind is a takeover.
func (w *World) Alert(kind string) []byte {
	scene := w.Scenes[0]
	if kind == "manual" && len(w.Scenes) > 1 {
		scene = w.Scenes[1]
	}
	alert := scene.Alert(fmt.Sprintf("det-%s-%d", scene.Tenant.Name, w.alerts.Add(1)))
	if kind == "hybrid" {
		alert["account"] = map[string]any{
			"object_id": scene.Hybrid.ID, "user_principal_name": scene.Hybrid.UPN, "display_name": scene.Hybrid.Name,
		}
		alert["summary"] = scene.Hybrid.Name + " signed in from a new country."
		delete(alert, "persistence") // those of the scene are in the other account
		delete(alert, "phish")
	}
	body, err := json.MarshalIndent(alert, "", "  ")
	if err != nil {
		panic("sim: a map of strings does not encode: " + err.Error())
	}
	return append(body, '\n')
}
