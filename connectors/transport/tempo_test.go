package transport_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
)

func TestTempo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &transport.Tempo{Vendor: "the desk", Each: time.Second, Burst: 2, Most: 3 * time.Second}
		begun := time.Now()
		for n, want := range []time.Duration{0, 0, 0, time.Second, 2 * time.Second} {
			if err := p.Wait(t.Context()); err != nil || time.Since(begun) != want {
				t.Errorf("request %d went after %s (%v), want %s", n, time.Since(begun), err, want)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		for range 3 {
			go func() { _ = p.Wait(ctx) }()
		}
		synctest.Wait()
		if err := p.Wait(t.Context()); responsehub.KindOf(err) != responsehub.Throttled {
			t.Errorf("who would wait for too long is told %v", err)
		}
		stop()
		synctest.Wait()
		time.Sleep(time.Minute)
		if err := p.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
