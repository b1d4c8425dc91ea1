package main

import (
	"context"
	"fmt"
	"time"

	"responsehub/sim/wire"
)

// mostHanging is how much later an alert reaches Graph, Teams or Twilio when the ticket
// system hangs: not at all but for noise.
const mostHanging = 1.25

// hanging measures whether a ticket system that answers nothing for a minute delays
// anything else. Two hubs take the same alerts in turn; the tickets of one are stuck.
func hanging(ctx context.Context, o options, t *table) error {
	phones := setting{twilio: "  calls_per_second: 1000\n  texts_per_second: 1000\n"}
	plain, err := raise(ctx, 2, true, phones)
	defer plain.stop()
	if err != nil {
		return err
	}
	stuck, err := raise(ctx, 2, true, phones)
	defer stuck.stop()
	if err != nil {
		return err
	}
	for _, vendor := range []string{"connectwise", "autotask"} {
		stuck.world.Wire.AddFault(wire.Fault{Vendor: vendor, DelayMS: int(time.Minute / time.Millisecond)})
	}
	var graph, card, call [2]spread
	for n := range o.samples + warm {
		for i, s := range []*stage{plain, stuck} {
			g, c, err := s.alertSample(ctx, n)
			if err != nil {
				return fmt.Errorf("alert %d: %w", n, err)
			}
			p, err := s.pageSample(ctx, n)
			if err != nil {
				return fmt.Errorf("page %d: %w", n, err)
			}
			if n >= warm {
				graph[i], card[i], call[i] = append(graph[i], g), append(card[i], c), append(call[i], p)
			}
		}
	}
	for _, m := range []struct {
		what string
		both [2]spread
	}{{"Graph", graph}, {"Teams", card}, {"Twilio", call}} {
		t.most("desk", "alert to "+m.what+" while the ticket system hangs, p50 to p50 without", m.both[1].at(.5)/m.both[0].at(.5), mostHanging, "x")
		t.note("desk", "  hanging", "p50 %.3g ms, %s", m.both[1].at(.5), m.both[1].tail())
		t.note("desk", "  without", "p50 %.3g ms, %s", m.both[0].at(.5), m.both[0].tail())
	}
	if n := len(stuck.world.ConnectWise.Snapshot().Tickets) + len(stuck.world.Autotask.Snapshot().Tickets); n != 0 {
		return fmt.Errorf("the ticket system did not hang: %d tickets were made", n)
	}
	return nil
}
