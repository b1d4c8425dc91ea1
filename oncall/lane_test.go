package oncall_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"responsehub"
)

// lanes is the engine as far as the pager sees it, without Redis and its polling: every
// incident has one lane, which is visited when it was woken or its pause is over. So a
// story of an hour takes milliseconds.
type lanes struct {
	t      *testing.T
	mu     sync.Mutex
	docs   map[string][]byte
	events map[string][]responsehub.Event
	revs   map[string]int64
	bells  map[string]chan struct{}
	run    *process
	dir    directory
}

// process is one hub that works the lanes, until it stops or is killed.
type process struct {
	f    responsehub.Follower
	ctx  context.Context
	kill context.CancelFunc
	wg   sync.WaitGroup
}

var errKilled = errors.New("the worker was killed")

func newLanes(t *testing.T, dir directory) *lanes {
	return &lanes{t: t, dir: dir, docs: map[string][]byte{}, events: map[string][]responsehub.Event{}, revs: map[string]int64{}, bells: map[string]chan struct{}{}}
}

// start lets a follower work all lanes.
func (l *lanes) start(f responsehub.Follower) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{f: f, ctx: ctx, kill: cancel}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run = p
	for _, id := range slices.Sorted(maps.Keys(l.docs)) {
		p.wg.Go(func() { l.work(p, id) })
	}
}

// stop ends the process at whatever it is at: nothing that it would write is stored.
func (l *lanes) stop() {
	l.mu.Lock()
	p := l.run
	l.run = nil
	l.mu.Unlock()
	if p != nil {
		p.kill()
		p.wg.Wait()
	}
}

func (l *lanes) clone(id string) (*responsehub.Incident, error) {
	doc, ok := l.docs[id]
	if !ok {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "no such incident"}
	}
	inc := &responsehub.Incident{}
	if err := json.Unmarshal(doc, inc); err != nil {
		return nil, err
	}
	inc.Revision = l.revs[id]
	return inc, nil
}

func (l *lanes) Incident(_ context.Context, _ responsehub.Actor, id string) (*responsehub.Incident, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clone(id)
}

func (l *lanes) Amend(_ context.Context, id string, edit responsehub.Edit) error {
	_, err := l.write(id, edit)
	return err
}

// write is one write of an incident. It wakes the lane when the follower says so.
func (l *lanes) write(id string, edit responsehub.Edit) (*responsehub.Incident, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	inc, err := l.clone(id)
	if err != nil {
		return nil, err
	}
	if err := edit(inc); err != nil {
		return nil, err
	}
	events := inc.TakeEvents()
	doc, err := json.Marshal(inc)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 && string(doc) == string(l.docs[id]) {
		return inc, nil
	}
	l.docs[id], l.events[id] = doc, append(l.events[id], events...)
	l.revs[id]++
	if l.run == nil || l.run.f.Wake(inc, events) {
		l.ring(id)
	}
	return l.clone(id)
}

func (l *lanes) ring(id string) {
	select {
	case l.bells[id] <- struct{}{}:
	default:
	}
}

// open opens an incident, as the engine does.
func (l *lanes) open(a *responsehub.Alert) *responsehub.Incident {
	l.mu.Lock()
	defer l.mu.Unlock()
	ref, response := responsehub.TenantRef{Name: "Nobody Ltd", MicrosoftTenantID: a.Tenant.MicrosoftTenantID}, false
	if tenant, ok := l.dir.Tenant(a.Tenant.MicrosoftTenantID); ok {
		ref, response = tenant.Ref(), tenant.Response
	}
	n := len(l.docs) + 1
	inc := responsehub.NewIncident(fmt.Sprintf("01INC%03d", n), fmt.Sprintf("RH-%03dK", n), time.Now(), "petra", a, ref, response)
	l.events[inc.ID] = inc.TakeEvents()
	doc, err := json.Marshal(inc)
	if err != nil {
		l.t.Fatal(err)
	}
	l.docs[inc.ID], l.bells[inc.ID] = doc, make(chan struct{}, 1)
	l.ring(inc.ID)
	if p := l.run; p != nil {
		p.wg.Go(func() { l.work(p, inc.ID) })
	}
	return inc
}

// work visits one lane until the process ends.
func (l *lanes) work(p *process, id string) {
	attempt, pause := 0, time.Millisecond
	l.mu.Lock()
	bell := l.bells[id]
	l.mu.Unlock()
	for {
		var due <-chan time.Time
		if pause > 0 {
			due = time.After(pause)
		}
		select {
		case <-p.ctx.Done():
			return
		case <-due:
		case <-bell:
		}
		inc, err := l.Incident(p.ctx, responsehub.Hub, id)
		if err != nil {
			l.t.Error(err)
			return
		}
		out := p.f.Follow(p.ctx, responsehub.NewTurn(inc, attempt, func(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
			if p.ctx.Err() != nil {
				return nil, errKilled
			}
			return l.write(id, edit)
		}))
		if p.ctx.Err() != nil {
			return
		}
		pause = out.After
		if out.Err != nil {
			attempt++
			pause = time.Second
			continue
		}
		attempt = 0
	}
}
