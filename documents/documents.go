// Package documents hands out reports, exports and evidence to those who may see what
// is in them.
//
// It promises that a document holds nothing its asker could not see in the console, and
// that evidence verifies with `responsehub audit verify`. What may go wrong: a period of
// more incidents than one report holds is refused with a sentence, never cut silently.
package documents

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/audit"
	"responsehub/remediation"
	"responsehub/report"
)

// Engine is what documents are made from.
type Engine interface {
	Incident(ctx context.Context, actor responsehub.Actor, idOrRef string) (*responsehub.Incident, error)
	Incidents(ctx context.Context, actor responsehub.Actor, q remediation.Query) (remediation.IncidentPage, error)
	Events(ctx context.Context, actor responsehub.Actor, idOrRef string) ([]json.RawMessage, error)
}

// Config says whose documents they are.
type Config struct {
	Brand   report.Brand
	Secret  []byte // the hub's key, from which the signing key is derived
	Version string // of the hub
}

// Office makes the documents.
type Office struct {
	engine Engine
	cfg    Config
	key    ed25519.PrivateKey
}

// New returns an office.
func New(cfg Config, engine Engine) (*Office, error) {
	key, err := audit.Key(cfg.Secret)
	if err != nil {
		return nil, err
	}
	return &Office{engine: engine, cfg: cfg, key: key}, nil
}

// PublicKey is what bundles are verified with.
func (o *Office) PublicKey() ed25519.PublicKey {
	k, _ := o.key.Public().(ed25519.PublicKey) // what an Ed25519 key's is
	return k
}

// MostInPeriod is how many incidents one report of a period holds at most.
const MostInPeriod = 5000

// Incident is the report of an incident in one of the [report.Forms].
func (o *Office) Incident(ctx context.Context, actor responsehub.Actor, idOrRef, form string) (report.File, error) {
	if err := known(form); err != nil {
		return report.File{}, err
	}
	inc, raw, err := o.whole(ctx, actor, idOrRef)
	if err != nil {
		return report.File{}, err
	}
	events := make([]responsehub.Event, 0, len(raw))
	for _, b := range raw {
		var e responsehub.Event
		if err := json.Unmarshal(b, &e); err != nil {
			return report.File{}, fmt.Errorf("documents: read the record of %s: %w", inc.ID, err)
		}
		events = append(events, e)
	}
	d := report.Incident(o.cfg.Brand, inc, events, time.Now())
	return d.File(form, inc.Ref)
}

// Period is the report of a tenant's incidents, or of all that the actor sees where
// tenant is "", opened from a time up to another.
func (o *Office) Period(ctx context.Context, actor responsehub.Actor, tenant string, from, to time.Time, form string) (report.File, error) {
	if err := known(form); err != nil {
		return report.File{}, err
	}
	if !from.Before(to) {
		return report.File{}, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "to", Message: "The period must end after it begins."}
	}
	var incs []*responsehub.Incident
	name := "all tenants"
	for cursor := ""; ; {
		page, err := o.engine.Incidents(ctx, actor, remediation.Query{Tenant: tenant, Since: from, Cursor: cursor, Limit: 200})
		if err != nil {
			return report.File{}, err
		}
		for _, inc := range page.Incidents {
			if inc.OpenedAt.Before(to) {
				incs = append(incs, inc)
			}
			if tenant != "" {
				name = inc.Tenant.Name
			}
		}
		if len(incs) > MostInPeriod {
			return report.File{}, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "from", Message: fmt.Sprintf("There are more than %d incidents in this period. Choose a shorter one, or one tenant.", MostInPeriod)}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if tenant != "" && len(incs) == 0 {
		name = tenant
	}
	d := report.Period(o.cfg.Brand, name, from, to, incs, time.Now())
	return d.File(form, "incidents-"+from.UTC().Format("2006-01-02")+"-"+to.UTC().Format("2006-01-02"))
}

// Evidence is the signed bundle of an incident.
func (o *Office) Evidence(ctx context.Context, actor responsehub.Actor, idOrRef string) (report.File, error) {
	inc, raw, err := o.whole(ctx, actor, idOrRef)
	if err != nil {
		return report.File{}, err
	}
	b, err := audit.Make(o.key, o.cfg.Version, time.Now(), inc, raw)
	if err != nil {
		return report.File{}, err
	}
	return report.File{Type: "application/json", Name: strings.ToLower(inc.Ref) + "-evidence.json", Body: b}, nil
}

// wholeTries bounds how often an incident that is being written is read anew.
const wholeTries = 5

// whole reads an incident and its record as they belong together: the record is read
// between two readings of the incident that are the same.
func (o *Office) whole(ctx context.Context, actor responsehub.Actor, idOrRef string) (*responsehub.Incident, []json.RawMessage, error) {
	inc, err := o.engine.Incident(ctx, actor, idOrRef)
	if err != nil {
		return nil, nil, err
	}
	for range wholeTries {
		raw, err := o.engine.Events(ctx, actor, inc.ID)
		if err != nil {
			return nil, nil, err
		}
		again, err := o.engine.Incident(ctx, actor, inc.ID)
		if err != nil {
			return nil, nil, err
		}
		if again.Revision == inc.Revision {
			return inc, raw, nil
		}
		inc = again
	}
	return nil, nil, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The incident changes faster than it can be read. Try again in a moment.", RetryAfter: time.Second}
}

func known(form string) error {
	if !slices.Contains(report.Forms, form) {
		return &responsehub.Error{Kind: responsehub.Invalid, Pointer: "form", Message: "The form must be one of " + strings.Join(report.Forms, ", ") + "."}
	}
	return nil
}
