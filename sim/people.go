package sim

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"time"

	"responsehub/sim/exchange"
	"responsehub/sim/graph"
	"responsehub/sim/login"
	"responsehub/sim/openid"
	"responsehub/sim/petra"
	"responsehub/sim/receiver"
	"responsehub/sim/smtp"
	"responsehub/sim/teams"
	"responsehub/sim/tenant"
	"responsehub/sim/twilio"
)

// Who and what the world knows by fixed ids, so that two runs look alike.
const (
	HomeTenantID = "abababab-0000-4000-8000-00000000000a" // the service provider's own tenant, none of the customers'
	HubClientID  = "c0ffee00-0001-4001-8001-000000000001" // the hub's app in the customers' tenants
	BotAppID     = "c0ffee00-0002-4002-8002-000000000002"
	TeamID       = "19:securitydesk0000000000000000001@thread.tacv2"
	ChannelID    = "19:incidents000000000000000000001@thread.tacv2" // first customer's channel
	ChannelID2   = "19:incidents000000000000000000002@thread.tacv2" // every other customer's
	groupID      = "c0ffee00-0003-4003-8003-000000000003"
	NewcomerID   = "12121212-0000-4000-8000-00000000000c" // the company of Options.Newcomer
)

// Staff are the people in Teams: Ann and Bob are responders in Config, Mallory is in the same team
// but nobody gave her a role.
var Staff = []teams.Person{
	{Key: "ann", Name: "Ann Berg", EntraID: "a0000000-0001-4001-8001-00000000000a", Mail: "ann@desk.example"},
	{Key: "bob", Name: "Bob Carr", EntraID: "b0000000-0002-4002-8002-00000000000b", Mail: "bob@desk.example"},
	{Key: "mallory", Name: "Mallory Vane", EntraID: "e0000000-0003-4003-8003-00000000000e", Mail: "mallory@desk.example"},
}

// people builds the tenants and the team.
func (w *World) people() (err error) {
	w.Microsoft = tenant.NewWorld()
	w.Microsoft.AddTenant(tenant.Tenant{ID: HomeTenantID, Name: "Security Desk", Domains: []tenant.Domain{{Name: "desk.example", AuthenticationType: "Managed"}}})
	w.Microsoft.AddClient(tenant.Client{ID: HubClientID, Name: "ResponseHub", HomeTenant: HomeTenantID, Secret: w.secrets.client})
	w.Microsoft.AddClient(tenant.Client{ID: BotAppID, Name: "ResponseHub bot", HomeTenant: HomeTenantID, Secret: w.secrets.bot})
	w.customers()
	w.Login = login.New(w.Microsoft, w.Wire)
	w.resources()
	if w.Teams, err = teams.New(w.team()); err != nil {
		return err
	}
	if w.Twilio, err = twilio.New(w.phones()); err != nil {
		return err
	}
	if w.Mail, err = smtp.New(w.mail()); err != nil {
		return err
	}
	w.Petra = petra.New(w.secrets.petra, w.Wire)
	if err = w.buildDesks(saved{}); err != nil {
		return err
	}
	w.Receiver = receiver.New(w.receiving())
	w.OpenID, err = openid.New(w.signIn())
	return err
}

// peopleAgain builds them as they were kept.
func (w *World) peopleAgain(kept *saved) (err error) {
	s, fresh := kept.Secrets, makeSecrets()
	w.secrets = secrets{
		hubKey: s.HubKey, webhook: s.Webhook, client: s.Client, bot: s.Bot, twilioToken: cmp.Or(s.TwilioToken, fresh.twilioToken),
		twilioSecret: cmp.Or(s.TwilioSecret, fresh.twilioSecret), mail: cmp.Or(s.Mail, fresh.mail),
		connectwise: cmp.Or(s.ConnectWise, fresh.connectwise), autotask: cmp.Or(s.Autotask, fresh.autotask), halo: cmp.Or(s.Halo, fresh.halo), petra: cmp.Or(s.Petra, fresh.petra),
	}
	w.alerts.Store(kept.Alerts)
	w.Petra = petra.New(w.secrets.petra, w.Wire)
	w.Petra.Restore(kept.Petra)
	if w.Microsoft, w.Scenes, err = tenant.Restore(kept.Microsoft); err != nil {
		return w.unreadable(err)
	}
	w.customers()
	if w.Login, err = login.Restore(w.Microsoft, w.Wire, kept.Login); err != nil {
		return w.unreadable(err)
	}
	w.resources()
	if w.Teams, err = teams.Restore(w.team(), kept.Teams); err != nil {
		return w.unreadable(err)
	}
	if w.Twilio, err = twilio.Restore(w.phones(), kept.Twilio); err != nil {
		return w.unreadable(err)
	}
	if w.Mail, err = smtp.Restore(w.mail(), kept.Mail); err != nil {
		return w.unreadable(err)
	}
	if err = w.buildDesks(*kept); err != nil {
		return w.unreadable(err)
	}
	if w.Receiver, err = receiver.Restore(w.receiving(), kept.Receiver); err != nil {
		return w.unreadable(err)
	}
	w.OpenID, err = openid.New(w.signIn())
	return err
}

// customers adds those that are not there yet.
func (w *World) customers() {
	for n := len(w.Scenes); n < w.opts.Tenants; n++ {
		scene := tenant.Takeover(w.Microsoft, n+1)
		scene.Tenant.ConsentAll(HubClientID)
		// The plain story ends by itself after step 3; who wants to judge plays add_method or add_device.
		scene.Date(scene.Started.AddDate(0, -3, 0))
		w.Scenes = append(w.Scenes, scene)
	}
	if w.opts.Newcomer && w.Microsoft.Tenant(NewcomerID) == nil {
		t := w.Microsoft.AddTenant(tenant.Tenant{ID: NewcomerID, Name: "Lamna Healthcare", Domains: []tenant.Domain{{Name: "lamna.example", AuthenticationType: "Managed"}}})
		t.AddUser(tenant.Person{UPN: "nora@lamna.example", Name: "Nora Lind", Roles: []string{tenant.GlobalAdministrator}})
	}
}

// resources are what the hub calls with a token.
func (w *World) resources() {
	w.Login.AllowBack(w.opts.HubURL + "/onboard/back")
	w.Graph = graph.New(w.Microsoft, w.Login, w.Wire)
	w.Exchange = exchange.New(w.Microsoft, w.Login, w.Wire)
}

// team is where the bot works.
func (w *World) team() teams.Config {
	return teams.Config{
		URL: w.URL() + "/teams", BotURL: w.opts.HubURL + "/api/messages", AppID: BotAppID, TenantID: HomeTenantID,
		Verify: w.verifyBot, Log: w.Wire, Client: loopbackClient(), People: Staff,
		TeamID: TeamID, TeamName: "Security desk", GroupID: groupID, NoLimits: w.opts.NoLimits,
		Channels: []teams.Channel{{ID: ChannelID, Name: "Incidents"}, {ID: ChannelID2, Name: "Incidents, other customers"}},
	}
}

// verifyBot judges the token with which the connector is called.
func (w *World) verifyBot(bearer string) error {
	claims, err := w.Login.Verify(bearer, login.BotAudience)
	if err != nil {
		return err
	}
	if claims.AppID != BotAppID {
		return fmt.Errorf("the token is for app %s", claims.AppID)
	}
	return nil
}

// loopbackClient posts to the hub and can reach nothing outside this machine.
func loopbackClient() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: onlyLoopback}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
