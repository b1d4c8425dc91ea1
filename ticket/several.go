package ticket

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"responsehub"
)

// visits keeps the incident's ticket at each connection, at the same time: a PSA that is
// slow costs the others nothing. It says when to come back; an error is the store's.
func (f *Follower) visits(ctx context.Context, t *responsehub.Turn, names []string) (time.Duration, error) {
	if len(names) == 1 {
		return f.visit(ctx, t, names[0])
	}
	var (
		saving sync.Mutex
		done   sync.WaitGroup
		pauses = make([]time.Duration, len(names))
		errs   = make([]error, len(names))
	)
	// Each visit has the incident as it last wrote it; writes are one after the other.
	save := func(ctx context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
		saving.Lock()
		defer saving.Unlock()
		if err := t.Save(ctx, edit); err != nil {
			return nil, err
		}
		return t.Incident, nil
	}
	inc := t.Incident
	for i, name := range names {
		done.Go(func() {
			defer func() {
				if p := recover(); p != nil { // a turn survives it, so does a part of one
					errs[i] = fmt.Errorf("ticket at %s: panic: %v\n%s", name, p, debug.Stack())
				}
			}()
			own := responsehub.NewTurn(inc, t.Attempt, save)
			own.Fence = t.Fence
			pauses[i], errs[i] = f.visit(ctx, own, name)
		})
	}
	done.Wait()
	var soonest time.Duration
	for i, pause := range pauses {
		if errs[i] != nil {
			return 0, errs[i]
		}
		if pause > 0 && (soonest == 0 || pause < soonest) {
			soonest = pause
		}
	}
	return soonest, nil
}

func (f *Follower) visit(ctx context.Context, t *responsehub.Turn, name string) (time.Duration, error) {
	v := &visit{f: f, t: t, name: name, conn: f.cfg.Connections[name]}
	return v.keep(ctx)
}
