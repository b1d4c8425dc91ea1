package app

import (
	"context"
	"net/http"
	"strings"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/graph"
	"responsehub/onboard"
)

// newcomer is Microsoft as a new tenant is taken in by it.
type newcomer struct {
	login  *entra.Login
	graph  *graph.Client
	client *http.Client
}

var _ onboard.Microsoft = newcomer{}

func (n newcomer) ConsentLink(tenant, back, state string) string {
	return n.login.OnboardLink(tenant, back, state)
}

func (n newcomer) SignInLink(tenant, back, state, nonce, proof string) string {
	return n.login.SignInLink(tenant, back, state, nonce, proof)
}

func (n newcomer) SignedIn(ctx context.Context, tenant, back, code, nonce, proof string) (onboard.Visitor, error) {
	p, err := n.login.SignedIn(ctx, n.client, tenant, back, code, nonce, proof)
	return onboard.Visitor(p), err
}

func (n newcomer) Organization(ctx context.Context, tenant string) (string, error) {
	return n.graph.Organization(ctx, tenant)
}

// subscription is what the hub's operator bought.
func (a *App) subscription() responsehub.Subscription {
	return responsehub.Subscription{TrialEnds: a.cfg.Subscription.TrialEnds}
}

// buildOnboarding makes what takes tenants in, on the parts that look at them.
func (a *App) buildOnboarding(n newcomer) {
	back := ""
	if public := a.cfg.Server.PublicURL; public != "" {
		back = strings.TrimSuffix(public, "/") + "/onboard/back"
	}
	a.onboard = onboard.New(onboard.Config{Back: back, Subscription: a.subscription(), Look: a.rehearsal.Run}, n, a.store, a.directory, a.log.With("part", "onboard"))
}
