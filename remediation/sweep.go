package remediation

import (
	"context"
	"time"
)

// sweepEvery is how often a partition is checked for lanes that were lost, which a
// correct build never finds.
const sweepEvery = time.Minute

// sweepForever sweeps until ctx ends.
func (e *Engine) sweepForever(ctx context.Context) {
	for ctx.Err() == nil {
		e.Sweep(ctx)
		sleep(ctx, sweepEvery)
	}
}

// Sweep makes lanes due that nobody would visit. There are none unless Redis lost
// writes, so they are counted and logged as errors. Call it after Redis failed over.
func (e *Engine) Sweep(ctx context.Context) {
	for p := range Partitions {
		n, err := e.store.Sweep(ctx, p)
		if err != nil && ctx.Err() == nil {
			e.log.Warn("partition cannot be swept", "partition", p, "error", err)
		}
		if n > 0 {
			e.metrics.swept.Add(float64(n))
			e.log.Error("lanes were found that nobody would have visited; they are due again", "partition", p, "lanes", n)
		}
	}
}
