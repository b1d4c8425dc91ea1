package api

import (
	"cmp"
	"fmt"
	"time"

	"responsehub"
	"responsehub/oncall"
)

// OnCall says who is called when.
type OnCall interface {
	Preview(t responsehub.Tenant, at time.Time, severity responsehub.Severity) oncall.Preview
}

// OnCallPreview is who would be called when.
type OnCallPreview = oncall.Preview

// previewOnCall plays an alert that nobody answers. It calls nobody.
func (a *API) previewOnCall(r call, _ none) (oncall.Preview, error) {
	id, err := r.id("id")
	if err != nil {
		return oncall.Preview{}, err
	}
	t, ok := a.dir.Tenant(id)
	// To somebody who may not see the tenant it does not exist.
	if !ok || !r.actor.Sees(t.Ref()) {
		return oncall.Preview{}, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.40q among yours.", id)}
	}
	if err := r.actor.May(responsehub.See, t.Ref()); err != nil {
		return oncall.Preview{}, err
	}
	at := time.Now()
	if s := r.query("at"); s != "" {
		if at, err = time.Parse(time.RFC3339, s); err != nil {
			return oncall.Preview{}, invalid("at", "The time must be like 2026-01-05T03:00:00Z.")
		}
	}
	switch {
	case a.onCall == nil:
		return oncall.Preview{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "This hub calls nobody."}
	case t.Notify.Phone == nil:
		return oncall.Preview{}, &responsehub.Error{Kind: responsehub.NotFound, Message: t.Name + " has no phone sequence."}
	}
	return a.onCall.Preview(t, at, cmp.Or(responsehub.Severity(r.query("severity")), responsehub.High)), nil
}
