package steps

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

// BenchmarkRetract measures one retraction on a clock on the wall and sets it beside the
// least that Microsoft's limits allow, and beside one request at a time. The ideal client
// makes one search for each mailbox and one move for each message, P at once, each of
// latency t, and begins to move while it still searches:
//
//	ideal = t (first page of the list) + max((N+M)*t/P, 2t)
//
// The hub makes three requests more for each message: for the folder, and to read back.
// Run it with -bench Retract -benchtime 1x. The adaptive gate of the connector, which
// begins with 16 at once, is not in the way here: this is the work of the step alone.
func BenchmarkRetract(b *testing.B) {
	for _, c := range []struct {
		name    string
		boxes   int
		hits    int
		latency time.Duration
		trace   bool
	}{
		{"10,000 mailboxes, 100 hits, all searched", 10_000, 100, 150 * time.Millisecond, false},
		{"10,000 mailboxes, 100 hits, by trace", 10_000, 100, 150 * time.Millisecond, true},
		{"100,000 mailboxes, 1,000 hits, by trace", 100_000, 1_000, 150 * time.Millisecond, true},
		{"100,000 mailboxes, 1,000 hits, all searched, a tenth of the latency", 100_000, 1_000, 15 * time.Millisecond, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				a, p := lured()
				p.Sender, p.Subject = "", "" // one rule: one search for each mailbox
				a.Phish = []responsehub.Phish{p}
				w := newBigTenant(c.boxes, c.latency)
				w.found = nil
				if !c.trace {
					w.traceErr = forbidden()
				}
				for n := range c.hits {
					w.deliver(n*(c.boxes/c.hits), "same", p.InternetMessageID, "a@b", "S", p.ReceivedAfter)
				}
				bench := remediationtest.New(a, true)
				peak, stop := watchHeap()
				begin := time.Now()
				bench.Run(b, &Retract{Mail: w, Letters: bench.Letters()}, 3)
				took := time.Since(begin)
				stop()
				s := bench.Incident.Step(responsehub.Retract)
				if s.State != responsehub.Done || s.Progress.Moved != c.hits {
					b.Fatalf("%s: %s, %+v", s.State, s.Reason, s.Progress)
				}
				searched := c.boxes
				if c.trace {
					searched = c.hits
				}
				ideal := c.latency + max(time.Duration(searched+c.hits)*c.latency/width, 2*c.latency)
				b.ReportMetric(took.Seconds(), "s/run")
				b.ReportMetric(ideal.Seconds(), "s-ideal")
				b.ReportMetric(took.Seconds()/ideal.Seconds(), "x-ideal")
				b.ReportMetric((time.Duration(searched+c.hits) * c.latency).Seconds(), "s-one-at-a-time")
				b.ReportMetric(float64(w.calls.Load()), "requests")
				b.ReportMetric(float64(*peak)/(1<<20), "MiB-peak")
				b.Log(fmt.Sprintf("%s: %.1f s, ideal %.1f s, one request at a time %.0f s", c.name, took.Seconds(), ideal.Seconds(), (time.Duration(searched+c.hits) * c.latency).Seconds()))
			}
		})
	}
}

// watchHeap watches the heap grow, the pretended tenant included, until it is stopped.
func watchHeap() (peak *uint64, stop func()) {
	var ended atomic.Bool
	done := make(chan struct{})
	peak = new(uint64)
	go func() {
		defer close(done)
		var m runtime.MemStats
		for !ended.Load() {
			runtime.ReadMemStats(&m)
			*peak = max(*peak, m.HeapInuse)
			time.Sleep(50 * time.Millisecond)
		}
	}()
	return peak, func() { ended.Store(true); <-done }
}
