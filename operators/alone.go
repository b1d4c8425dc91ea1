package operators

import (
	"context"
	"time"

	"responsehub"
)

const (
	aloneMost  = 20 // alarms that wait in memory, and subjects told from there in an hour
	aloneTries = 3
	alonePause = 10 * time.Second
)

// RunAlone tells what could not be written into the book, until ctx ends. It needs no
// Redis, so it also runs while the hub waits for one.
func (d *Desk) RunAlone(ctx context.Context) {
	told := map[string]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-d.alone:
			for subject, at := range told {
				if time.Since(at) >= time.Hour {
					delete(told, subject)
				}
			}
			if _, known := told[a.Subject]; known || a.Over || len(told) >= aloneMost {
				d.Log.Error("the operators are not told: it was told within the hour, is over, or there were too many alarms", "words", a.Words)
				continue
			}
			told[a.Subject] = time.Now()
			d.tellAlone(ctx, a)
		}
	}
}

// tellAlone tries for half a minute. What nobody heard by then goes into the book, should
// that be there again.
func (d *Desk) tellAlone(ctx context.Context, a responsehub.Alarm) {
	id, left := NewID(), d.Targets
	for try := range aloneTries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(alonePause):
			}
		}
		var failed []Target
		for _, t := range left {
			if err := t.within(ctx, id, a.Words); err != nil {
				d.Log.Warn("an alarm could not be told to one of the operators", "try", try+1, "error", err)
				failed = append(failed, t)
			}
		}
		if left = failed; len(left) == 0 {
			break
		}
		if len(left) == len(d.Targets) && d.Book.Raise(ctx, a) == nil {
			return
		}
	}
	if len(left) > 0 || len(d.Targets) == 0 {
		d.Log.Error("the operators were not told everywhere", "words", a.Words)
	}
}
