package app

import (
	"fmt"
	"os"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/connectors/transport"
	"responsehub/console"
	"responsehub/documents"
	"responsehub/report"
	"responsehub/store"
)

// buildDocuments makes what hands out reports and evidence.
func (a *App) buildDocuments(key []byte, opts Options) (*documents.Office, error) {
	b := a.cfg.Brand
	brand := report.Brand{Name: b.Name, Contact: b.Contact}
	if b.Logo != "" {
		logo, err := os.ReadFile(b.Logo)
		if err != nil {
			return nil, fmt.Errorf("brand.logo: %w", err)
		}
		if brand.Logo, err = report.Logo(logo); err != nil {
			return nil, fmt.Errorf("brand.logo: %w", err)
		}
	}
	return documents.New(documents.Config{Brand: brand, Secret: key, Version: opts.Version}, a.engine)
}

// buildConsole makes the pages for people.
func (a *App) buildConsole(key []byte, programs *api.API, office *documents.Office, opts Options) error {
	hc, err := transport.New(a.outbound(opts))
	if err != nil {
		return fmt.Errorf("outbound: %w", err)
	}
	cfg := console.Config{PublicURL: a.cfg.Server.PublicURL, Sessions: store.NewSessions(a.rdb), Readiness: a.rehearsal, Keys: programs, Version: opts.Version, Documents: office,
		Onboarding: a.onboard, Destinations: a.destinations, Subscription: a.subscription(), Alarm: a.alarm, Visitors: store.NewSessions(a.rdb)}
	for _, p := range a.cfg.PSA {
		cfg.Desks = append(cfg.Desks, p.Name)
	}
	for _, src := range detectors(a.cfg) {
		cfg.Sources = append(cfg.Sources, console.Source{Name: src.Name, Kind: src.Kind, Maps: src.Maps})
	}
	cfg.Mapper, cfg.OnCall, cfg.Companies = a.intake, a.pager, companies(a.psa.connections)
	cfg.NewKey = func(name string, role responsehub.Role, tenants []string) (responsehub.Secret, responsehub.APIKey, error) {
		return api.NewKey(key, name, role, tenants, time.Now())
	}
	if o := a.cfg.Console.OIDC; o != nil {
		cfg.OIDC = &console.OIDC{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, RolesClaim: o.RolesClaim, TenantsClaim: o.TenantsClaim}
	}
	if a.console, err = console.New(cfg, a.engine, a.directory, hc, a.log.With("part", "console")); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	return nil
}
