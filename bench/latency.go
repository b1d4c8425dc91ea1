package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"responsehub"
	"responsehub/sim"
	"responsehub/sim/teams"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const (
	mostAlert = 25 // ms from an alert to the first request outside
	mostClick = 15 // ms from a click's arrival to the first request at Graph
	warm      = 3  // samples that do not count
)

// latency measures how soon an idle hub reaches Graph and Teams, with tokens that are
// warm: after an alert, after a click on the card, and after a request to the API.
func latency(ctx context.Context, o options, t *table) error {
	s, err := raise(ctx, 2, true)
	defer s.stop()
	if err != nil {
		return err
	}
	total := o.samples + warm
	waiting, err := s.published(ctx, 2*total)
	if err != nil {
		return err
	}
	var graph, card, click, api spread
	for n := range total {
		g, c, err := s.alertSample(ctx, n)
		if err != nil {
			return fmt.Errorf("alert %d: %w", n, err)
		}
		k, err := s.stepSample(ctx, waiting[n], "/api/messages", s.click)
		if err != nil {
			return fmt.Errorf("click %d: %w", n, err)
		}
		a, err := s.stepSample(ctx, waiting[total+n], "/v1/incidents/:id/steps/:step", s.request)
		if err != nil {
			return fmt.Errorf("request %d: %w", n, err)
		}
		if n >= warm {
			graph, card, click, api = append(graph, g), append(card, c), append(click, k), append(api, a)
		}
	}
	t.most("latency", "alert to Graph, p50", graph.at(.5), mostAlert, "ms")
	t.note("latency", "  beyond", "%s", graph.tail())
	t.most("latency", "alert to Teams, p50", card.at(.5), mostAlert, "ms")
	t.note("latency", "  beyond", "%s", card.tail())
	t.most("latency", "click's arrival to Graph, p50", click.at(.5), mostClick, "ms")
	t.note("latency", "  beyond", "%s", click.tail())
	t.most("latency", "API request's arrival to Graph, p50", api.at(.5), mostClick, "ms")
	t.note("latency", "  beyond", "%s", api.tail())
	return nil
}

// victim is an alert for an account of its own at the n-th customer.
func (s *stage) victim(customer, n int) (alert map[string]any, user string) {
	scene := s.world.Scenes[customer]
	u := scene.Tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("bench%d@%s", n, scene.Tenant.Domains[0].Name), Name: fmt.Sprint("Bench ", n)})
	alert = scene.Alert(fmt.Sprintf("bench-%d-%d", customer, n))
	alert["account"] = map[string]any{"object_id": u.ID, "user_principal_name": u.UPN}
	delete(alert, "persistence")
	delete(alert, "phish")
	return alert, u.ID
}

// alertSample posts an alert where Response is on.
func (s *stage) alertSample(ctx context.Context, n int) (graph, card time.Duration, err error) {
	alert, user := s.victim(0, n)
	start := time.Now()
	if _, _, err := s.post(ctx, alert); err != nil {
		return 0, 0, err
	}
	at, err := s.reached(ctx, "graph", func(r wire.Request) bool { return about(r, user) })
	if err != nil {
		return 0, 0, err
	}
	graph = at.Sub(start)
	at, err = s.reached(ctx, "teams", func(r wire.Request) bool { return r.Method == http.MethodPost })
	if err != nil {
		return 0, 0, err
	}
	return graph, at.Sub(start), s.idle(ctx)
}

// about reports whether a request concerns the user, also inside a batch.
func about(r wire.Request, user string) bool {
	return strings.Contains(r.Path, user) || strings.Contains(r.Body, user)
}

// prepared is an incident that is published and on which nothing was asked for yet.
type prepared struct{ id, ref, user string }

// published opens and publishes n incidents and waits until their cards show it.
func (s *stage) published(ctx context.Context, n int) (all []prepared, err error) {
	for i := range n {
		alert, user := s.victim(1, i)
		id, ref, err := s.post(ctx, alert)
		if err != nil {
			return nil, err
		}
		if _, err := s.hub.Engine().Request(ctx, technician, id, responsehub.Publish, responsehub.StepRequest{}); err != nil {
			return nil, err
		}
		all = append(all, prepared{id, ref, user})
	}
	for range 600 {
		ready := 0
		for _, p := range all {
			if m, ok := s.card(p.ref); ok && strings.Contains(string(m.Card), lockButton) {
				ready++
			}
		}
		if ready == n {
			return all, s.idle(ctx)
		}
		if !wait(ctx, 200*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
	return nil, errors.New("the cards do not show that the incidents are published")
}

// lockButton is the title of the button that asks for the lock.
var lockButton = "1 " + responsehub.Lock.Title()

// card finds an incident's card.
func (s *stage) card(ref string) (teams.MessageState, bool) {
	for _, ch := range s.world.Teams.Snapshot().Channels {
		for _, m := range ch.Messages {
			if m.Card != nil && !m.Deleted && strings.Contains(string(m.Card), ref) {
				return m, true
			}
		}
	}
	return teams.MessageState{}, false
}

// stepSample asks for the lock in one way or another.
func (s *stage) stepSample(ctx context.Context, p prepared, route string, ask func(context.Context, prepared) error) (time.Duration, error) {
	start := time.Now()
	if err := ask(ctx, p); err != nil {
		return 0, err
	}
	at, err := s.reached(ctx, "graph", func(r wire.Request) bool { return about(r, p.user) })
	if err != nil {
		return 0, err
	}
	for range 100 { // the hub logs a request after its answer
		if in := s.doors.last(route); in.After(start) {
			return at.Sub(in), s.idle(ctx)
		}
		if !wait(ctx, 10*time.Millisecond) {
			break
		}
	}
	return 0, fmt.Errorf("the hub logged no request at %s", route)
}

// click presses the button of the lock on the incident's card.
func (s *stage) click(ctx context.Context, p prepared) error {
	m, ok := s.card(p.ref)
	if !ok {
		return fmt.Errorf("there is no card of %s", p.ref)
	}
	out, err := s.world.Play(ctx, sim.Act{Do: "click", Press: teams.Press{Person: "ann", Activity: m.ID, Title: lockButton}})
	if o, ok := out.(teams.Outcome); ok && o.Status != http.StatusOK {
		return fmt.Errorf("the hub answered the click %d %s", o.Status, o.Message)
	}
	return err
}

// request asks for the lock by the API.
func (s *stage) request(ctx context.Context, p prepared) error {
	var answer any
	return s.do(ctx, "/v1/incidents/"+p.id+"/steps/lock", http.Header{"Authorization": {"Bearer " + apiKey}}, []byte("{}"), &answer)
}
