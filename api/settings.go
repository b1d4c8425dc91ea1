package api

import (
	"slices"
	"time"

	"responsehub"
)

func (a *API) settings(call, none) (Settings, error) { return settingsView(a.dir.Settings()), nil }

// changeSettings stops or starts again all that runs by itself. It reaches every tenant,
// so only an administrator of the whole hub may.
func (a *API) changeSettings(r call, in SettingsChange) (Settings, error) {
	if err := r.actor.May(responsehub.Manage, responsehub.TenantRef{}); err != nil || !slices.Contains(r.actor.Tenants, "*") {
		return Settings{}, &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only an administrator of the whole hub may stop or start what runs by itself."}
	}
	now := a.dir.Settings()
	if in.Automatic == (now.Stopped == nil) {
		return settingsView(now), nil // who stopped it first stays on record
	}
	now.Stopped = nil
	if !in.Automatic {
		now.Stopped = &responsehub.Stop{By: r.actor.By(), At: time.Now().UTC()}
	}
	if err := a.dir.PutSettings(r, r.actor.By(), now); err != nil {
		return Settings{}, err
	}
	a.log.Warn("automatic action switched", "on", in.Automatic, "actor", r.actor.ID, "name", r.actor.Name)
	return settingsView(now), nil
}

func settingsView(s responsehub.Settings) Settings {
	if s.Stopped == nil {
		return Settings{Automatic: true}
	}
	return Settings{ChangedBy: s.Stopped.By.Name, ChangedAt: s.Stopped.At}
}

func guardsView(t *responsehub.Tenant) Guards {
	return Guards{PasswordMode: t.PasswordMode, LocksPerHour: new(t.LocksPerHour()), BreakGlass: t.BreakGlass, SecondPersonFor: t.SecondPersonFor}
}
