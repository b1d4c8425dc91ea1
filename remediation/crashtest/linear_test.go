package crashtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// ask is what somebody wants of the incident.
type ask struct {
	what    string // read, ack, or a step
	skip    bool
	actor   string
	command string
}

// told is what they got.
type told struct {
	refused, joined bool
	seen            seen
}

// seen is what an incident shows to everybody.
type seen struct {
	revision int64
	acker    string // who acknowledged
	asker    string // who asked for the lock
	state    responsehub.IncidentState
}

// account is the model: an incident without workers, so that what is queued stays so.
type account struct {
	seen
	steps    [7]byte // as in responsehub.StepIDs: w aiting, q ueued, s kipped, d one
	commands string  // ids that had an effect, each followed by a space
}

// next is the model's step.
func (m account) next(a ask) (told, account) {
	if a.what == "read" {
		return told{seen: m.seen}, m
	}
	if a.command != "" && strings.Contains(m.commands, a.command+" ") {
		return told{seen: m.seen}, m // the first answer, with the incident as it is now
	}
	refused, joined := told{refused: true, seen: m.seen}, told{joined: true, seen: m.seen}
	i := slices.Index(responsehub.StepIDs, responsehub.StepID(a.what))
	closed, unpublished := m.state == responsehub.Remediated, m.state == responsehub.Unpublished
	switch {
	case a.what == "ack" && m.acker != "":
		return joined, m
	case a.what == "ack":
	case a.skip && (closed || unpublished || m.steps[i] == 'q'):
		return refused, m
	case a.skip && m.steps[i] == 's':
		return joined, m
	case a.skip:
		m.steps[i] = 's'
	case m.steps[i] == 'q' || m.steps[i] == 'd':
		return joined, m
	case closed || unpublished && a.what != string(responsehub.Publish):
		return refused, m
	case a.what == string(responsehub.Publish):
		m.state, m.steps[i] = responsehub.Active, 'd'
	case a.what == string(responsehub.Close):
		if strings.ContainsAny(string(m.steps[1:6]), "wq") {
			return refused, m
		}
		m.state, m.steps[i] = responsehub.Remediated, 'd'
	default: // lock
		m.steps[i], m.asker = 'q', a.actor
	}
	if m.acker == "" {
		m.acker = a.actor
	}
	if a.skip && a.what == string(responsehub.Lock) {
		m.asker = a.actor
	}
	m.revision++
	m.commands += a.command + " "
	return told{seen: m.seen}, m
}

var model = porcupine.Model{
	Init: func() any {
		return account{seen: seen{revision: 1, state: responsehub.Unpublished}, steps: [7]byte([]byte("wwwwwww"))}
	},
	Step: func(state, input, output any) (bool, any) {
		want, next := state.(account).next(input.(ask))
		return want == output.(told), next
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}

// TestRequestsAreLinearizable has several people ask things of one incident through two
// hubs at once. What each was told must fit one order in which they asked one by one.
func TestRequestsAreLinearizable(t *testing.T) {
	st := store.New(storetest.Redis(t).Client())
	closed := 0
	for i := range 60 {
		history := quarrel(t, i, st, st)
		if got := porcupine.CheckOperationsTimeout(model, history, 20*time.Second); got != porcupine.Ok {
			t.Fatalf("incident %d is %s:\n%s", i, got, describe(history))
		}
		if slices.ContainsFunc(history, func(o porcupine.Operation) bool { return o.Output.(told).seen.state == responsehub.Remediated }) {
			closed++
		}
	}
	if closed < 5 {
		t.Errorf("only %d of 60 incidents came to be closed: the requests test too little", closed)
	}
}

// TestALaggingHubIsCaught is the control: a hub that shows yesterday's incident.
func TestALaggingHubIsCaught(t *testing.T) {
	st := store.New(storetest.Redis(t).Client())
	for i := range 60 {
		history := quarrel(t, i, st, &lagging{Store: st, old: map[string]remediation.State{}})
		if porcupine.CheckOperationsTimeout(model, history, 20*time.Second) == porcupine.Illegal {
			return
		}
	}
	t.Error("60 histories of a hub that reads from a cache were found in order")
}

// lagging is a store that reads from a cache now and then.
type lagging struct {
	remediation.Store
	mu  sync.Mutex
	old map[string]remediation.State
}

func (s *lagging) Load(ctx context.Context, id, command string) (remediation.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.old[id]; ok && rand.N(4) == 0 {
		return old, nil
	}
	st, err := s.Store.Load(ctx, id, command)
	if err == nil {
		s.old[id] = st
	}
	return st, err
}

// quarrel opens an incident and lets six people ask for things at once, three at each hub.
func quarrel(t *testing.T, i int, one, two remediation.Store) []porcupine.Operation {
	t.Helper()
	var hubs []*remediation.Engine
	for _, s := range []remediation.Store{one, two} {
		e, err := newEngine(s, nil, slog.New(slog.DiscardHandler), toys())
		if err != nil {
			t.Fatal(err)
		}
		hubs = append(hubs, e)
	}
	id, err := (&load{t: t, e: hubs[0]}).deliver(t.Context(), i, asked)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	var wg sync.WaitGroup
	for client := range 6 {
		wg.Go(func() {
			for n := range 8 {
				a := anything(i, client, n)
				call := time.Since(start)
				out, err := a.put(t.Context(), hubs[client%2], id)
				back := time.Since(start)
				if err != nil {
					t.Errorf("%+v: %v", a, err)
					return
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: client, Input: a, Call: int64(call), Output: out, Return: int64(back)})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return history
}

// anything is a chance request. In each second incident nobody asks for the lock, so
// that it can be closed.
func anything(i, client, n int) ask {
	a := ask{actor: fmt.Sprint("person:", client)}
	// Two people share each command id: the same request arriving twice.
	steps := []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence, responsehub.Password, responsehub.Reenable}
	switch k := rand.N(12); {
	case n == 0 && client < 2:
		a.what = string(responsehub.Publish)
	case k == 0:
		a.what = "read"
		return a
	case k == 1:
		a.what = "ack"
	case k == 2:
		a.what = string(responsehub.Close)
	case k == 3 && i%2 == 0:
		a.what = string(responsehub.Lock)
	case k == 4:
		a.what = string(responsehub.Publish)
	default:
		a.what, a.skip = string(steps[rand.N(len(steps))]), true
	}
	a.actor = fmt.Sprint("person:", client/2)
	a.command = fmt.Sprintf("%s-%t-%d-%d", a.what, a.skip, client/2, n/2)
	return a
}

// put asks a hub.
func (a ask) put(ctx context.Context, e *remediation.Engine, id string) (told, error) {
	actor := responsehub.Actor{ID: a.actor, Name: a.actor, Role: responsehub.Responder, Via: responsehub.ViaAPI, Tenants: []string{"*"}}
	var answer responsehub.Answer
	var err error
	switch a.what {
	case "read":
		answer.Incident, err = e.Incident(ctx, actor, id)
	case "ack":
		answer, err = e.Acknowledge(ctx, actor, id, a.command)
	default:
		answer, err = e.Request(ctx, actor, id, responsehub.StepID(a.what), responsehub.StepRequest{CommandID: a.command, Skip: a.skip, Reason: reason(a.skip)})
	}
	out := told{joined: answer.Joined}
	if err != nil {
		if responsehub.KindOf(err) != responsehub.Refused {
			return told{}, err
		}
		out.refused = true
	}
	inc := answer.Incident
	if inc == nil {
		return told{}, errors.New("the answer has no incident")
	}
	out.seen = seen{revision: inc.Revision, state: inc.State, asker: inc.Step(responsehub.Lock).RequestedBy.ID}
	if inc.Acknowledged != nil {
		out.seen.acker = inc.Acknowledged.By.ID
	}
	return out, nil
}

func reason(skip bool) string {
	if skip {
		return "not needed"
	}
	return ""
}

func describe(history []porcupine.Operation) string {
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	for _, o := range history {
		fmt.Fprintf(&b, "%8d-%8d %d: %+v -> %+v\n", o.Call/1000, o.Return/1000, o.ClientId, o.Input, o.Output)
	}
	return b.String()
}
