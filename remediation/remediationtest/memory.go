// Package remediationtest helps to test followers without Redis: it drives one
// follower over one incident the way the engine does, in memory, and can kill it at
// any write.
package remediationtest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"responsehub"
)

// ErrKilled is what a turn's Save returns at the moment the worker dies.
var ErrKilled = errors.New("the worker was killed")

// Bench holds one incident and drives a follower over it.
type Bench struct {
	Incident *responsehub.Incident
	Events   []responsehub.Event
	Saves    int // writes so far
	KillAt   int // the write that kills the turn before it is stored; 0 for none
	Last     responsehub.Outcome
	letters  *Letters
	dead     bool // since the write that killed the turn
}

// New returns a bench with a fresh incident of an alert, Response on or off.
func New(a *responsehub.Alert, response bool) *Bench {
	tenant := responsehub.TenantRef{ID: "contoso", Name: "Contoso", MicrosoftTenantID: a.Tenant.MicrosoftTenantID}
	inc := responsehub.NewIncident("01TEST", "RH-TEST", time.Now(), "detector", a, tenant, response)
	b := &Bench{Incident: inc}
	b.Events = append(b.Events, inc.TakeEvents()...)
	return b
}

// Ann is a responder for everything.
var Ann = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}

// Ask asks for a step as Ann and fails the test when it is refused.
func (b *Bench) Ask(t testing.TB, step responsehub.StepID, r responsehub.StepRequest) {
	t.Helper()
	if _, err := b.Incident.Ask(step, Ann, r, time.Now()); err != nil {
		t.Fatalf("%s refused: %v", step, err)
	}
	b.Events = append(b.Events, b.Incident.TakeEvents()...)
}

// Run gives the follower turns until it has nothing to do, or until it was killed, or
// for at most the given number of turns. Pauses pass by the clock of the bubble.
func (b *Bench) Run(t testing.TB, f responsehub.Follower, turns int) {
	t.Helper()
	attempt := 0
	for range turns {
		b.dead = false
		b.Last = f.Follow(t.Context(), responsehub.NewTurn(b.clone(t), attempt, b.save(t)))
		if errors.Is(b.Last.Err, ErrKilled) {
			return
		}
		if b.Last.Edit != nil {
			if _, err := b.save(t)(t.Context(), b.Last.Edit); err != nil {
				if errors.Is(err, ErrKilled) {
					b.Last.Err = err
					return
				}
				t.Fatalf("outcome cannot be written: %v", err)
			}
		}
		switch {
		case b.Last.Err != nil:
			attempt++
			pause := time.Second
			if e, ok := errors.AsType[*responsehub.Error](b.Last.Err); ok {
				pause = max(pause, e.RetryAfter)
			}
			time.Sleep(pause)
		case b.Last.After > 0:
			attempt = 0
			time.Sleep(b.Last.After)
		default:
			return
		}
	}
}

func (b *Bench) save(t testing.TB) func(context.Context, responsehub.Edit) (*responsehub.Incident, error) {
	return func(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
		if b.dead {
			return nil, ErrKilled
		}
		b.Saves++
		if b.Saves == b.KillAt {
			b.dead = true
			return nil, ErrKilled
		}
		inc := b.clone(t)
		if err := edit(inc); err != nil {
			return nil, err
		}
		inc.Advance(time.Now())
		b.Events = append(b.Events, inc.TakeEvents()...)
		b.Incident = inc
		return b.clone(t), nil
	}
}

// clone copies the incident the way the store does, through its stored form.
func (b *Bench) clone(t testing.TB) *responsehub.Incident {
	t.Helper()
	raw, err := json.Marshal(b.Incident)
	if err != nil {
		t.Fatal(err)
	}
	inc := &responsehub.Incident{}
	if err := json.Unmarshal(raw, inc); err != nil {
		t.Fatal(err)
	}
	return inc
}

// Texts returns the record's sentences.
func (b *Bench) Texts() []string {
	var out []string
	for _, e := range b.Events {
		out = append(out, e.Text)
	}
	return out
}
