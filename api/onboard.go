package api

import (
	"context"
	"time"

	"responsehub"
	"responsehub/onboard"
)

// Onboarding takes new tenants in.
type Onboarding interface {
	Begin(ctx context.Context, actor responsehub.Actor, name, microsoft string) (onboard.Link, error)
}

// OnboardBody names a new tenant.
type OnboardBody struct {
	Name              string `json:"name" need:"true"`
	MicrosoftTenantID string `json:"microsoft_tenant_id,omitempty" doc:"left out: that of whoever consents"`
}

// OnboardLink is for an administrator of the tenant.
type OnboardLink struct {
	Link    string    `json:"link" doc:"opened by an administrator of the tenant, in a browser"`
	Expires time.Time `json:"expires"`
}

func (a *API) onboard(r call, in OnboardBody) (OnboardLink, error) {
	if a.newcomers == nil {
		return OnboardLink{}, &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub takes no tenants in by a link."}
	}
	link, err := a.newcomers.Begin(r, r.actor, in.Name, in.MicrosoftTenantID)
	if err != nil {
		return OnboardLink{}, err
	}
	return OnboardLink{Link: link.Address, Expires: link.Expires}, nil
}
