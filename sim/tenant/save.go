package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// saved is the world as Save writes it: what Snapshot shows, what Snapshot leaves out, and the scenes.
type saved struct {
	Serial  int                     `json:"serial"`
	World   *World                  `json:"world"`
	Clients map[string]clientSecret `json:"client_secrets"` // by client id
	Users   map[string]userSecret   `json:"user_secrets"`   // by object id
	Scenes  []savedScene            `json:"scenes"`
}

type clientSecret struct {
	Secret       string   `json:"secret"`
	Certificates [][]byte `json:"certificates"`
}

type userSecret struct {
	Password   string    `json:"password"`
	StaleUntil time.Time `json:"stale_until,omitzero"`
	StaleValue bool      `json:"stale_value"`
}

// savedScene names people by id. Of what the attacker left it holds copies: whoever removed a rule
// from the mailbox did not remove it from the story.
type savedScene struct {
	Tenant       string            `json:"tenant"`
	Cast         []string          `json:"cast"` // in the order of Scene.cast
	Receivers    []string          `json:"receivers"`
	Started      time.Time         `json:"started"`
	PhishID      string            `json:"phish_id"`
	PhishSubject string            `json:"phish_subject"`
	PhishSender  string            `json:"phish_sender"`
	PhishAt      time.Time         `json:"phish_at"`
	Rule         *Rule             `json:"rule"`
	HiddenRule   *Rule             `json:"hidden_rule"`
	UserRule     *Rule             `json:"user_rule"`
	EvilSP       *ServicePrincipal `json:"evil_service_principal"`
	EvilGrant    *Grant            `json:"evil_grant"`
	EvilApp      *Application      `json:"evil_app"`
	Connector    *Connector        `json:"connector"`
	HybridLink   *Connector        `json:"hybrid_link"`
	EvilMethod   string            `json:"evil_method"`
	EvilDevice   *Device           `json:"evil_device"`
}

// cast are the people of the scene, in a fixed order.
func (s *Scene) cast() []**User {
	return []**User{&s.Victim, &s.Sam, &s.Robin, &s.Shared, &s.Guest, &s.NoMailbox, &s.Admin, &s.Hybrid}
}

// Save encodes the whole state for Restore, passwords and secrets included, together with the scenes
// played in it. The same state gives the same bytes.
func (w *World) Save(scenes []*Scene) (json.RawMessage, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := saved{Serial: w.serial, World: w, Clients: map[string]clientSecret{}, Users: map[string]userSecret{}}
	for _, c := range w.Clients {
		out.Clients[c.ID] = clientSecret{c.Secret, c.Certificates}
	}
	for _, t := range w.Tenants {
		for _, u := range t.Users {
			out.Users[u.ID] = userSecret{u.password, u.staleUntil.Round(0).UTC(), u.staleValue}
		}
	}
	for _, s := range scenes {
		one := savedScene{
			Tenant: s.Tenant.ID, Started: s.Started, PhishID: s.PhishID, PhishSubject: s.PhishSubject, PhishSender: s.PhishSender, PhishAt: s.PhishAt,
			Rule: s.Rule, HiddenRule: s.HiddenRule, UserRule: s.UserRule, EvilSP: s.EvilSP, EvilGrant: s.EvilGrant, EvilApp: s.EvilApp,
			Connector: s.Connector, HybridLink: s.HybridLink, EvilMethod: s.EvilMethod, EvilDevice: s.EvilDevice,
		}
		for _, u := range s.cast() {
			one.Cast = append(one.Cast, (*u).ID)
		}
		for _, u := range s.Receivers {
			one.Receivers = append(one.Receivers, u.ID)
		}
		out.Scenes = append(out.Scenes, one)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("sim/tenant: save: %w", err)
	}
	return raw, nil
}

// Restore makes the world and the scenes that Save encoded. Ids go on from where they were.
func Restore(raw json.RawMessage) (*World, []*Scene, error) {
	var in saved
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, nil, fmt.Errorf("sim/tenant: restore: %w", err)
	}
	if in.World == nil {
		return nil, nil, errors.New("sim/tenant: restore: there is no world in it")
	}
	w := in.World
	w.serial = in.Serial
	if err := w.whole(); err != nil {
		return nil, nil, fmt.Errorf("sim/tenant: restore: %w", err)
	}
	for _, c := range w.Clients {
		c.Secret, c.Certificates = in.Clients[c.ID].Secret, in.Clients[c.ID].Certificates
	}
	for _, t := range w.Tenants {
		t.w, t.users = w, map[string]*User{}
		for _, u := range t.Users {
			secret := in.Users[u.ID]
			u.t, u.password, u.staleUntil, u.staleValue = t, secret.Password, secret.StaleUntil, secret.StaleValue
			t.index(u)
		}
		if t.Consents == nil {
			t.Consents = map[string]*Consent{}
		}
		if t.RiskyUsers == nil {
			t.RiskyUsers = map[string]string{}
		}
	}
	var scenes []*Scene
	for i, one := range in.Scenes {
		s, err := one.restore(w)
		if err != nil {
			return nil, nil, fmt.Errorf("sim/tenant: restore: scene %d: %w", i+1, err)
		}
		scenes = append(scenes, s)
	}
	return w, scenes, nil
}

func (one savedScene) restore(w *World) (*Scene, error) {
	t := Find(w, one.Tenant)
	if t == nil {
		return nil, fmt.Errorf("there is no tenant %q", one.Tenant)
	}
	s := &Scene{
		World: w, Tenant: t, Started: one.Started, PhishID: one.PhishID, PhishSubject: one.PhishSubject, PhishSender: one.PhishSender,
		PhishAt: one.PhishAt, EvilMethod: one.EvilMethod,
	}
	cast := s.cast()
	if len(one.Cast) != len(cast) {
		return nil, fmt.Errorf("%d people instead of %d", len(one.Cast), len(cast))
	}
	for i, id := range one.Cast {
		u := FindUser(t, id)
		if u == nil {
			return nil, fmt.Errorf("there is no user %q", id)
		}
		*cast[i], s.Everyone = u, append(s.Everyone, u)
	}
	for _, id := range one.Receivers {
		u := FindUser(t, id)
		if u == nil {
			return nil, fmt.Errorf("there is no user %q", id)
		}
		s.Receivers = append(s.Receivers, u)
	}
	if s.Victim.Mailbox == nil || len(t.Domains) == 0 {
		return nil, errors.New("the victim has no mailbox, or the tenant no domain")
	}
	rules := s.Victim.Mailbox.Rules
	s.Rule = still(rules, one.Rule, func(r *Rule) string { return r.ID })
	s.HiddenRule = still(rules, one.HiddenRule, func(r *Rule) string { return r.ID })
	s.UserRule = still(rules, one.UserRule, func(r *Rule) string { return r.ID })
	s.EvilSP = still(t.ServicePrincipals, one.EvilSP, func(sp *ServicePrincipal) string { return sp.ID })
	s.EvilGrant = still(t.Grants, one.EvilGrant, func(g *Grant) string { return g.ID })
	s.EvilApp = still(t.Applications, one.EvilApp, func(a *Application) string { return a.ID })
	s.Connector = still(t.Connectors, one.Connector, func(c *Connector) string { return c.GUID })
	s.HybridLink = still(t.Connectors, one.HybridLink, func(c *Connector) string { return c.GUID })
	s.EvilDevice = still(s.Victim.Devices, one.EvilDevice, func(d *Device) string { return d.ID })
	if s.Rule == nil || s.HiddenRule == nil || s.UserRule == nil || s.EvilSP == nil || s.EvilGrant == nil || s.EvilApp == nil ||
		s.Connector == nil || s.HybridLink == nil || s.EvilDevice == nil {
		return nil, errors.New("something that the attacker left is missing")
	}
	return s, nil
}

// still returns the one in the world that a scene's copy is of, or the copy when it is gone there.
func still[T any](list []*T, copied *T, id func(*T) string) *T {
	if copied == nil {
		return nil
	}
	if i := slices.IndexFunc(list, func(x *T) bool { return id(x) == id(copied) }); i >= 0 {
		return list[i]
	}
	return copied
}

// whole says what is missing where the simulators take for granted that something is there.
func (w *World) whole() error {
	errs := []error{full("clients", w.Clients), full("tenants", w.Tenants)}
	for _, t := range w.Tenants {
		if t == nil {
			continue // said already
		}
		errs = append(errs, full("users", t.Users), full("applications", t.Applications), full("service principals", t.ServicePrincipals),
			full("grants", t.Grants), full("assignments", t.Assignments), full("connectors", t.Connectors), full("audit log", t.Audits), full("sign-ins", t.SignIns), full("log of sign-ins", t.Entries), full("operations", t.Operations))
		for _, c := range t.Consents {
			errs = append(errs, full("consents", []*Consent{c}))
		}
		for _, u := range t.Users {
			if u == nil {
				continue // said already
			}
			errs = append(errs, full("devices", u.Devices))
			if m := u.Mailbox; m != nil {
				errs = append(errs, full("folders", m.Folders), full("messages", m.Messages), full("rules", m.Rules), full("purged messages", m.Purged), m.furnished())
			}
		}
	}
	return errors.Join(errs...)
}

func full[T any](what string, list []*T) error {
	if slices.Contains(list, nil) {
		return fmt.Errorf("one of the %s is empty", what)
	}
	return nil
}

// furnished says whether the folders are there that mail is put into without asking.
func (m *Mailbox) furnished() error {
	for _, name := range []string{"inbox", "deleteditems"} {
		if !slices.ContainsFunc(m.Folders, func(f *Folder) bool { return f != nil && f.WellKnown == name }) {
			return fmt.Errorf("a mailbox has no folder %s", name)
		}
	}
	return nil
}
