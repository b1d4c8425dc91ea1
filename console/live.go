package console

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"responsehub"
	"responsehub/remediation"
)

const (
	lookEvery = 300 * time.Millisecond // at what is on somebody's screen
	aliveNow  = 15 * time.Second       // a word on a quiet line, so that a dead one shows
	liveMost  = 30 * time.Minute       // then the browser asks again, and is asked who it is
)

// watchers look at what is on somebody's screen, once for all who look at it, and ring
// those when it changed.
type watchers struct {
	engine Engine
	mu     sync.Mutex
	seen   map[string]int64 // revision by incident; the key "" is the list of open incidents
	bells  map[string]map[chan struct{}]bool
}

func newWatchers(e Engine) *watchers {
	return &watchers{engine: e, seen: map[string]int64{}, bells: map[string]map[chan struct{}]bool{}}
}

// run looks until ctx ends.
func (w *watchers) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
		for _, id := range w.watched() {
			if now, ok := w.revision(ctx, id); ok {
				w.found(id, now)
			}
		}
	}
}

func (w *watchers) watched() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for id := range w.bells {
		ids = append(ids, id)
	}
	return ids
}

// revision changes when what is shown changes.
func (w *watchers) revision(ctx context.Context, id string) (int64, bool) {
	if id != "" {
		inc, err := w.engine.Incident(ctx, responsehub.Hub, id)
		if err != nil {
			return 0, false
		}
		return inc.Revision, true
	}
	var sum int64
	for _, state := range []responsehub.IncidentState{responsehub.Active, responsehub.Unpublished} {
		page, err := w.engine.Incidents(ctx, responsehub.Hub, remediation.Query{State: state, Limit: 50})
		if err != nil {
			return 0, false
		}
		for _, inc := range page.Incidents {
			sum = sum*31 + inc.Revision + int64(len(inc.ID)) + inc.OpenedAt.UnixMilli()
		}
	}
	return sum, true
}

func (w *watchers) found(id string, revision int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was, known := w.seen[id]
	w.seen[id] = revision
	if known && was == revision {
		return
	}
	for bell := range w.bells[id] {
		select {
		case bell <- struct{}{}:
		default: // it rings already
		}
	}
}

// join returns a bell for what is on a screen, and how to leave.
func (w *watchers) join(id string) (bell chan struct{}, leave func()) {
	bell = make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bells[id] == nil {
		w.bells[id] = map[chan struct{}]bool{}
	}
	w.bells[id][bell] = true
	return bell, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(w.bells[id], bell); len(w.bells[id]) == 0 {
			delete(w.bells, id)
			delete(w.seen, id)
		}
	}
}

// live tells a browser when the incident changed.
func (c *Console) live(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	inc, err := c.engine.Incident(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	c.stream(w, r, inc.ID)
	return nil
}

// liveHome tells a browser when an incident came or changed.
func (c *Console) liveHome(w http.ResponseWriter, r *http.Request, _ responsehub.Actor) error {
	c.stream(w, r, "")
	return nil
}

// stream is a line of server-sent events: "changed" is all it says. What changed the
// browser asks for, as whoever it is by then.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, id string) {
	bell, leave := c.watchers.join(id)
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(w)
	end, quiet := time.NewTimer(liveMost), time.NewTicker(aliveNow)
	defer end.Stop()
	defer quiet.Stop()
	for event := ": here\n\n"; ; {
		_ = rc.SetWriteDeadline(time.Now().Add(aliveNow)) // recorders in tests have none
		if _, err := fmt.Fprint(w, event); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-end.C:
			return
		case <-bell:
			event = "event: changed\ndata: \n\n"
		case <-quiet.C:
			event = ": here\n\n"
		}
	}
}
