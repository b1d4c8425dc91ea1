package app

import (
	"responsehub/connectors/webhook"
	"responsehub/hook"
)

// buildHooks makes what tells outgoing webhooks and Slack. Addresses on this machine are
// for simulators, and so is the switch of Teams for them.
func (a *App) buildHooks(opts Options) error {
	sender, err := webhook.New(webhook.Config{
		Version: opts.Version, CAFile: a.cfg.Outbound.CAFile, Key: a.cfg.Secrets.Bytes(), AllowLoopback: a.cfg.Teams != nil && a.cfg.Teams.AllowLoopback,
	})
	if err != nil {
		return err
	}
	a.engine.Follow(hook.Followers(hook.Config{Tenant: a.directory.Tenant, Record: a.record, Link: a.incidentLink}, sender, a.log.With("part", "webhooks"))...)
	return nil
}
