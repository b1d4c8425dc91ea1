package steps

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

// scripted is a scanner whose looks differ: the n-th scan gives the n-th answer, and the
// last one stays.
type scripted struct {
	scans *int
	says  []scan
}

func (s scripted) Scan(ctx context.Context, t Target, since time.Time) ([]responsehub.Item, error) {
	n := min(*s.scans, len(s.says)-1)
	*s.scans++
	return s.says[n].Scan(ctx, t, since)
}

func ruleItem(object, name string) responsehub.Item {
	return responsehub.Item{Kind: responsehub.InboxRule, Object: object, Name: name, Why: "Has a name made to be overlooked."}
}

func kinds(b *remediationtest.Bench) (out []responsehub.EventKind) {
	for _, e := range b.Events {
		out = append(out, e.Kind)
	}
	return out
}

// TestComesBack: what is made again after the step has ended is found by the look 15
// minutes later, and the gate is shut again with its name.
func TestComesBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		response bool
		back     func(*world) // what the attacker does after the step
		second   scan         // what the scanner brings at the look
		want     responsehub.StepState
		gate     string
		event    responsehub.EventKind
	}{
		{name: "switched on again, a person decides", back: func(w *world) { w.footholds["rule-1"].active = true },
			want: responsehub.NeedsHuman, gate: `inbox rule "."`, event: responsehub.EventItemReturned},
		{name: "switched on again, Response on", response: true, back: func(w *world) { w.footholds["rule-1"].active = true },
			want: responsehub.Done, event: responsehub.EventItemReturned},
		{name: "made again under another id", back: func(w *world) { w.footholds["rule-9"] = &foothold{active: true} },
			second: scan{items: []responsehub.Item{ruleItem("rule-9", ".")}}, want: responsehub.NeedsHuman, gate: `inbox rule "."`, event: responsehub.EventItemReturned},
		{name: "made again, Response on", response: true, back: func(w *world) { w.footholds["rule-9"] = &foothold{active: true} },
			second: scan{items: []responsehub.Item{ruleItem("rule-9", ".")}}, want: responsehub.Done, event: responsehub.EventItemReturned},
		{name: "something new", back: func(w *world) { w.footholds["rule-9"] = &foothold{active: true} },
			second: scan{items: []responsehub.Item{ruleItem("rule-9", "..")}}, want: responsehub.NeedsHuman, gate: `inbox rule ".."`, event: responsehub.EventItemFound},
		{name: "new, only a person can judge", back: func(*world) {},
			second: scan{items: []responsehub.Item{{Kind: responsehub.AuthMethod, Object: "m", Name: "phone"}}}, want: responsehub.NeedsHuman, event: responsehub.EventItemFound},
		{name: "cannot be read any more", back: func(*world) {}, second: scan{err: errors.Join(forbidden(), &responsehub.Error{Kind: responsehub.Forbidden, Message: "It lacks Exchange.ManageAsApp."})},
			want: responsehub.Partial, gate: "Exchange.ManageAsApp", event: responsehub.EventPartial},
		{name: "nothing came back", back: func(*world) {}, want: responsehub.Done, event: responsehub.EventDone},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, scans := newWorld(), 0
				w.footholds["rule-1"] = &foothold{active: true}
				d := persistence(w, scripted{&scans, []scan{{}, c.second}})
				b := remediationtest.New(alert(), c.response)
				if !c.response {
					b.Ask(t, responsehub.Publish, responsehub.StepRequest{})
					b.Ask(t, responsehub.Persistence, responsehub.StepRequest{})
				}
				b.Run(t, d, 1) // leaves the bubble's clock at the first look
				check(t, b.Incident, responsehub.Persistence, responsehub.Done)
				if got := b.Last.After; got != 15*time.Minute {
					t.Fatalf("the hub looks again after %s", got)
				}
				ended := len(b.Events)
				c.back(w)
				b.Run(t, d, 1)
				if c.response && c.want == responsehub.Done && b.Incident.Step(responsehub.Persistence).State.Busy() {
					b.Run(t, d, 1)
				}
				s := b.Incident.Step(responsehub.Persistence)
				if s.State != c.want {
					t.Fatalf("the step is %s (%s), want %s", s.State, s.Reason, c.want)
				}
				gate := b.Incident.Blocked(responsehub.Password)
				if !strings.Contains(gate, c.gate) || c.gate == "" && gate != "" {
					t.Errorf("the gate says %q, want %q in it", gate, c.gate)
				}
				if c.event != responsehub.EventDone && !slices.Contains(kinds(b)[ended:], c.event) {
					t.Errorf("events are %v, want %s", kinds(b)[ended:], c.event)
				}
				if c.want == responsehub.Done {
					for id, f := range w.footholds {
						if f.active {
							t.Errorf("%s works again", id)
						}
					}
				}
			})
		})
	}
}

// TestHeldBackWhenItComesBack: what came back is found and shuts the gate, but while
// everything automatic is stopped or the tenant is paused nothing is disabled by itself.
func TestHeldBackWhenItComesBack(t *testing.T) {
	for name, hold := range map[string]func(*DisablePersistence){
		"everything is stopped": func(d *DisablePersistence) {
			d.Settings = func() responsehub.Settings {
				return responsehub.Settings{Stopped: &responsehub.Stop{By: remediationtest.Ann.By(), At: time.Now()}}
			}
		},
		"the tenant is paused": func(d *DisablePersistence) {
			d.Paused = func(string) []responsehub.Hold {
				return []responsehub.Hold{{Steps: []responsehub.StepID{responsehub.Persistence}, Why: "The tenant is paused."}}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.footholds["rule-1"] = &foothold{active: true}
				d := persistence(w)
				b := remediationtest.New(alert(), true)
				b.Run(t, d, 1)
				check(t, b.Incident, responsehub.Persistence, responsehub.Done)
				hold(d)
				w.footholds["rule-1"].active = true
				b.Run(t, d, 3)
				check(t, b.Incident, responsehub.Persistence, responsehub.NeedsHuman)
				if gate := b.Incident.Blocked(responsehub.Password); !w.footholds["rule-1"].active || !strings.Contains(gate, `inbox rule "."`) {
					t.Errorf("disabled by itself: %t; the gate says %q", !w.footholds["rule-1"].active, gate)
				}
			})
		})
	}
}

// sinceScan notes from when on it was asked to look.
type sinceScan struct{ since *time.Time }

func (s sinceScan) Scan(_ context.Context, _ Target, since time.Time) ([]responsehub.Item, error) {
	*s.since = since
	return nil, nil
}

// The attacker was in before anybody noticed: the hub looks a week further back.
func TestLooksAWeekBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var since time.Time
		b := remediationtest.New(alert(), true)
		b.Run(t, persistence(newWorld(), sinceScan{&since}), 1)
		if got := b.Incident.DetectedAt.Sub(since); got != 7*24*time.Hour {
			t.Errorf("looked %s further back than the detection", got)
		}
	})
}

// TestTwoLooks: 15 and 65 minutes after the end and no more; none after the close.
func TestTwoLooks(t *testing.T) {
	for _, closed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, scans := newWorld(), 0
			d := persistence(w, scripted{&scans, []scan{{}}})
			b := remediationtest.New(alert(), true)
			b.Run(t, d, 1)
			start := time.Now().Add(-15 * time.Minute)
			if closed {
				b.Incident.State = responsehub.Remediated
				b.Run(t, d, 1)
				if scans != 1 || b.Last.After != 0 {
					t.Errorf("%d scans and %s to wait for after the close", scans, b.Last.After)
				}
				return
			}
			b.Run(t, d, 1)
			if got := time.Since(start); scans != 2 || got != 65*time.Minute {
				t.Errorf("%d scans; the second look comes after %s", scans, got)
			}
			b.Run(t, d, 1)
			if scans != 3 || b.Last.After != 0 || len(b.Incident.Step(responsehub.Persistence).Looks) != 0 {
				t.Errorf("%d scans, %s to wait", scans, b.Last.After)
			}
			b.Run(t, d, 1)
			if scans != 3 {
				t.Error("the hub looked a third time")
			}
		})
	}
}

// TestTheTimeIsKept: a hub that was away when a look was due looks at once; one that
// starts in between waits for the rest only.
func TestTheTimeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, scans := newWorld(), 0
		b := remediationtest.New(alert(), true)
		d := persistence(w, scripted{&scans, []scan{{}}})
		out := d.Follow(t.Context(), turn(b))
		_ = out.Edit(b.Incident)
		time.Sleep(10 * time.Minute)
		if out := persistence(w).Follow(t.Context(), turn(b)); out.After != 5*time.Minute {
			t.Errorf("another hub waits for %s", out.After)
		}
		time.Sleep(time.Hour)
		out = d.Follow(t.Context(), turn(b))
		if scans != 2 || out.Err != nil || out.After != 0 {
			t.Errorf("%d scans after an hour away, %v, %s to wait: both looks are one", scans, out.Err, out.After)
		}
	})
}

func turn(b *remediationtest.Bench) *responsehub.Turn {
	return responsehub.NewTurn(b.Incident, 0, func(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
		return b.Incident, edit(b.Incident)
	})
}

// A look that meets a fault is tried again, and keeps what it found.
func TestLookThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, scans := newWorld(), 0
		w.footholds["rule-1"], w.footholds["rule-9"] = &foothold{active: true}, &foothold{active: true}
		d := persistence(w, scripted{&scans, []scan{{}, {items: []responsehub.Item{ruleItem("rule-9", "..")}, err: throttled(time.Minute)}, {}}})
		b := remediationtest.New(alert(), false)
		b.Ask(t, responsehub.Publish, responsehub.StepRequest{})
		b.Ask(t, responsehub.Persistence, responsehub.StepRequest{})
		b.Run(t, d, 1)
		b.Run(t, d, 1)
		if b.Last.Err == nil || len(b.Incident.Step(responsehub.Persistence).Looks) != 2 {
			t.Fatalf("the look ended with %v", b.Last.Err)
		}
		if gate := b.Incident.Blocked(responsehub.Password); !strings.Contains(gate, `".."`) {
			t.Errorf("the gate says %q", gate)
		}
		b.Run(t, d, 1)
		if b.Last.Err != nil || len(b.Incident.Step(responsehub.Persistence).Looks) != 1 {
			t.Errorf("the look was not made up for: %v", b.Last.Err)
		}
	})
}

// TestEveryCauseIsNamed: one scanner's two refusals both keep the gate shut and are both
// named; what does not exist in the tenant is told and is no refusal.
func TestEveryCauseIsNamed(t *testing.T) {
	lacks := func(right string) error {
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: "The hub's app lacks " + right + "."}
	}
	synctest.Test(t, func(t *testing.T) {
		b := remediationtest.New(alert(), true)
		b.Run(t, persistence(newWorld(), scan{err: errors.Join(lacks("One.Read"), lacks("Two.Read"))}, scan{err: lacks("Three.Read")}), 1)
		s := check(t, b.Incident, responsehub.Persistence, responsehub.Partial)
		for _, right := range []string{"One.Read", "Two.Read", "Three.Read"} {
			if !strings.Contains(b.Incident.Blocked(responsehub.Password), right) || len(s.Unread) != 3 {
				t.Errorf("%s is not named: %v", right, s.Unread)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := remediationtest.New(alert(), true)
		b.Run(t, persistence(newWorld(), scan{err: &responsehub.Error{Kind: responsehub.NotFound, Message: "This tenant has no Exchange Online."}}), 1)
		s := check(t, b.Incident, responsehub.Persistence, responsehub.Done)
		if !strings.Contains(s.Proof.Value, "no Exchange Online") || b.Incident.Blocked(responsehub.Password) != "" {
			t.Errorf("the proof is %q, the gate says %q", s.Proof.Value, b.Incident.Blocked(responsehub.Password))
		}
	})
}

// asks is a kind of foothold about which only a person decides.
type asks struct{ Foothold }

func (a asks) Read(ctx context.Context, t Target, it *responsehub.Item) (Reading, error) {
	r, err := a.Foothold.Read(ctx, t, it)
	r.Ask = "It may be wanted."
	return r, err
}

// TestAsks: such an item is left alone and keeps the gate shut until it is asked for by name.
func TestAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.footholds["flow"] = &foothold{active: true}
		d := persistence(w, scan{items: []responsehub.Item{{Kind: responsehub.TransportRule, Object: "flow", Name: "Copy"}}})
		d.Kinds[responsehub.TransportRule] = asks{holds{w: w}}
		b := remediationtest.New(alert(), true)
		b.Run(t, d, 1)
		check(t, b.Incident, responsehub.Persistence, responsehub.NeedsHuman)
		if !w.footholds["flow"].active || !strings.Contains(b.Incident.Blocked(responsehub.Password), `mail flow rule "Copy"`) {
			t.Fatalf("the gate says %q", b.Incident.Blocked(responsehub.Password))
		}
		b.Ask(t, responsehub.Persistence, responsehub.StepRequest{Items: []string{responsehub.ItemID(responsehub.TransportRule, "flow")}})
		b.Run(t, d, 1)
		check(t, b.Incident, responsehub.Persistence, responsehub.Done)
		if w.footholds["flow"].active {
			t.Error("it was not disabled when asked for by name")
		}
	})
}

// TestByName: what only people can judge is removed when a person asks for it by name, and
// its content is kept.
func TestByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.footholds["m"] = &foothold{active: true}
		d := persistence(w, scan{items: []responsehub.Item{{Kind: responsehub.AuthMethod, Object: "m", Name: "phone"}}})
		d.Kinds[responsehub.AuthMethod] = holds{w: w}
		b := remediationtest.New(alert(), true)
		b.Run(t, d, 1)
		check(t, b.Incident, responsehub.Persistence, responsehub.NeedsHuman)
		if !w.footholds["m"].active || b.Incident.Blocked(responsehub.Password) != "" {
			t.Fatal("a method is a person's to judge, and shuts no gate")
		}
		id := responsehub.ItemID(responsehub.AuthMethod, "m")
		b.Ask(t, responsehub.Persistence, responsehub.StepRequest{Items: []string{id}, Action: responsehub.Delete})
		b.Run(t, d, 1)
		s := check(t, b.Incident, responsehub.Persistence, responsehub.Done)
		if it := s.Item(id); !w.footholds["m"].gone || string(it.Snapshot) != `{"active":true}` || it.Proof == nil {
			t.Errorf("%+v, snapshot %s", w.footholds["m"], it.Snapshot)
		}
	})
}
