package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"responsehub"
	"responsehub/api"
	"responsehub/bot"
	"responsehub/config"
	"responsehub/connectors/entra"
	"responsehub/connectors/exchange"
	"responsehub/connectors/graph"
	"responsehub/connectors/transport"
	"responsehub/intake"
	"responsehub/remediation"
	"responsehub/remediation/steps"
	"responsehub/store"
)

// New puts a hub together from a checked configuration. It makes no request.
func New(cfg *config.Config, opts Options) (*App, error) {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	key := cfg.Secrets.Bytes()
	a := &App{cfg: cfg, log: log, health: &health{version: opts.Version}}
	if err := a.buildTrace(opts); err != nil {
		return nil, err
	}
	if err := a.buildStore(key); err != nil {
		return nil, err
	}
	if err := a.buildOutside(opts); err != nil {
		return nil, errors.Join(err, a.rdb.Close())
	}
	a.buildOperators()
	if err := a.buildPSA(key, opts); err != nil {
		return nil, errors.Join(err, a.rdb.Close())
	}
	var err error
	if a.intake, err = intake.New(intake.Config{Sources: sources(cfg)}, a.trace.Opens(a.engine), log.With("part", "intake")); err != nil {
		return nil, errors.Join(err, a.rdb.Close())
	}
	if err := a.buildPolls(opts); err != nil {
		return nil, errors.Join(err, a.rdb.Close())
	}
	office, err := a.buildDocuments(key, opts)
	if err != nil {
		return nil, errors.Join(err, a.rdb.Close())
	}
	programs := api.New(api.Config{BootstrapKey: opts.BootstrapKey, Key: key, Preflight: a.rehearsal, Documents: office, OnCall: a.pager, Onboarding: a.onboard, Destinations: a.destinations, Subscription: a.subscription(),
		Sources: detectors(cfg), Mapper: a.intake, Companies: companies(a.psa.connections), Channels: a.directory}, a.engine, a.directory, log.With("part", "api"))
	if err := a.buildConsole(key, programs, office, opts); err != nil {
		return nil, errors.Join(err, a.rdb.Close())
	}
	a.public = server(a.handler(programs), log)
	nobodyTold(cfg, log)
	if cfg.Server.AdminListen != "" {
		a.admin = server(a.adminHandler(), log)
	}
	return a, nil
}

// buildStore makes the store and the engine on it.
func (a *App) buildStore(key []byte) error {
	r := a.cfg.Redis
	rdb, err := store.Open(store.Config{Addrs: r.Addrs, MasterName: r.MasterName, Cluster: r.Cluster, Username: r.Username, Password: r.Password, TLS: r.TLS})
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	a.rdb, a.store = rdb, store.New(rdb)
	a.directory = store.NewDirectory(rdb, a.log.With("part", "directory"))
	a.engine, err = remediation.New(a.store, a.store, remediation.Config{
		Key: key, Tenants: a.directory, Settings: a.directory.Settings, Counts: store.NewLimits(rdb), Roles: a.roles, Around: a.aroundTurns(),
	}, a.log.With("part", "engine"))
	if err != nil {
		return errors.Join(err, rdb.Close())
	}
	return nil
}

// buildOutside makes the connectors and gives the engine its followers.
func (a *App) buildOutside(opts Options) error {
	hc, err := transport.New(a.outbound(opts))
	if err != nil {
		return fmt.Errorf("outbound: %w", err)
	}
	m := a.cfg.Microsoft
	login, err := entra.New(entra.Config{ClientID: m.ClientID, ClientSecret: m.ClientSecret, Certificate: string(m.Certificate), Authority: m.Authority, Graph: m.Graph}, hc)
	if err != nil {
		return fmt.Errorf("microsoft: %w", err)
	}
	limiter := &transport.Limiter{}
	own := []string(nil)
	if a.cfg.Teams != nil {
		own = append(own, a.cfg.Teams.AppID)
	}
	if a.graph, err = graph.New(graph.Config{Graph: m.Graph, OwnApps: own}, login, hc, limiter, a.log.With("part", "graph")); err != nil {
		return fmt.Errorf("microsoft.graph: %w", err)
	}
	mail, err := exchange.New(exchange.Config{Exchange: m.Exchange}, login, hc, limiter)
	if err != nil {
		return fmt.Errorf("microsoft.exchange: %w", err)
	}
	persistence := &steps.DisablePersistence{
		Kinds: map[responsehub.ItemKind]steps.Foothold{
			responsehub.InboxRule: a.graph.Rules(), responsehub.ServicePrincipal: a.graph.EnterpriseApps(),
			responsehub.AppRegistration: a.graph.Registrations(), responsehub.InboundConnector: mail.Connectors(),
			responsehub.OAuthGrant: a.graph.Grants(), responsehub.AuthMethod: a.graph.Methods(), responsehub.Device: a.graph.Devices(),
			responsehub.AutoReply: a.graph.AutoReplies(), responsehub.Forwarding: mail.Forwarding(), responsehub.Delegate: mail.Delegates(),
			responsehub.SweepRule: mail.SweepRules(), responsehub.TransportRule: mail.TransportRules(),
		},
		Hidden: mail.HiddenRules(), Scanners: []steps.Scanner{a.graph, mail}, Looks: opts.Looks, Settings: a.directory.Settings, Paused: a.paused,
	}
	a.signIns = login.Delegated(hc, a.engine.Vault(), a.store)
	account := &steps.AccountLane{Directory: a.graph, Groups: a.graph, Vault: a.engine.Vault(), Mode: a.passwordMode, Writeback: a.graph.Writeback(a.signIns)}
	a.engine.Follow(
		&steps.Lock{Directory: a.graph, Groups: a.graph, LockGroup: a.lockGroup, BreakGlass: a.breakGlass},
		&steps.Watch{Directory: a.graph, Schedule: opts.Watch},
		&steps.Retract{Mail: a.graph, Letters: a.store},
		persistence, account,
	)
	a.buildPreflight(probe{login: login, graph: a.graph, mail: mail}, persistence, account)
	a.buildOnboarding(newcomer{login: login, graph: a.graph, client: hc})
	if err := a.buildMail(); err != nil {
		return err
	}
	if err := a.buildHooks(opts); err != nil {
		return err
	}
	if err := a.buildPhone(hc, a.cfg.Secrets.Bytes()); err != nil {
		return err
	}
	return a.buildTeams(hc)
}

// lockGroup is the lock group of a tenant, as the directory knows it now.
func (a *App) lockGroup(tenant string) string {
	t, _ := a.directory.Tenant(tenant)
	return t.LockGroup
}

// breakGlass reports whether a tenant never has the account locked by itself.
func (a *App) breakGlass(tenant string, account responsehub.Account) bool {
	t, _ := a.directory.Tenant(tenant)
	return t.IsBreakGlass(account)
}

// paused is what a pause of a tenant holds back now.
func (a *App) paused(tenant string) []responsehub.Hold {
	t, _ := a.directory.Tenant(tenant)
	return t.Holds()
}

// passwordMode is how a tenant's passwords are reset, as the directory knows it now.
func (a *App) passwordMode(tenant string) responsehub.PasswordMode {
	t, _ := a.directory.Tenant(tenant)
	return t.PasswordMode
}

// roles asks for an account's directory roles. The engine is made before the client.
func (a *App) roles(ctx context.Context, tenant, user string) ([]string, error) {
	return a.graph.Roles(ctx, tenant, user)
}

// buildTeams makes the bot, where Teams is configured.
func (a *App) buildTeams(hc *http.Client) error {
	t := a.cfg.Teams
	if t == nil {
		a.log.Warn("teams is not configured: nobody sees a card")
		return nil
	}
	var err error
	a.bot, err = bot.New(bot.Config{
		AppID: t.AppID, TenantID: t.TenantID, ClientSecret: t.ClientSecret, Login: t.Login, OpenID: t.OpenID,
		ServiceHosts: t.ServiceHosts, AllowLoopback: t.AllowLoopback, Channels: a.cfg.Fallback.Teams,
		Lacks: a.rehearsal.Lacks, Console: a.cfg.Server.PublicURL, Limits: teamsLimits{store.NewLimits(a.rdb)},
		OnCall: a.pager.OnCall,
	}, a.engine, a.directory, hc, a.log.With("part", "teams"))
	if err != nil {
		return fmt.Errorf("teams: %w", err)
	}
	a.engine.Follow(a.bot.Follower())
	return nil
}

func sources(cfg *config.Config) []intake.Source {
	var out []intake.Source
	for _, s := range cfg.Sources {
		out = append(out, intake.Source{Name: s.Name, Kind: intake.Kind(s.Kind), Secrets: s.Secrets, Header: s.Header, Token: s.Token, Map: s.Map})
	}
	return out
}

// detectors are the sources as people and programs see them.
func detectors(cfg *config.Config) []api.Source {
	var out []api.Source
	for _, s := range cfg.Sources {
		out = append(out, api.Source{Name: s.Name, Kind: s.Kind, Maps: len(s.Map) > 0})
	}
	return out
}

// nobodyTold says loudly which tenants have nobody: whoever relies on a call at night
// must not find out that night.
func nobodyTold(cfg *config.Config, log *slog.Logger) {
	for _, t := range cfg.Tenants {
		mailed := cfg.Mail != nil && len(t.Notify.Mail) > 0
		called := cfg.Twilio != nil && t.Notify.Phone != nil
		if len(t.Notify.Teams) == 0 && len(cfg.Fallback.Teams) == 0 && !mailed && !called && len(t.Notify.Slack) == 0 {
			log.Warn("NOBODY IS TOLD about this tenant's incidents: it has no Teams channel, no phone sequence, no mail address and no Slack", "tenant", t.Name)
		}
	}
}
