package app

import (
	"context"
	"time"

	"responsehub"
	"responsehub/connectors/webhook"
	"responsehub/hook"
	"responsehub/remediation"
)

// buildHooks makes what tells outgoing webhooks and Slack. Addresses on this machine are
// for simulators, and so is the switch of Teams for them.
func (a *App) buildHooks(opts Options) error {
	sender, err := webhook.New(webhook.Config{
		Version: opts.Version, CAFile: a.cfg.Outbound.CAFile, Key: a.cfg.Secrets.Bytes(), AllowLoopback: a.cfg.Teams != nil && a.cfg.Teams.AllowLoopback,
		Generations: func(address string) []int { return a.signing(address).Generations(time.Now()) },
	})
	if err != nil {
		return err
	}
	a.engine.Follow(hook.Followers(hook.Config{Tenant: a.directory.Tenant, Record: a.record, Link: a.incidentLink}, sender, a.log.With("part", "webhooks"))...)
	a.destinations = hook.NewDestinations(hook.Office{
		Directory: a.directory, Sender: sender, Amend: a.engine.Amend,
		Secret: func(address string, generation int) responsehub.Secret {
			return webhook.Secret(a.cfg.Secrets.Bytes(), address, generation)
		},
		Incidents: func(ctx context.Context, actor responsehub.Actor, tenant string, n int) ([]*responsehub.Incident, error) {
			page, err := a.engine.Incidents(ctx, actor, remediation.Query{Tenant: tenant, Limit: n})
			return page.Incidents, err
		},
	})
	return nil
}

// signing is how an outgoing webhook is signed, as the directory knows it now.
func (a *App) signing(address string) responsehub.Signing {
	return a.directory.Settings().Signing[responsehub.AddressID(address)]
}

// HookSecret is the secret with which deliveries to an address are signed now. It is for
// the demo, which tells its own receiver.
func (a *App) HookSecret(address string) responsehub.Secret {
	return webhook.Secret(a.cfg.Secrets.Bytes(), address, a.signing(address).Generation)
}
