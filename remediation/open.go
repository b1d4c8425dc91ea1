package remediation

import (
	"cmp"
	"context"
	"errors"
	"time"

	"responsehub"
)

// Tenants finds the tenant an alert is about.
type Tenants interface {
	// TenantOf resolves an alert's tenant; it reads the list anew first when version is
	// newer than what it has. ok is false for a tenant the hub does not know.
	TenantOf(ctx context.Context, version int64, source string, t responsehub.AlertTenant) (tenant responsehub.Tenant, ok bool, err error)
	// Version is the version of the list that TenantOf looks into.
	Version() int64
	// Tenant returns a tenant by either of its ids.
	Tenant(id string) (responsehub.Tenant, bool)
}

// Open takes an alert in: it opens an incident, or joins what is new into the open
// incident of the same account. known is true when the incident was there before. The
// alert of an unknown tenant opens an incident too; it is never dropped.
//
// The same delivery id with another body is a Conflict error. When Open returns without
// an error the incident is durable.
func (e *Engine) Open(ctx context.Context, d responsehub.Delivery, a *responsehub.Alert) (inc *responsehub.Incident, known bool, err error) {
	directory := e.tenants.Version()
	for try := range maxConflicts {
		tenant, ok, err := e.tenants.TenantOf(ctx, directory, d.Source, a.Tenant)
		if err != nil {
			return nil, false, unavailable(err)
		}
		ref := tenant.Ref()
		if !ok {
			ref = stranger(a.Tenant)
		}
		rule := e.decide(ctx, &tenant, ok && tenant.Automatic(), d.Source, a)
		inc, done, err := e.open(ctx, d, a, ref, rule, directory, try)
		switch {
		case errors.Is(err, ErrRefTaken) || errors.Is(err, ErrConflict):
			continue
		case err != nil:
			return nil, false, unavailable(err)
		case done.OtherDirectory:
			directory = done.Directory
			continue
		case done.BodyHash != "":
			rule.giveBack(ctx)
			return nil, false, otherBody()
		case done.Existing != "":
			rule.giveBack(ctx)
			inc, err = e.join(ctx, done.Existing, d, a)
			return inc, true, err
		}
		inc.Revision = done.Version
		e.metrics.opened.Inc()
		return inc, false, nil
	}
	return nil, false, unavailable(ErrConflict)
}

// stranger is what an incident keeps of a tenant that the hub does not know.
func stranger(t responsehub.AlertTenant) responsehub.TenantRef {
	return responsehub.TenantRef{Name: cmp.Or(t.MicrosoftTenantID, t.SourceTenantID), MicrosoftTenantID: t.MicrosoftTenantID}
}

// open tries to write a new incident. Refs get longer when many are taken.
func (e *Engine) open(ctx context.Context, d responsehub.Delivery, a *responsehub.Alert, t responsehub.TenantRef, rule rule, directory int64, try int) (*responsehub.Incident, Committed, error) {
	now := time.Now()
	id := NewID(responsehub.AccountKey(t, d.Source, a), now)
	ref := NewRef(Partition(id), 4+try/4)
	inc := responsehub.NewIncident(id, ref, now, d.Source, a, t, rule.response, rule.holds...)
	c, _, err := e.change(State{ID: id}, nil, inc)
	if err != nil {
		return nil, Committed{}, err
	}
	c.Opening = &Opening{Ref: ref, Alert: responsehub.AlertKey(d.Source, a), BodyHash: d.BodyHash, Directory: directory}
	if d.ID != "" {
		c.Opening.Delivery = d.Source + "|" + d.ID
	}
	done, err := e.store.Commit(ctx, c)
	return inc, done, err
}

func (e *Engine) join(ctx context.Context, id string, d responsehub.Delivery, a *responsehub.Alert) (*responsehub.Incident, error) {
	return e.update(ctx, id, func(inc *responsehub.Incident) error {
		inc.Join(time.Now(), d.Source, a, e.holds(inc.Tenant.ID)...)
		return nil
	})
}

func otherBody() error {
	return &responsehub.Error{Kind: responsehub.Conflict, Message: "A message with this webhook-id came before with another body. Use a new id for a new message."}
}
