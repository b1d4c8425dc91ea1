package steps

import (
	"container/heap"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// width is how many requests a retraction has under way at most; the connector lets
	// through what Microsoft bears.
	width = 64
	// perMailbox is how many of them may be at one mailbox.
	// https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits
	perMailbox = 4
)

// job is one piece of work at one mailbox.
type job struct {
	mailbox string
	urgent  bool      // goes before those that are not
	due     time.Time // not before this
	run     func(ctx context.Context)
}

// pool works on jobs, width at once and four of a mailbox. A job for later holds up
// nobody.
type pool struct {
	mu     sync.Mutex
	wake   *sync.Cond
	urgent []*job
	ready  []*job
	later  jobHeap
	held   map[string][]*job // due, but their mailbox is busy
	busy   map[string]int    // under way, by mailbox
	alarm  *time.Timer
	closed bool
	broken func(error) // told of a job that panicked; must end the work's context
}

func newPool() *pool {
	p := &pool{held: map[string][]*job{}, busy: map[string]int{}}
	p.wake = sync.NewCond(&p.mu)
	return p
}

// add takes a job.
func (p *pool) add(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Until(j.due) > 0 {
		heap.Push(&p.later, j)
		p.watch()
		return
	}
	p.enqueue(j)
	p.wake.Signal()
}

func (p *pool) enqueue(j *job) {
	if j.urgent {
		p.urgent = append(p.urgent, j)
	} else {
		p.ready = append(p.ready, j)
	}
}

// watch sets the alarm for the job that is due next. p.mu is held.
func (p *pool) watch() {
	if p.alarm != nil {
		p.alarm.Stop()
		p.alarm = nil
	}
	if len(p.later) == 0 || p.closed {
		return
	}
	p.alarm = time.AfterFunc(time.Until(p.later[0].due), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for len(p.later) > 0 && time.Until(p.later[0].due) <= 0 {
			p.enqueue(heap.Pop(&p.later).(*job))
		}
		p.watch()
		p.wake.Broadcast()
	})
}

// waiting is how many jobs are for later.
func (p *pool) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.later)
}

// take returns the next job, or nil when the pool is closed.
func (p *pool) take() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closed {
			return nil
		}
		for _, q := range []*[]*job{&p.urgent, &p.ready} {
			for len(*q) > 0 {
				j := (*q)[0]
				(*q)[0] = nil
				*q = (*q)[1:]
				if p.busy[j.mailbox] >= perMailbox {
					p.held[j.mailbox] = append(p.held[j.mailbox], j)
					continue
				}
				p.busy[j.mailbox]++
				return j
			}
		}
		p.wake.Wait()
	}
}

// leave gives a job's place back.
func (p *pool) leave(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[j.mailbox]--; p.busy[j.mailbox] == 0 {
		delete(p.busy, j.mailbox)
	}
	if held := p.held[j.mailbox]; len(held) > 0 {
		p.enqueue(held[0])
		if p.held[j.mailbox] = held[1:]; len(held) == 1 {
			delete(p.held, j.mailbox)
		}
		p.wake.Signal()
	}
}

// work runs jobs until the pool is closed or ctx ends, and returns when none is under way.
func (p *pool) work(ctx context.Context) {
	stop := context.AfterFunc(ctx, p.close)
	defer stop()
	var wg sync.WaitGroup
	for range width {
		wg.Go(func() {
			for j := p.take(); j != nil; j = p.take() {
				p.do(ctx, j)
			}
		})
	}
	wg.Wait()
}

// do runs one job. One that panics ends the work, not the hub.
func (p *pool) do(ctx context.Context, j *job) {
	defer p.leave(j)
	defer func() {
		if v := recover(); v != nil {
			p.broken(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	j.run(ctx)
}

// close ends the work; what is not under way is dropped.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.watch()
	p.wake.Broadcast()
}

type jobHeap []*job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, k int) bool { return h[i].due.Before(h[k].due) }
func (h jobHeap) Swap(i, k int)      { h[i], h[k] = h[k], h[i] }
func (h *jobHeap) Push(x any)        { *h = append(*h, x.(*job)) }
func (h *jobHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return j
}
