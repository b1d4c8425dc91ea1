package ticket

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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
	k.anew(ctx)
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

// anew tries what was barred: new keys come with a new start.
func (k *Keeper) anew(ctx context.Context) {
	for name := range k.Connections {
		blocked, err := k.Queue.Blocked(ctx, name)
		if err == nil && blocked > 0 {
			_, err = k.Again(ctx, name)
		}
		if err != nil && ctx.Err() == nil {
			k.Log.Warn("tickets that were refused are tried later", "connection", name, "error", err)
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

// Again has a connection tried at once: somebody may have mended what it was barred for.
// It returns how many open incidents were waiting. Closed ones come by themselves, within
// minutes.
func (k *Keeper) Again(ctx context.Context, name string) (waiting int, err error) {
	if err := k.Queue.Free(ctx, name); err != nil {
		return 0, err
	}
	return waiting, k.each(ctx, func(inc *responsehub.Incident) error {
		if ref := inc.Tickets[name]; ref.Failure == "" || ref.RetryAt.IsZero() {
			return nil
		}
		waiting++
		return k.amend(ctx, inc.ID, again(name))
	})
}

// again is the edit by which a connection is tried now. The hint wakes the lane.
func again(connection string) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		ref, ok := inc.Tickets[connection]
		if !ok || ref.RetryAt.IsZero() {
			return nil
		}
		ref.RetryAt, ref.Hints = time.Time{}, max(ref.Hints, ref.Heard+1)
		inc.Tickets[connection] = ref
		return nil
	}
}

// amend writes an edit. An incident that is gone needs none.
func (k *Keeper) amend(ctx context.Context, incident string, edit responsehub.Edit) error {
	if err := k.Hub.Amend(ctx, incident, edit); err != nil && responsehub.KindOf(err) != responsehub.NotFound {
		return err
	}
	return nil
}

// each visits the open incidents until one fails.
func (k *Keeper) each(ctx context.Context, visit func(*responsehub.Incident) error) error {
	for cursor := ""; ; {
		page, next, err := k.Open(ctx, cursor)
		if err != nil {
			return err
		}
		for _, inc := range page {
			if err := visit(inc); err != nil {
				return err
			}
		}
		if cursor = next; next == "" {
			return nil
		}
	}
}

// Poll compares the tickets of open incidents with what is known of them. Those that
// differ are read by their lanes.
func (k *Keeper) Poll(ctx context.Context, name string) error {
	conn := k.Connections[name]
	if blocked, err := k.Queue.Blocked(ctx, name); err != nil || blocked > 0 || conn.Desk == nil {
		return err
	}
	var ids []string
	known := map[string][]*responsehub.Incident{} // several, where one ticket was merged into another's
	err := k.each(ctx, func(inc *responsehub.Incident) error {
		if ref := inc.Tickets[name]; ref.ID != "" {
			if known[ref.ID] == nil {
				ids = append(ids, ref.ID)
			}
			known[ref.ID] = append(known[ref.ID], inc)
		}
		return nil
	})
	if err != nil {
		return err
	}
	missed := false
	for some := range slices.Chunk(ids, pollPage) {
		found, err := k.compare(ctx, name, conn, some, known)
		if err != nil {
			return err
		}
		missed = missed || found
	}
	if missed {
		k.init()
		delete(k.listened, name) // no event told it: perhaps none come any more
	}
	return nil
}

// compare has the tickets read that differ, and reports whether somebody changed one.
func (k *Keeper) compare(ctx context.Context, name string, conn Connection, ids []string, known map[string][]*responsehub.Incident) (changed bool, err error) {
	found, err := conn.List(ctx, ids)
	if err != nil {
		return false, err
	}
	there := map[string]Ticket{}
	for _, t := range found {
		there[t.ID] = t
	}
	for _, id := range ids {
		t, ok := there[id]
		for _, inc := range known[id] {
			ref := inc.Tickets[name]
			same := ok && t.Closed == ref.Closed && t.Status == ref.Status && t.Owner == ref.Owner && t.MergedInto == ""
			changed = changed || !same
			if same && (k.Moves == nil || !k.Moves(inc, name)) {
				continue
			}
			if err := k.amend(ctx, inc.ID, Hint(name, id)); err != nil {
				return changed, err
			}
		}
	}
	return changed, nil
}

// Moves reports whether the incident's ticket belongs to the catch-all company although
// its tenant has one of its own by now.
func (f *Follower) Moves(inc *responsehub.Incident, connection string) bool {
	ref := inc.Tickets[connection]
	return ref.ID != "" && f.moves(inc, connection, &ref)
}
