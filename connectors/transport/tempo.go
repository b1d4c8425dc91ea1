package transport

import (
	"context"
	"sync"
	"time"

	"responsehub"
)

// Tempo keeps this process to so many requests a second at a vendor that counts them, in
// the order in which they are asked for. The zero value lets nothing wait.
type Tempo struct {
	Vendor string        // as people know it
	Each   time.Duration // between two requests, on the average
	Burst  int           // requests that may go at once after a rest
	Most   time.Duration // a request that would wait for longer is Throttled instead

	mu   sync.Mutex
	next time.Time
}

// Wait returns when the next request may go. The error is Throttled, with the time to
// come back after, or Unavailable when ctx ends.
func (p *Tempo) Wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	if earliest := now.Add(-time.Duration(p.Burst) * p.Each); p.next.Before(earliest) {
		p.next = earliest
	}
	wait := p.next.Sub(now)
	if wait > p.Most {
		p.mu.Unlock()
		return &responsehub.Error{Kind: responsehub.Throttled, Message: "The hub has much to tell " + p.Vendor + " and keeps to its limits; it goes on by itself.", RetryAfter: wait}
	}
	p.next = p.next.Add(p.Each)
	p.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub was stopped.", Err: context.Cause(ctx)}
	case <-time.After(wait):
		return nil
	}
}
