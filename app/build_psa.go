package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/config"
	"responsehub/connectors/autotask"
	"responsehub/connectors/connectwise"
	"responsehub/connectors/halopsa"
	"responsehub/connectors/transport"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/ticket"
)

// psa is what keeps tickets. Without a connection its maps are empty.
type psa struct {
	connections map[string]ticket.Connection
	inbound     *ticket.Inbound
	keeper      *ticket.Keeper
	follower    *ticket.Follower
	shared      *store.Tickets

	told    bool       // what is wrong with connections is told elsewhere
	looking sync.Mutex // guards looked
	looked  map[string]looked
}

// buildPSA makes the desks of the configuration and the follower that keeps tickets.
func (a *App) buildPSA(key []byte, opts Options) error {
	out := a.outbound(opts)
	out.Timeout = 25 * time.Second
	hc, err := transport.New(out)
	if err != nil {
		return fmt.Errorf("outbound: %w", err)
	}
	log := a.log.With("part", "psa")
	shared := store.NewTickets(a.rdb)
	a.psa.shared = shared
	a.psa.connections = map[string]ticket.Connection{}
	doors := map[string]ticket.Door{}
	unknown := ""
	for _, p := range a.cfg.PSA {
		desk, product, err := openDesk(p, hc, derived(key, "psa events of "+p.Name), buckets{store.NewLimits(a.rdb)})
		if err != nil {
			return fmt.Errorf("psa %s: %w", p.Name, err)
		}
		a.psa.connections[p.Name] = ticket.Connection{
			Desk: desk, Product: product, AtOnce: atOnce[p.Kind], ReopenDays: p.ReopenDays, AcknowledgeOn: p.AcknowledgeOn, CloseOnTicketClose: p.CloseOnTicketClose,
		}
		if inbox, ok := desk.(ticket.Inbox); ok {
			doors[p.Name] = ticket.Door{Inbox: inbox, Token: derived(key, "psa address of "+p.Name)}
		}
		if unknown == "" && desk != nil && p.CatchAllCompany != "" {
			unknown = p.Name
		}
	}
	a.psa.follower = ticket.NewFollower(ticket.Config{
		Connections: a.psa.connections, Unknown: unknown, Tenant: a.directory.Tenant, Queue: shared, Index: shared,
		Record: a.record, Link: a.incidentLink, Before: a.engine.Before, Alarm: a.alarm, Log: log,
	})
	a.psa.keeper = &ticket.Keeper{
		Connections: a.psa.connections, Open: a.openIncidents, Moves: a.psa.follower.Moves, Hub: a.engine, Queue: shared, Once: shared, Log: log,
		Address: func(name string) string { return a.eventsAddress(doors, name) },
	}
	a.psa.inbound = &ticket.Inbound{Doors: doors, Index: shared, Once: shared, Hub: a.engine, Heard: shared.Hear, Off: a.psa.keeper.Off, Log: log}
	if len(a.psa.connections) > 0 {
		a.engine.Follow(a.psa.follower)
	}
	return nil
}

// atOnce is how many incidents are worked on at once at a PSA of the kind, by all
// replicas together. Autotask allows three calls at once to one kind of object.
var atOnce = map[string]int{"connectwise": 4, "autotask": 2, "halopsa": 3}

// openDesk makes the desk of a connection. The secret is for a PSA that signs its events
// with one that the hub chooses.
func openDesk(p config.PSA, hc *http.Client, secret string, shared buckets) (desk ticket.Desk, product string, err error) {
	switch p.Kind {
	case "connectwise":
		desk, err = connectwise.New(connectwise.Config{
			Site: p.Site, Company: p.Company, PublicKey: p.PublicKey, PrivateKey: p.PrivateKey, ClientID: p.ClientID, Board: p.Board, CatchAll: p.CatchAllCompany,
			Statuses: statuses(p.Statuses), Priorities: priorities(p.Priorities), Type: p.Type, Source: p.Source, Public: p.Publish == "public",
		}, hc)
		return desk, "ConnectWise", err
	case "autotask":
		desk, err = autotask.New(autotask.Config{
			Name: p.Name, ZoneURL: p.ZoneURL, Username: p.Username, Secret: p.Secret, IntegrationCode: p.IntegrationCode, Queue: p.Queue, CatchAll: p.CatchAllCompany,
			Statuses: statuses(p.Statuses), Priorities: priorities(p.Priorities), Category: p.Type, Source: p.Source, Public: p.Publish == "public", EventKey: secret, Buckets: shared, Hourly: p.CallsPerHour,
		}, hc)
		return desk, "Autotask", err
	case "halopsa":
		desk, err = halopsa.New(halopsa.Config{
			URL: p.URL, AuthURL: p.AuthURL, Tenant: p.Tenant, ClientID: p.ClientID, ClientSecret: p.ClientSecret, Team: p.Team, CatchAll: p.CatchAllCompany,
			Statuses: statuses(p.Statuses), Priorities: priorities(p.Priorities), Type: p.Type, Public: p.Publish == "public", EventKey: secret,
		}, hc)
		return desk, "HaloPSA", err
	}
	return nil, p.Kind, fmt.Errorf("there is no kind %q", p.Kind)
}

func statuses(s config.Statuses) map[ticket.Stage]string {
	return map[ticket.Stage]string{
		ticket.New: s.New, ticket.Working: s.Working, ticket.Contained: s.Contained, ticket.Waiting: s.Waiting, ticket.Closed: s.Closed, ticket.Reopened: s.Reopened,
	}
}

func priorities(names map[string]string) map[responsehub.Severity]string {
	out := map[responsehub.Severity]string{}
	for severity, name := range names {
		out[responsehub.Severity(severity)] = name
	}
	return out
}

// derived is a text that nobody guesses and every replica knows.
func derived(key []byte, use string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(use))
	return hex.EncodeToString(mac.Sum(nil))[:40]
}

// eventsAddress is where a PSA sends its events, or "" when it cannot.
func (a *App) eventsAddress(doors map[string]ticket.Door, name string) string {
	door, ok := doors[name]
	if !ok || a.cfg.Server.PublicURL == "" {
		return ""
	}
	return strings.TrimRight(a.cfg.Server.PublicURL, "/") + "/psa/" + url.PathEscape(name) + "/events?token=" + door.Token
}

// incidentLink is an incident's page in the console.
func (a *App) incidentLink(inc *responsehub.Incident) string {
	if a.cfg.Server.PublicURL == "" {
		return ""
	}
	return strings.TrimRight(a.cfg.Server.PublicURL, "/") + "/incidents/" + url.PathEscape(inc.ID)
}

// record reads an incident's events.
func (a *App) record(ctx context.Context, incident string) ([]responsehub.Event, error) {
	raw, err := a.engine.Events(ctx, responsehub.Hub, incident)
	if err != nil {
		return nil, err
	}
	events := make([]responsehub.Event, len(raw))
	for i, b := range raw {
		if err := json.Unmarshal(b, &events[i]); err != nil {
			return nil, errors.New("a stored event cannot be read")
		}
	}
	return events, nil
}

// openIncidents pages through the incidents that are not over.
func (a *App) openIncidents(ctx context.Context, cursor string) ([]*responsehub.Incident, string, error) {
	state, rest, _ := strings.Cut(cursor, "|")
	if cursor == "" {
		state = string(responsehub.Active)
	}
	page, err := a.engine.Incidents(ctx, responsehub.Hub, remediation.Query{State: responsehub.IncidentState(state), Cursor: rest, Limit: 200})
	switch {
	case err != nil:
		return nil, "", err
	case page.Next != "":
		return page.Incidents, state + "|" + page.Next, nil
	case state == string(responsehub.Active):
		return page.Incidents, string(responsehub.Unpublished) + "|", nil
	}
	return page.Incidents, "", nil
}
