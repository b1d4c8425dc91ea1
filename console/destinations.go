package console

import (
	"context"
	"net/http"
	"time"

	"responsehub"
	"responsehub/hook"
)

// Destinations looks after a tenant's outgoing webhooks and Slack webhooks.
type Destinations interface {
	List(ctx context.Context, actor responsehub.Actor, tenant string) ([]hook.Standing, error)
	Add(ctx context.Context, actor responsehub.Actor, tenant, address string) (hook.Standing, responsehub.Secret, error)
	Rotate(ctx context.Context, actor responsehub.Actor, tenant, id string) (hook.Standing, responsehub.Secret, error)
	Remove(ctx context.Context, actor responsehub.Actor, tenant, id string) error
	Test(ctx context.Context, actor responsehub.Actor, tenant, id string) (taken bool, sentence string, err error)
	Retry(ctx context.Context, actor responsehub.Actor, tenant, id string) (int, error)
}

var _ Destinations = (*hook.Destinations)(nil)

// destinations are shown on a tenant's page to those who manage it.
func (c *Console) destinations(ctx context.Context, actor responsehub.Actor, tenant string) ([]hook.Standing, error) {
	if c.cfg.Destinations == nil {
		return nil, nil
	}
	return c.cfg.Destinations.List(ctx, actor, tenant)
}

// addDestination shows the secret of a new outgoing webhook, once: it is an answer to a
// form, not a page with an address.
func (c *Console) addDestination(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.destinationTenant(r, actor)
	if err != nil {
		return err
	}
	made, secret, err := c.cfg.Destinations.Add(r.Context(), actor, t.ID, r.PostFormValue("address"))
	if err != nil {
		return c.toTenant(w, r, t.ID, "Not added: "+responsehub.Sentence(err))
	}
	if secret == "" {
		return c.toTenant(w, r, t.ID, "Added. Another tenant has this address: it is signed with the secret it has already.")
	}
	c.log.Warn("outgoing webhook added", "tenant", t.ID, "host", made.Host, "actor", actor.ID, "name", actor.Name)
	c.showSecret(w, r, actor, t, made, secret)
	return nil
}

// changeDestination does what a button of a destination says.
func (c *Console) changeDestination(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.destinationTenant(r, actor)
	if err != nil {
		return err
	}
	id, ctx, d := r.PathValue("destination"), r.Context(), c.cfg.Destinations
	said := ""
	switch r.PathValue("do") {
	case "test":
		_, said, err = d.Test(ctx, actor, t.ID, id)
	case "retry":
		var n int
		n, err = d.Retry(ctx, actor, t.ID, id)
		said = hook.Retried(n)
	case "remove":
		err = d.Remove(ctx, actor, t.ID, id)
		said = "It is removed and hears nothing more."
	case "rotate":
		made, secret, err := d.Rotate(ctx, actor, t.ID, id)
		if err != nil {
			return c.toTenant(w, r, t.ID, "No new secret: "+responsehub.Sentence(err))
		}
		c.log.Warn("secret of an outgoing webhook rotated", "tenant", t.ID, "host", made.Host, "actor", actor.ID, "name", actor.Name)
		c.showSecret(w, r, actor, t, made, secret)
		return nil
	default:
		err = &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such button."}
	}
	if err != nil {
		return err
	}
	return c.toTenant(w, r, t.ID, said)
}

func (c *Console) destinationTenant(r *http.Request, actor responsehub.Actor) (responsehub.Tenant, error) {
	t, err := c.tenantOf(r, actor, responsehub.Manage)
	if err == nil && c.cfg.Destinations == nil {
		err = &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub has no outgoing webhooks."}
	}
	return t, err
}

func (c *Console) showSecret(w http.ResponseWriter, r *http.Request, actor responsehub.Actor, t responsehub.Tenant, made hook.Standing, secret responsehub.Secret) {
	until := time.Time{}
	if made.Overlapping {
		until = made.Signed.Add(responsehub.SigningOverlap)
	}
	c.show(w, r, http.StatusOK, "hook", actor, map[string]any{"Tenant": t, "Host": made.Host, "Secret": string(secret), "Until": until})
}
