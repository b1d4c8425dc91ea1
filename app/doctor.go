package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"responsehub"
	"responsehub/config"
	"responsehub/store"
)

// Diagnosis is what is right and wrong with a configuration, tried out.
type Diagnosis struct {
	At       time.Time               `json:"at"`
	Hub      []responsehub.Check     `json:"hub"`
	Tenants  []responsehub.Readiness `json:"tenants"`
	Missing  int                     `json:"missing"` // of what is needed
	Warnings int                     `json:"warnings"`
}

const askWithin = 15 * time.Second

// Trial says how far a configuration is tried out.
type Trial struct {
	Tenant     string // only this tenant, by name or id; empty: all
	TestCard   bool   // post a card in each Teams channel that is to get any
	TestTicket bool   // make, note and close a ticket in each PSA
	LookOnly   bool   // do not set up the events of ticket systems either
	TestMail   string // send a mail to this address; empty: none
	TestPhone  string // text and call this person, by name or id; empty: nobody
}

// Doctor tries a configuration out without running a hub: Redis, the bot and its
// channels, the sources, and in each tenant what the steps need. Outside it sets up the
// events of ticket systems, where they are missing, and does what else the trial asks for;
// Redis keeps what was found of the tenants that it knows, and an empty one learns how a hub divides it.
func Doctor(ctx context.Context, cfg *config.Config, opts Options, trial Trial) (Diagnosis, error) {
	d := Diagnosis{At: time.Now().UTC(), Hub: []responsehub.Check{}, Tenants: []responsehub.Readiness{}}
	a, err := New(cfg, opts)
	if err != nil {
		return d, err
	}
	a.psa.told = true // once, for the hub, and not for each tenant
	defer a.rdb.Close()
	redis := a.checkRedis(ctx)
	d.Hub = append(d.Hub, redis...)
	reachable := len(redis) > 0 && redis[0].Name != "redis reachable"
	if reachable {
		if err := within(ctx, a.directory.Refresh); err != nil {
			d.Hub = append(d.Hub, responsehub.Check{Name: "redis", Grade: responsehub.CheckUnknown, Sentence: "The list of tenants cannot be read from Redis: " + responsehub.Sentence(err)})
		}
	}
	tenants, err := a.tenantsFor(trial.Tenant)
	if err != nil {
		return d, err
	}
	d.Hub = append(d.Hub, a.checkTeams(ctx)...)
	d.Hub = append(d.Hub, a.checkChannels(ctx, tenants, trial.TestCard)...)
	d.Hub = append(d.Hub, a.checkSources(ctx)...)
	d.Hub = append(d.Hub, a.checkPSA(ctx, trial)...)
	d.Hub = append(d.Hub, a.checkPhone(ctx, trial.TestPhone, reachable)...)
	d.Hub = append(d.Hub, a.checkMail(ctx, tenants, trial.TestMail)...)
	d.Hub = append(d.Hub, a.checkHooks(tenants)...)
	for _, t := range tenants {
		// Not kept where the hub does not know the tenant yet: it would be nobody's.
		r, err := a.rehearsal.Run(ctx, t)
		if ctx.Err() != nil {
			return d, ctx.Err()
		}
		if err != nil && len(r.Checks) == 0 {
			return d, err
		}
		d.Tenants = append(d.Tenants, r)
	}
	d.count()
	return d, nil
}

func (d *Diagnosis) count() {
	all := d.Hub
	for _, t := range d.Tenants {
		all = append(all[:len(all):len(all)], t.Checks...)
	}
	for i := range all {
		switch all[i].Grade {
		case responsehub.CheckMissing:
			d.Missing++
		case responsehub.CheckWarning, responsehub.CheckUnknown:
			d.Warnings++
		}
	}
}

func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return f(ctx)
}

// tenantsFor are the tenants to look at: those that the hub knows and, beside them, those
// of the file.
func (a *App) tenantsFor(name string) ([]responsehub.Tenant, error) {
	all := a.directory.Tenants()
	fromFile, _ := a.cfg.TenantsAndPeople()
	for _, t := range fromFile {
		if _, known := a.directory.Tenant(t.MicrosoftTenantID); !known {
			t.ID = "" // it gets one when the hub takes it over
			all = append(all, t)
		}
	}
	if name == "" {
		return all, nil
	}
	for _, t := range all {
		if t.Known(name) || strings.EqualFold(t.Name, name) {
			return []responsehub.Tenant{t}, nil
		}
	}
	return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.60q, neither in the configuration nor in Redis.", name)}
}

var grades = map[store.Grade]responsehub.Grade{
	store.Good: responsehub.CheckOK, store.Weak: responsehub.CheckWarning, store.Bad: responsehub.CheckMissing, store.Unknown: responsehub.CheckUnknown,
}

func (a *App) checkRedis(ctx context.Context) []responsehub.Check {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var checks []responsehub.Check
	for _, f := range a.store.Check(ctx) {
		checks = append(checks, responsehub.Check{Name: "redis " + f.Name, Grade: grades[f.Grade], Sentence: f.Sentence})
	}
	return checks
}

// checkTeams tries the bot's secret and reads the keys with which Teams signs.
func (a *App) checkTeams(ctx context.Context) []responsehub.Check {
	if a.bot == nil {
		return []responsehub.Check{{Name: "teams", Grade: responsehub.CheckWarning, Sentence: "The section teams is missing: nobody sees a card."}}
	}
	check := func(name, good, bad string, f func(context.Context) error) responsehub.Check {
		if err := within(ctx, f); err != nil {
			if _, ours := errors.AsType[*responsehub.Error](err); ours {
				bad += " " + responsehub.Sentence(err)
			}
			return responsehub.Check{Name: name, Grade: responsehub.CheckMissing, Sentence: bad}
		}
		return responsehub.Check{Name: name, Grade: responsehub.CheckOK, Sentence: good}
	}
	return []responsehub.Check{
		check("teams token", "The bot can sign in.", "The bot cannot sign in, so it could post no card. Check teams.app_id, teams.tenant_id and teams.client_secret (an expired secret is the usual cause), and that teams.login can be reached.", a.bot.SignIn),
		check("teams keys", "The keys with which Teams signs can be read.", "The keys with which Teams signs cannot be read, so no click would be accepted. Check that teams.openid can be reached from here.", a.bot.Warm),
	}
}

// checkSources tells whether an alert could come in at all: a secret that cannot be used
// is refused when the hub is put together.
func (a *App) checkSources(ctx context.Context) []responsehub.Check {
	if len(a.cfg.Sources) == 0 {
		return []responsehub.Check{{Name: "sources", Grade: responsehub.CheckMissing, Sentence: "No source is configured: no alert can come in. Fill in sources."}}
	}
	var checks []responsehub.Check
	for _, s := range a.cfg.Sources {
		checks = append(checks, responsehub.Check{Name: "source " + s.Name, Grade: responsehub.CheckOK, Sentence: fmt.Sprintf("Alerts are taken at /v1/alerts/%s (%s).", s.Name, s.Kind)})
	}
	return append(checks, a.checkPolls(ctx)...)
}
