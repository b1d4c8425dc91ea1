package api

import (
	"fmt"
	"slices"
	"time"

	"responsehub"
)

// maxGuarded bounds each of a tenant's lists of accounts.
const maxGuarded = 1000

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

// check refuses guards that would guard nothing.
func (g *Guards) check(at string) error {
	switch n := g.LocksPerHour; {
	case g.PasswordMode != "" && !slices.Contains(responsehub.PasswordModes, g.PasswordMode):
		return invalid(at+"/password_mode", "The password mode must be cloud, writeback or manual.")
	case n != nil && (*n < 0 || *n > 1000):
		return invalid(at+"/automatic_locks_per_hour", "The limit must be a whole number from 0 to 1000.")
	case len(g.BreakGlass) > maxGuarded || len(g.SecondPersonFor) > maxGuarded:
		return invalid(at, fmt.Sprintf("A list of accounts has more than %d entries.", maxGuarded))
	}
	for i, name := range g.BreakGlass {
		if !responsehub.NamesAccount(name) {
			return invalid(fmt.Sprintf("%s/break_glass/%d", at, i), "An account is named by its principal name (pat@contoso.com) or its object id.")
		}
	}
	for i, name := range g.SecondPersonFor {
		if name != responsehub.Admins && !responsehub.NamesAccount(name) {
			return invalid(fmt.Sprintf("%s/second_person_for/%d", at, i), "An account is named by its principal name (pat@contoso.com) or its object id; admins is every account with a directory role.")
		}
	}
	return nil
}

func (g *Guards) apply(t *responsehub.Tenant) {
	t.PasswordMode, t.Limits.AutomaticLocksPerHour = g.PasswordMode, g.LocksPerHour
	t.BreakGlass, t.SecondPersonFor = g.BreakGlass, g.SecondPersonFor
}
