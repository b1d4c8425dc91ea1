package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"responsehub"
	"responsehub/onboard"
)

// Onboarding takes new tenants in.
type Onboarding interface {
	Begin(ctx context.Context, actor responsehub.Actor, name, microsoft string) (onboard.Link, error)
	Consented(ctx context.Context, q url.Values) (next, state string, err error)
	SignedIn(ctx context.Context, q url.Values, bound string) (responsehub.Tenant, *responsehub.Readiness, error)
}

func (c *Console) hasOnboarding() error {
	if c.cfg.Onboarding == nil {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub takes no tenants in by a link."}
	}
	return nil
}

// onboardPage is where an administrator names a new tenant.
func (c *Console) onboardPage(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	if err := c.hasOnboarding(); err != nil {
		return err
	}
	refused := ""
	if err := c.cfg.Subscription.MayOnboard(time.Now()); err != nil {
		refused = responsehub.Sentence(err)
	}
	c.show(w, r, http.StatusOK, "onboard", actor, map[string]any{"Refused": refused})
	return nil
}

// onboardLink shows the link, as an answer to the form: it is good once, and a page with
// an address would be kept in histories.
func (c *Console) onboardLink(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if err := c.hasOnboarding(); err != nil {
		return err
	}
	name := strings.TrimSpace(r.PostFormValue("name"))
	link, err := c.cfg.Onboarding.Begin(r.Context(), actor, name, r.PostFormValue("microsoft"))
	if err != nil {
		switch responsehub.KindOf(err) {
		case responsehub.Invalid, responsehub.Conflict, responsehub.Refused:
			return c.to(w, r, "/onboard", "No link was made: "+responsehub.Sentence(err))
		}
		return err
	}
	c.show(w, r, http.StatusOK, "onboard", actor, map[string]any{"Link": link.Address, "Until": link.Expires, "Name": name})
	return nil
}

// onboardBack takes people back from Microsoft: first from the consent, then from the
// sign-in. They need not be known to the hub; the link was what let them in.
func (c *Console) onboardBack(w http.ResponseWriter, r *http.Request) {
	if err := c.hasOnboarding(); err != nil {
		c.fail(w, r, err)
		return
	}
	ctx, q := r.Context(), r.URL.Query()
	bound := c.sessions.PopString(ctx, inOnboard)
	if bound == "" || q.Get("state") != bound {
		next, state, err := c.cfg.Onboarding.Consented(ctx, q)
		if err != nil {
			c.log.Warn("console: onboarding refused", "error", err, "remote", r.RemoteAddr)
			c.fail(w, r, err)
			return
		}
		c.sessions.Put(ctx, inOnboard, state)
		http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // the sign-in service of the configuration, whatever the browser says
		return
	}
	t, found, err := c.cfg.Onboarding.SignedIn(ctx, q, bound)
	if err != nil {
		c.log.Warn("console: onboarding refused", "error", err, "remote", r.RemoteAddr)
		c.fail(w, r, err)
		return
	}
	actor, _ := c.actor(r)
	ready := "not looked at yet"
	if found != nil {
		ready = found.Words(time.Now())
	}
	c.show(w, r, http.StatusOK, "onboarded", actor, map[string]any{"Tenant": t, "Readiness": found, "Ready": ready, "Mine": actor.Role != "" && actor.Sees(t.Ref())})
}

// pauseTenant pauses a tenant or resumes it.
func (c *Console) pauseTenant(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.tenantOf(r, actor, responsehub.Manage)
	if err != nil {
		return err
	}
	on := r.PostFormValue("on") == "true"
	what, sentence := "resumed", t.Name+" is not paused any more."
	if on {
		what, sentence = "paused", t.Name+" is paused: alerts open incidents and people are told, but nothing runs by itself there."
	}
	if _, err := c.dir.ChangeTenant(r.Context(), actor.By(), what, t.ID, func(t *responsehub.Tenant) error {
		t.Pause(on, actor.By(), time.Now())
		return nil
	}); err != nil {
		return err
	}
	c.log.Info("console: tenant changed", "what", what, "tenant", t.ID, "actor", actor.ID)
	return c.toTenant(w, r, t.ID, sentence)
}

// switchProduct gives a tenant another product.
func (c *Console) switchProduct(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.tenantOf(r, actor, responsehub.Manage)
	if err != nil {
		return err
	}
	to := responsehub.Product(r.PostFormValue("product"))
	_, err = c.dir.ChangeTenant(r.Context(), actor.By(), "product "+limit(string(to), 20), t.ID, func(t *responsehub.Tenant) error {
		if err := c.cfg.Subscription.MaySwitch(t, to, time.Now()); err != nil {
			return err
		}
		if to != t.Bought() {
			t.Switch(to)
		}
		return t.Check(c.isPerson)
	})
	switch responsehub.KindOf(err) {
	case responsehub.Refused, responsehub.Invalid:
		return c.toTenant(w, r, t.ID, "Not switched: "+responsehub.Sentence(err))
	}
	if err != nil {
		return err
	}
	return c.toTenant(w, r, t.ID, "The product of "+t.Name+" is "+string(to)+".")
}
