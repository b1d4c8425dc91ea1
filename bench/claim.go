package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
)

// claim measures how long an idle hub takes from a write that wakes a lane to the
// follower's first line, and how often it asks Redis until the lane is given back.
func claim(ctx context.Context, o options, t *table) error {
	redis, err := startRedis(ctx)
	if err != nil {
		return err
	}
	defer redis.stop()
	rdb, err := redis.client()
	if err != nil {
		return err
	}
	defer rdb.Close()
	asked := &trips{}
	rdb.AddHook(asked)
	s := store.New(rdb)
	f := &noter{visits: make(chan time.Time, 1)}
	e, err := remediation.New(s, s, remediation.Config{
		Key: make([]byte, remediation.KeySize), Tenants: oneTenant{}, Followers: []responsehub.Follower{f},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { e.Run(run) })
	defer func() { stop(); wg.Wait() }()

	var durable, visited spread
	for n := range 4 * o.samples {
		var a responsehub.Alert
		if err := json.Unmarshal(alert("claim", n), &a); err != nil {
			return err
		}
		start := time.Now()
		if _, _, err := e.Open(ctx, responsehub.Delivery{Source: "detector", ID: fmt.Sprint(n), BodyHash: "h"}, &a); err != nil {
			return err
		}
		durable = append(durable, time.Since(start))
		select {
		case at := <-f.visits:
			visited = append(visited, at.Sub(start))
		case <-time.After(10 * time.Second):
			return fmt.Errorf("alert %d was not followed within ten seconds", n)
		}
		if !wait(ctx, 15*time.Millisecond) { // idle again
			return ctx.Err()
		}
	}
	t.note("claim", "alert to durable, p50", "%.3g ms (%s)", durable.at(.5), durable.tail())
	t.note("claim", "alert to the follower's start, p50", "%.3g ms (%s)", visited.at(.5), visited.tail())
	each := func(n int64) float64 { return float64(n) / float64(len(visited)) }
	t.note("claim", "round trips of an alert with one turn", "%.1f, of them %.1f to open, %.1f to claim, %.1f to save and settle",
		each(asked.opening.Load()+asked.claiming.Load()+asked.settling.Load()), each(asked.opening.Load()), each(asked.claiming.Load()), each(asked.settling.Load()))
	return nil
}

// noter notes when it is visited, saves once and settles, as a step does.
type noter struct{ visits chan time.Time }

func (f *noter) Lane() responsehub.Lane { return responsehub.LaneTeams }

func (f *noter) Wake(inc *responsehub.Incident, _ []responsehub.Event) bool { return inc.Link != "" }

func (f *noter) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	now := time.Now()
	err := t.Save(ctx, func(inc *responsehub.Incident) error { inc.Summary = "intent"; return nil })
	f.visits <- now
	if err != nil {
		return responsehub.TryAgain(err, nil)
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error { inc.Link = ""; return nil })
}

// oneTenant knows Contoso, Response off.
type oneTenant struct{}

func (oneTenant) Tenant(string) (responsehub.Tenant, bool) {
	return responsehub.Tenant{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: tenantID}, true
}

func (o oneTenant) TenantOf(context.Context, int64, string, responsehub.AlertTenant) (responsehub.Tenant, bool, error) {
	t, ok := o.Tenant("")
	return t, ok, nil
}

func (oneTenant) Version() int64 { return 0 }
