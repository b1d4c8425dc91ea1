// Package onboard takes new tenants in: a link, an administrator's consent, a sign-in, and
// a tenant on the list that is paused until somebody looked at what is missing.
//
// It promises that the Microsoft tenant is learnt from a token that Microsoft signed, never
// from what a browser says; that the tenant let the hub's app in, which is tried; that a
// link works once and for an hour; and that a new tenant runs nothing by itself. Why it is
// so stands in docs/adr/0014. What may go wrong: a consent takes a while to reach all of
// Microsoft; then the last step is refused although all was done, and a new link helps.
package onboard

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"responsehub"
)

// Microsoft is what is asked of the sign-in service and of Graph.
type Microsoft interface {
	// ConsentLink is where an administrator lets the hub's app in. tenant may be empty.
	ConsentLink(tenant, back, state string) string
	// SignInLink is where that administrator says who they are.
	SignInLink(tenant, back, state, nonce, proof string) string
	// SignedIn verifies what came of the sign-in.
	SignedIn(ctx context.Context, tenant, back, code, nonce, proof string) (Visitor, error)
	// Organization reads the tenant's own id with the hub's own token of that tenant.
	Organization(ctx context.Context, tenant string) (id string, err error)
}

// Visitor is who signed in, as a verified token says.
type Visitor struct {
	Tenant string // Microsoft tenant id
	Name   string
}

// Keeper keeps a value until it is taken, once, or the time is over.
type Keeper interface {
	KeepOnce(ctx context.Context, token string, value []byte, life time.Duration) error
	TakeOnce(ctx context.Context, token string) (value []byte, ok bool, err error)
}

// Directory is the list of tenants.
type Directory interface {
	Tenants() []responsehub.Tenant
	AddTenant(ctx context.Context, by responsehub.By, what string, t responsehub.Tenant) (responsehub.Tenant, error)
}

// Config says how tenants come in.
type Config struct {
	Back         string // address to which Microsoft sends people back; empty: nobody can be taken in
	Subscription responsehub.Subscription
	Look         func(context.Context, responsehub.Tenant) (responsehub.Readiness, error) // preflight of a new tenant
}

// Desk takes tenants in. It is safe for concurrent use.
type Desk struct {
	cfg       Config
	microsoft Microsoft
	keeper    Keeper
	dir       Directory
	log       *slog.Logger
}

// New returns a desk.
func New(cfg Config, m Microsoft, k Keeper, d Directory, log *slog.Logger) *Desk {
	return &Desk{cfg: cfg, microsoft: m, keeper: k, dir: d, log: log}
}

const (
	linkLife   = time.Hour
	signInLife = 10 * time.Minute
	lookWithin = 40 * time.Second
)

// Link is what an administrator of the customer opens.
type Link struct {
	Address string    `json:"link"`
	Expires time.Time `json:"expires"`
}

// pending is what is kept of a link, and of the sign-in that follows.
type pending struct {
	Name      string         `json:"name"`
	Microsoft string         `json:"microsoft,omitempty"` // the tenant for which the link was made; empty: whichever
	By        responsehub.By `json:"by"`
	Nonce     string         `json:"nonce,omitempty"` // set once consent was given and the sign-in is awaited
	Proof     string         `json:"proof,omitempty"`
}

var (
	errUsed  = &responsehub.Error{Kind: responsehub.Gone, Message: "This link was used already or is older than an hour. Ask for a new one."}
	errOther = responsehub.Refuse("The link was made for another Microsoft tenant than the one you signed in to. Nothing was added; sign in as an administrator of the right tenant, with a new link.")
)

// Begin makes a link for a tenant of the given name. microsoft is its Microsoft tenant id,
// or empty where nobody knows it yet.
func (d *Desk) Begin(ctx context.Context, actor responsehub.Actor, name, microsoft string) (Link, error) {
	if actor.May(responsehub.Manage, responsehub.TenantRef{}) != nil {
		return Link{}, &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only an administrator of the whole hub may add tenants."}
	}
	if d.cfg.Back == "" {
		return Link{}, responsehub.Refuse("Nobody could be sent back here: server.public_url is not set.")
	}
	if err := d.cfg.Subscription.MayOnboard(time.Now()); err != nil {
		return Link{}, err
	}
	p := pending{Name: strings.TrimSpace(name), Microsoft: strings.ToLower(strings.TrimSpace(microsoft)), By: actor.By()}
	if err := p.check(d.dir.Tenants()); err != nil {
		return Link{}, err
	}
	state := rand.Text()
	if err := d.keep(ctx, state, p, linkLife); err != nil {
		return Link{}, err
	}
	d.log.Info("onboarding link made", "name", p.Name, "actor", actor.ID)
	return Link{Address: d.microsoft.ConsentLink(p.Microsoft, d.cfg.Back, state), Expires: time.Now().Add(linkLife).UTC().Truncate(time.Second)}, nil
}

// anyTenant stands in where the tenant's id is not known yet.
const anyTenant = "00000000-0000-0000-0000-000000000000"

func (p *pending) check(tenants []responsehub.Tenant) error {
	t := responsehub.Tenant{Name: p.Name, MicrosoftTenantID: p.Microsoft}
	if t.MicrosoftTenantID == "" {
		t.MicrosoftTenantID = anyTenant
	}
	if err := t.Check(func(string) bool { return false }); err != nil {
		return err
	}
	for _, other := range tenants {
		switch {
		case strings.EqualFold(other.Name, p.Name):
			return &responsehub.Error{Kind: responsehub.Conflict, Pointer: "/name", Message: "There is a tenant of this name already. Choose another name."}
		case p.Microsoft != "" && strings.EqualFold(other.MicrosoftTenantID, p.Microsoft):
			return &responsehub.Error{Kind: responsehub.Conflict, Pointer: "/microsoft_tenant_id", Message: "This Microsoft tenant is on the list already, as " + other.Name + "."}
		}
	}
	return nil
}

func (d *Desk) keep(ctx context.Context, state string, p pending, life time.Duration) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := d.keeper.KeepOnce(ctx, state, b, life); err != nil {
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The link could not be kept. Try again in a moment.", Err: err}
	}
	return nil
}

// take uses a state up.
func (d *Desk) take(ctx context.Context, state string) (pending, error) {
	var p pending
	if state == "" {
		return p, errUsed
	}
	b, ok, err := d.keeper.TakeOnce(ctx, state)
	if err != nil {
		return p, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub cannot reach its store right now. Ask for a new link.", Err: err}
	}
	if !ok || json.Unmarshal(b, &p) != nil {
		return p, errUsed
	}
	return p, nil
}

// Consented goes on after Microsoft sent somebody back from the consent. It returns where
// they sign in next, and the state that their browser has to bring back from there. What
// the address says of the tenant is not read: anybody can write there what they like.
func (d *Desk) Consented(ctx context.Context, q url.Values) (next, state string, err error) {
	if q.Get("error") != "" { // nothing was given: the link stays good
		return "", "", responsehub.Refuse("Consent was not given, so nothing was added. The link can be opened again.")
	}
	p, err := d.take(ctx, q.Get("state"))
	switch {
	case err != nil:
		return "", "", err
	case p.Nonce != "":
		return "", "", errUsed // the state of a sign-in
	case !strings.EqualFold(q.Get("admin_consent"), "true"):
		return "", "", responsehub.Refuse("Microsoft did not say that consent was given. Ask for a new link.")
	}
	state, p.Nonce, p.Proof = rand.Text(), rand.Text(), rand.Text()+rand.Text()
	if err := d.keep(ctx, state, p, signInLife); err != nil {
		return "", "", err
	}
	return d.microsoft.SignInLink(p.Microsoft, d.cfg.Back, state, p.Nonce, p.Proof), state, nil
}

// SignedIn ends it: the tenant of whoever signed in is put on the list, paused, and looked
// at. bound is the state that this browser was given; another browser's is refused.
func (d *Desk) SignedIn(ctx context.Context, q url.Values, bound string) (t responsehub.Tenant, found *responsehub.Readiness, err error) {
	if bound == "" || q.Get("state") != bound {
		return t, nil, &responsehub.Error{Kind: responsehub.Invalid, Message: "This sign-in is over or belongs to another window. Ask for a new link."}
	}
	p, err := d.take(ctx, bound)
	switch {
	case err != nil:
		return t, nil, err
	case p.Nonce == "":
		return t, nil, errUsed
	case q.Get("error") != "":
		return t, nil, responsehub.Refuse("The sign-in was not completed, so nothing was added. Ask for a new link.")
	}
	who, err := d.microsoft.SignedIn(ctx, p.Microsoft, d.cfg.Back, q.Get("code"), p.Nonce, p.Proof)
	if err != nil {
		return t, nil, err
	}
	if p.Microsoft != "" && !strings.EqualFold(p.Microsoft, who.Tenant) {
		d.log.Warn("onboarding came back for another tenant", "name", p.Name, "asked", p.Microsoft, "came", who.Tenant)
		return t, nil, errOther
	}
	// A person of any tenant can sign in; only one that consented lets the hub's app in.
	id, err := d.microsoft.Organization(ctx, who.Tenant)
	if err != nil {
		return t, nil, err
	}
	if !strings.EqualFold(id, who.Tenant) {
		return t, nil, errOther
	}
	if err := d.cfg.Subscription.MayOnboard(time.Now()); err != nil {
		return t, nil, err
	}
	t = responsehub.Tenant{Name: p.Name, MicrosoftTenantID: who.Tenant}
	t.Pause(true, p.By, time.Now())
	if t, err = d.dir.AddTenant(ctx, p.By, "an administrator consented; paused until it is resumed", t); err != nil {
		return t, nil, err
	}
	d.log.Info("tenant onboarded", "tenant", t.ID, "actor", p.By.ID)
	if d.cfg.Look == nil {
		return t, nil, nil
	}
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	r, err := d.cfg.Look(within, t)
	if err != nil {
		d.log.Warn("a new tenant could not be looked at", "tenant", t.ID, "error", err)
		return t, nil, nil // it is on the list; somebody can look later
	}
	return t, &r, nil
}
