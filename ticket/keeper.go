package ticket

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"responsehub"
)

const (
	pollEvery   = 10 * time.Minute
	listenEvery = 24 * time.Hour
	listenRest  = 10 * time.Minute // between two tries to set events up
	keeperTick  = time.Minute
	pollPage    = 100
)

// Keeper looks after what events may have missed: every ten minutes the tickets of open
// incidents are compared with what is known of them, and every day the PSA is asked
// whether it still sends events. One process does it for all.
type Keeper struct {
	Connections map[string]Connection
	Address     func(connection string) string // where its events go; "" for nowhere
	// Open lists the open incidents, a page at a time; the last page has no next cursor.
	Open func(ctx context.Context, cursor string) (page []*responsehub.Incident, next string, err error)
	// Moves reports whether the incident's ticket has to be looked at anyway.
	Moves func(inc *responsehub.Incident, connection string) bool
	Hub   Hub
	Queue Queue
	Once  Once
	Log   *slog.Logger

	once     sync.Once
	off      chan string
	listened map[string]time.Time // Run's own: when the events were last known to be set up
}

func (k *Keeper) init() {
	k.once.Do(func() { k.off, k.listened = make(chan string, 16), map[string]time.Time{} })
}

// Off notes that a connection's events were switched off. It does not block.
func (k *Keeper) Off(connection string) {
	k.init()
	select {
	case k.off <- connection:
	default: // it is looked at anyway
	}
}

// Run keeps watch until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	k.init()
	tick := time.NewTicker(keeperTick)
	defer tick.Stop()
	k.round(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case name := <-k.off:
			k.Log.Error("PSA SWITCHED ITS EVENTS OFF: they are set up again", "connection", name)
			delete(k.listened, name)
			k.listen(ctx, name)
		case <-tick.C:
			k.round(ctx)
		}
	}
}

func (k *Keeper) round(ctx context.Context) {
	for name := range k.Connections {
		k.listen(ctx, name)
		if k.mine(ctx, "poll", name, pollEvery) {
			if err := k.Poll(ctx, name); err != nil && ctx.Err() == nil {
				k.Log.Warn("tickets cannot be compared; tried again", "connection", name, "error", err)
			}
		}
	}
}

// mine reports whether this process does the work of the period.
func (k *Keeper) mine(ctx context.Context, what, name string, period time.Duration) bool {
	ok, err := k.Once.Once(ctx, what, name, period-period/60)
	if err != nil && ctx.Err() == nil {
		k.Log.Warn("psa housekeeping waits for redis", "error", err)
	}
	return ok && err == nil && ctx.Err() == nil
}

// listen sets the events up, if they are not: at the start, once a day, and sooner when
// that failed.
func (k *Keeper) listen(ctx context.Context, name string) {
	conn, address := k.Connections[name], ""
	if k.Address != nil {
		address = k.Address(name)
	}
	if at, ok := k.listened[name]; ok && time.Since(at) < listenEvery || conn.Desk == nil || address == "" || !k.mine(ctx, "listen", name, listenRest) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	said, err := conn.Listen(ctx, address)
	if err != nil {
		if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
			k.Log.Error("psa events cannot be set up: what people do to tickets is seen within ten minutes instead of at once", "connection", name, "error", err)
		}
		return
	}
	k.listened[name] = time.Now()
	k.Log.Info("psa events", "connection", name, "done", said)
}

// Poll compares the tickets of open incidents with what is known of them. Those that
// differ are read by their lanes.
func (k *Keeper) Poll(ctx context.Context, name string) error {
	conn := k.Connections[name]
	if blocked, err := k.Queue.Blocked(ctx, name); err != nil || blocked > 0 || conn.Desk == nil {
		return err
	}
	var ids []string
	known := map[string]*responsehub.Incident{}
	for cursor := ""; ; {
		page, next, err := k.Open(ctx, cursor)
		if err != nil {
			return err
		}
		for _, inc := range page {
			if ref := inc.Tickets[name]; ref.ID != "" {
				ids, known[ref.ID] = append(ids, ref.ID), inc
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	for len(ids) > 0 {
		some := ids[:min(len(ids), pollPage)]
		ids = ids[len(some):]
		if err := k.compare(ctx, name, conn, some, known); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) compare(ctx context.Context, name string, conn Connection, ids []string, known map[string]*responsehub.Incident) error {
	found, err := conn.List(ctx, ids)
	if err != nil {
		return err
	}
	there := map[string]Ticket{}
	for _, t := range found {
		there[t.ID] = t
	}
	for _, id := range ids {
		inc := known[id]
		ref := inc.Tickets[name]
		t, ok := there[id]
		same := ok && t.Closed == ref.Closed && t.Status == ref.Status && t.Owner == ref.Owner && t.MergedInto == ""
		if same && (k.Moves == nil || !k.Moves(inc, name)) {
			continue
		}
		if err := k.Hub.Amend(ctx, inc.ID, Hint(name, id)); err != nil && responsehub.KindOf(err) != responsehub.NotFound {
			return err
		}
	}
	return nil
}

// Moves reports whether the incident's ticket belongs to the catch-all company although
// its tenant has one of its own by now.
func (f *Follower) Moves(inc *responsehub.Incident, connection string) bool {
	ref := inc.Tickets[connection]
	return ref.ID != "" && f.moves(inc, connection, &ref)
}
