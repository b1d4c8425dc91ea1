package crashtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/remediation"
)

// load is some people and programs at work while workers die.
type load struct {
	t *testing.T
	e *remediation.Engine

	mu        sync.Mutex
	incidents []string
	commands  []command
}

// command is something that was asked for, perhaps twice, and its answer.
type command struct {
	incident, id string
	kind         responsehub.EventKind // what it leaves in the record when it was the first
	joined       bool
}

// run opens and works through n incidents, begun at chance moments of the time given.
func (l *load) run(ctx context.Context, n int, over time.Duration) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			pause(ctx, rand.N(over))
			if err := l.incident(ctx, i); err != nil {
				l.t.Errorf("incident %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// incident opens the i-th incident and asks for all its steps until it is closed. Each
// third one is of a tenant where nothing runs by itself.
func (l *load) incident(ctx context.Context, i int) error {
	tenant := automatic
	if i%3 == 0 {
		tenant = asked
	}
	id, err := l.deliver(ctx, i, tenant)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.incidents = append(l.incidents, id)
	l.mu.Unlock()
	ask := func(step responsehub.StepID, kind responsehub.EventKind, r responsehub.StepRequest) {
		if err == nil {
			err = l.ask(ctx, id, fmt.Sprintf("c%d-%s", i, step), kind, step, r)
		}
	}
	if tenant == asked {
		ask(responsehub.Publish, responsehub.EventPublished, responsehub.StepRequest{})
		ask(responsehub.Persistence, responsehub.EventRequested, responsehub.StepRequest{})
		ask(responsehub.Lock, responsehub.EventRequested, responsehub.StepRequest{})
		ask(responsehub.Retract, responsehub.EventRequested, responsehub.StepRequest{})
	}
	ask(responsehub.Lock, responsehub.EventRequested, responsehub.StepRequest{}) // joins
	ask(responsehub.Password, responsehub.EventRequested, responsehub.StepRequest{})
	ask(responsehub.Reenable, responsehub.EventSkipped, responsehub.StepRequest{Skip: true, Reason: "the account stays off"})
	ask(responsehub.Close, responsehub.EventClosed, responsehub.StepRequest{})
	return err
}

// deliver sends the alert until it is accepted, as senders do, and then once more.
func (l *load) deliver(ctx context.Context, i int, tenant string) (id string, err error) {
	a := &responsehub.Alert{
		Version: "1", ID: fmt.Sprint("a", i), DetectedAt: time.Now(), Tenant: responsehub.AlertTenant{MicrosoftTenantID: tenant},
		Account: responsehub.Account{UserPrincipalName: fmt.Sprintf("u%d@example.com", i)}, Severity: responsehub.High, Title: "Account takeover",
	}
	d := responsehub.Delivery{Source: "detector", ID: fmt.Sprint("d", i), BodyHash: a.ID}
	for range 2 {
		err := until(ctx, func() error {
			inc, _, err := l.e.Open(ctx, d, a)
			if err != nil {
				return err
			}
			if id != "" && id != inc.ID {
				l.t.Errorf("alert %d opened two incidents: %s and %s", i, id, inc.ID)
			}
			id = inc.ID
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("deliver: %w", err)
		}
	}
	return id, nil
}

// ask asks for a step until the answer comes, sometimes by a double click: the same
// command twice at the same moment. A shut gate is asked again until it opens.
func (l *load) ask(ctx context.Context, id, name string, kind responsehub.EventKind, step responsehub.StepID, r responsehub.StepRequest) error {
	// Every command has an actor of its own, so that the record shows whose it was.
	actor := responsehub.Actor{ID: "person:" + name, Name: name, Role: responsehub.Responder, Via: responsehub.ViaAPI, Tenants: []string{"*"}}
	if step == responsehub.Lock && rand.N(2) == 0 {
		actor.ID += "-again"
	}
	r.CommandID = actor.ID
	clicks := 1 + rand.N(2)
	answers, errs := make([]responsehub.Answer, clicks), make([]error, clicks)
	var wg sync.WaitGroup
	for c := range clicks {
		wg.Go(func() {
			errs[c] = until(ctx, func() (err error) {
				answers[c], err = l.e.Request(ctx, actor, id, step, r)
				return err
			})
		})
	}
	wg.Wait()
	for c := range clicks {
		if errs[c] != nil {
			return fmt.Errorf("%s: %w", step, errs[c])
		}
		if answers[c].Joined != answers[0].Joined || !answers[c].Joined && answers[c].Sentence != answers[0].Sentence {
			l.t.Errorf("command %s got two answers: %+v and %+v", actor.ID, answers[0], answers[c])
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commands = append(l.commands, command{id, actor.ID, kind, answers[0].Joined})
	return nil
}

// until repeats what fails because Redis is away or a gate is shut.
func until(ctx context.Context, do func() error) error {
	for {
		err := do()
		switch kind := responsehub.KindOf(err); {
		case err == nil:
			return nil
		case kind != responsehub.Unavailable && kind != responsehub.Refused:
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("time is over; last: %w", err)
		}
		pause(ctx, 50*time.Millisecond+rand.N(150*time.Millisecond))
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
