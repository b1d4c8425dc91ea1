package bot

import (
	"testing"

	"responsehub"
)

func TestUndo(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(true)
	lock := inc.Step(responsehub.Lock)
	lock.State, lock.Round, lock.Snapshot = responsehub.Done, 2, []byte(`{"enabled":true}`)
	h.engine.incs[inc.ID] = inc
	data := func(more ...string) map[string]any {
		d := map[string]any{"incident": inc.ID}
		for i := 0; i < len(more); i += 2 {
			d[more[i]] = more[i+1]
		}
		return d
	}
	for _, tc := range []struct {
		name, from, verb string
		data             map[string]any
		says             string
		undone           bool
	}{
		{"reader", ritaID, "undo", data("step", "lock", "round", "2", "reason", "r"), "Your role (reader)", false},
		{"no step", annID, "undo", data("reason", "r"), "button is not known", false},
		{"a step with a false alarm", annID, "false_alarm", data("step", "lock", "reason", "r"), "button is not known", false},
		{"no reason", annID, "undo", data("step", "lock", "round", "2"), "needs a reason", false},
		{"an old card", annID, "undo", data("step", "lock", "round", "1", "reason", "r"), "older than the incident", false},
		{"no way back", annID, "undo", data("step", "password", "reason", "r"), "cannot be brought back", false},
		{"ann", annID, "undo", data("step", "lock", "round", "2", "reason", "the CEO is on holiday"), "Undo of step 1: started", true},
		{"somebody at the same time", annID, "undo", data("step", "lock", "round", "2", "reason", "r"), "is being taken back", true},
		{"false alarm without a reason", annID, "false_alarm", data(), "needs a reason", true},
		{"false alarm that leaves something", annID, "false_alarm", data("reason", "the CEO is on holiday"), "This stays:", true},
		{"false alarm", annID, "false_alarm", data("reason", "the CEO is on holiday", "sure", "true"), "being taken back, the account last", true},
	} {
		r := read(t, h.send(press(tc.from, "a-"+tc.name, tc.verb, tc.data)))
		h.settle()
		if got := h.engine.incs[inc.ID].Step(responsehub.Lock).Undo; !r.says(tc.says) || got != tc.undone {
			t.Errorf("%s: undone %t, answer %.300s", tc.name, got, r.Value)
		}
	}
	if h.engine.incs[inc.ID].Withdrawal == nil {
		t.Error("no false alarm was declared")
	}
}
