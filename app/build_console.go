package app

import (
	"fmt"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/connectors/transport"
	"responsehub/console"
	"responsehub/store"
)

// buildConsole makes the pages for people.
func (a *App) buildConsole(key []byte, programs *api.API, opts Options) error {
	hc, err := transport.New(transport.Config{Version: opts.Version, CAFile: a.cfg.Outbound.CAFile})
	if err != nil {
		return fmt.Errorf("outbound: %w", err)
	}
	cfg := console.Config{PublicURL: a.cfg.Server.PublicURL, Sessions: store.NewSessions(a.rdb), Readiness: a.rehearsal, Keys: programs, Version: opts.Version}
	for _, p := range a.cfg.PSA {
		cfg.Desks = append(cfg.Desks, p.Name)
	}
	cfg.NewKey = func(name string, role responsehub.Role, tenants []string) (responsehub.Secret, responsehub.APIKey, error) {
		return api.NewKey(key, name, role, tenants, time.Now())
	}
	if o := a.cfg.Console.OIDC; o != nil {
		cfg.OIDC = &console.OIDC{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, RolesClaim: o.RolesClaim}
	}
	if a.console, err = console.New(cfg, a.engine, a.directory, hc, a.log.With("part", "console")); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	return nil
}
