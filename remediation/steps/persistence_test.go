package steps

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

func persistence(w *world, scanners ...Scanner) *DisablePersistence {
	all := holds{w: w}
	return &DisablePersistence{
		Kinds:  map[responsehub.ItemKind]Foothold{responsehub.InboxRule: all, responsehub.ServicePrincipal: all, responsehub.AppRegistration: all, responsehub.InboundConnector: all, responsehub.OAuthGrant: all},
		Hidden: holds{w: w, hidden: true}, Scanners: scanners,
	}
}

func TestPersistence(t *testing.T) {
	rule := func(f *foothold) func(*world) { return func(w *world) { w.footholds["rule-1"] = f } }
	for _, c := range []struct {
		name    string
		arrange func(*world)
		scan    []Scanner
		want    responsehub.StepState
		reason  string
		gate    string // part of what the password gate says; "" open
	}{
		{name: "disabled and read back", arrange: rule(&foothold{active: true}), want: responsehub.Done},
		{name: "gone already", arrange: func(*world) {}, want: responsehub.Done},
		{name: "disabled already", arrange: rule(&foothold{}), want: responsehub.Done},
		{name: "a hidden rule", arrange: rule(&foothold{active: true, hidden: true}), want: responsehub.Done},
		{name: "throttled", arrange: func(w *world) {
			w.footholds["rule-1"] = &foothold{active: true}
			w.fail["disable rule-1"] = []error{throttled(5 * time.Second)}
		}, want: responsehub.Done},
		{name: "answer lost after the effect", arrange: func(w *world) {
			w.footholds["rule-1"] = &foothold{active: true}
			w.fail["disable rule-1"], w.after["disable rule-1"] = []error{lost()}, true
		}, want: responsehub.Done},
		{name: "no right", arrange: func(w *world) {
			w.footholds["rule-1"] = &foothold{active: true}
			w.fail["disable rule-1"] = []error{forbidden()}
		}, want: responsehub.Partial, reason: "lacks", gate: `inbox rule "."`},
		{name: "guarded", arrange: rule(&foothold{active: true, guard: "This is Microsoft's own."}), want: responsehub.NeedsHuman, reason: `inbox rule "."`, gate: `inbox rule "."`},
		{name: "what cannot be read is not clean", arrange: rule(&foothold{active: true}), scan: []Scanner{scan{err: forbidden()}}, want: responsehub.Partial, reason: "not clean", gate: "did not end clean"},
		{name: "the hub finds one more", arrange: func(w *world) {
			w.footholds["rule-1"], w.footholds["rule-2"] = &foothold{active: true}, &foothold{active: true}
		}, scan: []Scanner{scan{items: []responsehub.Item{{Kind: responsehub.InboxRule, Object: "rule-2", Name: "..", Why: "Made in the window."}}}}, want: responsehub.Done},
		{name: "a consent whose app is off now settles itself", arrange: func(w *world) { w.footholds["grant"] = &foothold{} },
			scan: []Scanner{scan{items: []responsehub.Item{{Kind: responsehub.OAuthGrant, Object: "grant", Name: "App"}}}}, want: responsehub.Done},
		{name: "a consent to a living app is left to a person", arrange: func(w *world) { w.footholds["grant"] = &foothold{active: true} },
			scan: []Scanner{scan{items: []responsehub.Item{{Kind: responsehub.OAuthGrant, Object: "grant", Name: "App"}}}}, want: responsehub.NeedsHuman, reason: `app consent "App"`},
		{name: "only a person can judge forwarding", arrange: func(*world) {}, scan: []Scanner{scan{items: []responsehub.Item{{Kind: responsehub.Forwarding, Object: "smtp:x@y", Name: "x@y"}}}}, want: responsehub.NeedsHuman, reason: "forwarding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				c.arrange(w)
				b := remediationtest.New(alert(), true)
				b.Run(t, persistence(w, c.scan...), 20)
				s := check(t, b.Incident, responsehub.Persistence, c.want)
				if !strings.Contains(s.Reason, c.reason) {
					t.Errorf("reason is %q, want %q in it", s.Reason, c.reason)
				}
				switch gate := b.Incident.Blocked(responsehub.Password); {
				case c.gate == "" && gate != "":
					t.Errorf("the reset is refused: %s", gate)
				case !strings.Contains(gate, c.gate):
					t.Errorf("the gate says %q, want %q in it", gate, c.gate)
				}
				for id, f := range w.footholds {
					if f.active && c.want == responsehub.Done {
						t.Errorf("%s is still active", id)
					}
				}
			})
		})
	}
}

func TestPersistenceKeepsTheFirstSnapshot(t *testing.T) {
	for kill := 1; kill <= 3; kill++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.footholds["rule-1"] = &foothold{active: true}
			b := remediationtest.New(alert(), true)
			b.KillAt = kill
			b.Run(t, persistence(w), 5)
			b.Run(t, persistence(w), 5)
			s := check(t, b.Incident, responsehub.Persistence, responsehub.Done)
			if got := string(s.Items[0].Snapshot); got != `{"active":true}` && w.footholds["rule-1"].changes > 0 {
				t.Errorf("killed at write %d: the snapshot is %s", kill, got)
			}
		})
	}
}

// Asking for one item leaves the rest, and the step, open.
func TestPersistenceOneItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := alert()
		a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: responsehub.ServicePrincipal, ID: "app-1", Name: "Mail Sync"})
		w := newWorld()
		w.footholds["rule-1"], w.footholds["app-1"] = &foothold{active: true}, &foothold{active: true}
		b := remediationtest.New(a, false)
		b.Ask(t, responsehub.Publish, responsehub.StepRequest{})
		b.Ask(t, responsehub.Persistence, responsehub.StepRequest{Items: []string{responsehub.ItemID(responsehub.InboxRule, "rule-1")}, Action: responsehub.Delete})
		b.Run(t, persistence(w), 5)
		check(t, b.Incident, responsehub.Persistence, responsehub.Partial)
		if !w.footholds["rule-1"].gone || !w.footholds["app-1"].active {
			t.Fatal("the wrong item was touched")
		}
		if gate := b.Incident.Blocked(responsehub.Password); !strings.Contains(gate, `"Mail Sync"`) {
			t.Errorf("the gate says %q", gate)
		}
		b.Ask(t, responsehub.Persistence, responsehub.StepRequest{Skip: true, Items: []string{responsehub.ItemID(responsehub.ServicePrincipal, "app-1")}, Reason: "ours"})
		check(t, b.Incident, responsehub.Persistence, responsehub.Done)
	})
}
