package steps

import (
	"context"
	"slices"
	"sync"
	"time"

	"responsehub"
)

// scanned is what the hub's own look brought.
type scanned struct {
	mu     sync.Mutex
	items  []responsehub.Item
	unread []string // what could not be read, as sentences
	absent []string // what there is not in this tenant, as sentences
	later  error
}

// scan asks every scanner at once.
func (d *DisablePersistence) scan(ctx context.Context, t *responsehub.Turn) *scanned {
	res := &scanned{}
	var wg sync.WaitGroup
	since := t.Incident.DetectedAt.Add(-scanBefore)
	for _, s := range d.Scanners {
		wg.Go(func() {
			items, err := s.Scan(ctx, target(t.Incident), since)
			res.mu.Lock()
			defer res.mu.Unlock()
			res.items = append(res.items, items...)
			for _, err := range causes(err) {
				res.miss(err)
			}
		})
	}
	wg.Wait()
	return res
}

// causes takes a joined error apart: each part names what could not be read.
func causes(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, causes(e)...)
	}
	return out
}

// miss sorts what a scanner did not bring. What does not exist in the tenant cannot hold
// a foothold; what exists and cannot be read may.
func (s *scanned) miss(err error) {
	add := func(to *[]string) {
		if text := responsehub.Sentence(err); !slices.Contains(*to, text) {
			*to = append(*to, text)
		}
	}
	switch {
	case isGone(err):
		add(&s.absent)
	case hopeless(err):
		add(&s.unread)
	default:
		s.later = err
	}
}

// found reports whether this scan brought the item.
func (s *scanned) found(id string) bool {
	return slices.ContainsFunc(s.items, func(it responsehub.Item) bool { return responsehub.ItemID(it.Kind, it.Object) == id })
}

// save adds what the scan found.
func (s *scanned) save(inc *responsehub.Incident) error {
	now := time.Now()
	step := inc.Step(responsehub.Persistence)
	for _, it := range s.items {
		if known := step.Item(responsehub.ItemID(it.Kind, it.Object)); known != nil {
			learn(known, it)
			continue
		}
		if inc.AddFoothold(it) {
			inc.Record(responsehub.Event{At: now, Kind: responsehub.EventItemFound, By: responsehub.Hub.By(), Step: responsehub.Persistence, Item: responsehub.ItemID(it.Kind, it.Object), Text: "Found " + it.Title() + ": " + it.Why})
		}
	}
	for _, text := range s.absent {
		inc.Record(responsehub.Event{At: now, Kind: responsehub.EventProgress, By: responsehub.Hub.By(), Step: responsehub.Persistence, Text: responsehub.Persistence.Title() + ": " + text})
	}
	return begin(step, now)
}

// learn adds to a known item what the scan knows of it.
func learn(known *responsehub.Item, it responsehub.Item) {
	known.Hidden, known.Mailbox = it.Hidden, it.Mailbox
	if known.Name == "" {
		known.Name = it.Name
	}
	if known.MadeAt.IsZero() {
		known.MadeAt = it.MadeAt
	}
	if known.MadeBy == "" {
		known.MadeBy = it.MadeBy
	}
}
