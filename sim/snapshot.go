package sim

import (
	"time"

	"responsehub/sim/desk"
	"responsehub/sim/receiver"
	"responsehub/sim/smtp"
	"responsehub/sim/teams"
	"responsehub/sim/tenant"
	"responsehub/sim/twilio"
	"responsehub/sim/wire"
)

// Snapshot is the whole state of the world, the answer of GET /_world.
type Snapshot struct {
	Hub       string       `json:"hub"`
	Scenes    []SceneState `json:"scenes"`
	Microsoft any          `json:"microsoft"`
	Teams     teams.State  `json:"teams"`
	Twilio    twilio.State `json:"twilio"`
	Mail      smtp.State   `json:"mail"`
	Desks     []desk.State `json:"desks"`

	Receiver receiver.State `json:"receiver"`

	Effects    []wire.Effect `json:"effects"`
	Unexpected []string      `json:"unexpected"`
}

// SceneState names what a takeover put into a customer's tenant.
type SceneState struct {
	TenantID         string   `json:"tenant_id"`
	Victim           string   `json:"victim"` // object id
	PhishID          string   `json:"phish_id"`
	PhishSubject     string   `json:"phish_subject"`
	Receivers        []string `json:"receivers"` // object ids of those who had the phish outside Deleted Items
	Rule             string   `json:"rule"`
	HiddenRule       string   `json:"hidden_rule"`
	ServicePrincipal string   `json:"service_principal"`
	Application      string   `json:"application"`
	Connector        string   `json:"connector"`
}

func sceneState(s *tenant.Scene) SceneState {
	out := SceneState{
		TenantID: s.Tenant.ID, Victim: s.Victim.ID, PhishID: s.PhishID, PhishSubject: s.PhishSubject, Rule: s.Rule.ID,
		HiddenRule: s.HiddenRule.ID, ServicePrincipal: s.EvilSP.ID, Application: s.EvilApp.ID, Connector: s.Connector.GUID,
	}
	for _, u := range s.Receivers {
		out.Receivers = append(out.Receivers, u.ID)
	}
	return out
}

// Snapshot copies the state. Passwords, secrets and open dialogs are not in it.
func (w *World) Snapshot() Snapshot {
	s := Snapshot{
		Hub: w.opts.HubURL, Microsoft: w.Microsoft.Snapshot(), Teams: w.Teams.Snapshot(),
		Twilio: w.Twilio.Snapshot(), Mail: w.Mail.Snapshot(), Desks: w.deskStates(), Receiver: w.Receiver.Snapshot(),
		Effects: append([]wire.Effect{}, w.Wire.Effects()...), Unexpected: append([]string{}, w.Wire.UnexpectedAll()...),
	}
	for _, scene := range w.Scenes {
		s.Scenes = append(s.Scenes, sceneState(scene))
	}
	return s
}

// seenRequest is a request as the page lists it.
type seenRequest struct {
	Seq    int       `json:"seq"`
	At     time.Time `json:"at"`
	Vendor string    `json:"vendor"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"`
	Fault  string    `json:"fault,omitempty"`
}

// pageState is Snapshot with the latest requests and without what a page cannot show at once.
func (w *World) pageState() any {
	s := w.Snapshot()
	const shown = 60
	s.Effects = s.Effects[max(0, len(s.Effects)-shown):]
	s.Unexpected = s.Unexpected[max(0, len(s.Unexpected)-shown):]
	s.Twilio, s.Mail, s.Receiver = s.Twilio.Page(), s.Mail.Page(), s.Receiver.Page()
	for i, d := range s.Desks {
		s.Desks[i] = d.Page()
	}
	all := w.Wire.Requests()
	latest := []seenRequest{}
	for _, q := range all[max(0, len(all)-shown):] {
		latest = append(latest, seenRequest{Seq: q.Seq, At: q.At, Vendor: q.Vendor, Method: q.Method, Path: q.Path, Status: q.Status, Fault: q.Fault})
	}
	return struct {
		Snapshot
		Requests []seenRequest `json:"requests"`
		Kinds    any           `json:"alert_kinds"`
	}{s, latest, AlertKinds}
}
