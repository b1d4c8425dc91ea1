package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

var _ Restorer = holds{}

// Restore makes what was deleted anew under another id; making it cannot be repeated.
func (h holds) Restore(_ context.Context, _ Target, it *responsehub.Item) (Receipt, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	effect, err := h.w.call("restore " + it.Object)
	var was struct{ Active bool }
	if json.Unmarshal(it.Snapshot, &was) != nil {
		return Receipt{}, &responsehub.Error{Kind: responsehub.Permanent, Message: "The copy cannot be read."}
	}
	f := h.w.footholds[it.Object]
	if made := it.Object + "'"; f.gone && it.State == responsehub.Running && h.w.footholds[made] != nil {
		it.Object, f = made, h.w.footholds[made]
	}
	if !effect {
		return Receipt{}, err
	}
	if f.gone {
		made := *f
		made.gone, made.changes, f = false, 0, &made
		h.w.footholds[it.Object+"'"] = f
		if err == nil {
			it.Object += "'"
		}
	}
	f.active = was.Active
	return Receipt{}, err
}

func (h holds) Restored(before, now json.RawMessage) bool { return string(before) == string(now) }

// undo asks for a step to be taken back, as Ann.
func undo(t *testing.T, b *remediationtest.Bench, id responsehub.StepID, items ...string) {
	t.Helper()
	if _, err := b.Incident.AskUndo(id, remediationtest.Ann, responsehub.UndoRequest{Items: items, Reason: "our own"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.Events = append(b.Events, b.Incident.TakeEvents()...)
}

func TestUndoLock(t *testing.T) {
	for _, c := range []struct {
		name     string
		disabled bool // before the incident
		arrange  func(*world)
		want     responsehub.StepState
		reason   string
		enabled  bool
	}{
		{name: "opened and read back", want: responsehub.Undone, enabled: true},
		{name: "disabled before, stays so", disabled: true, want: responsehub.Undone},
		{name: "the directory lags", arrange: func(w *world) { w.lag = 4 }, want: responsehub.Undone, enabled: true},
		{name: "throttled", arrange: func(w *world) { w.fail["enabled=true"] = []error{throttled(7 * time.Second)} }, want: responsehub.Undone, enabled: true},
		{name: "the answer is lost after the effect", arrange: func(w *world) { w.fail["enabled=true"], w.after["enabled=true"] = []error{lost()}, true }, want: responsehub.Undone, enabled: true},
		{name: "no right", arrange: func(w *world) { w.fail["enabled=true"] = []error{forbidden(), forbidden()} }, want: responsehub.NeedsHuman, reason: "could not be taken back: The hub's app lacks"},
	} {
		for kill := range 4 {
			t.Run(fmt.Sprintf("%s, killed at write %d", c.name, kill), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					w.account.Enabled = !c.disabled
					b := remediationtest.New(alert(), true)
					b.Run(t, &Lock{Directory: w}, 20)
					check(t, b.Incident, responsehub.Lock, responsehub.Done)
					if c.arrange != nil {
						c.arrange(w)
					}
					undo(t, b, responsehub.Lock)
					if kill > 0 {
						b.KillAt = b.Saves + kill
					}
					b.Run(t, &Lock{Directory: w}, 20)
					b.Run(t, &Lock{Directory: w}, 20)
					s := check(t, b.Incident, responsehub.Lock, c.want)
					if !strings.Contains(s.Reason, c.reason) || c.want == responsehub.Undone && s.Proof == nil {
						t.Errorf("reason %q, proof %v", s.Reason, s.Proof)
					}
					if w.account.Enabled != c.enabled {
						t.Errorf("the account's sign-in is %t at the end", w.account.Enabled)
					}
				})
			})
		}
	}
}

func TestUndoRetract(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*world) // after the retraction
		want    responsehub.StepState
		reason  string
		back    int
	}{
		{name: "all back", want: responsehub.Undone, back: 29},
		{name: "throttled", arrange: func(w *world) { w.fail["move"] = []error{throttled(9 * time.Second)} }, want: responsehub.Undone, back: 29},
		{name: "an answer is lost after the effect", arrange: func(w *world) { w.fail["move"], w.after["move"] = []error{lost()}, true }, want: responsehub.Undone, back: 29},
		{name: "a folder is gone", arrange: func(w *world) {
			w.fail["move"] = []error{&responsehub.Error{Kind: responsehub.NotFound, Message: "no such folder"}}
		}, want: responsehub.Undone, back: 28},
		{name: "deleted for good since", arrange: func(w *world) { delete(w.letters, "m5|a") }, want: responsehub.NeedsHuman, reason: "1 of 29 messages could not be moved back: It is not in its mailbox any more.", back: 28},
		{name: "moved by its owner since", arrange: func(w *world) { w.letters["m5|a"].Folder = "archive" }, want: responsehub.Undone, back: 28},
	} {
		for kill := range 4 {
			t.Run(fmt.Sprintf("%s, killed at write %d", c.name, kill), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := mailWorld(30)
					w.letters["m3|a"].Folder = "trash-m3" // the owner's own doing
					b := remediationtest.New(alert(), true)
					f := &Retract{Mail: w, Letters: b.Letters()}
					b.Run(t, f, 20)
					check(t, b.Incident, responsehub.Retract, responsehub.Done)
					if c.arrange != nil {
						c.arrange(w)
					}
					undo(t, b, responsehub.Retract)
					if kill > 0 {
						b.KillAt = b.Saves + kill
					}
					b.Run(t, f, 20)
					b.Run(t, f, 20)
					s := check(t, b.Incident, responsehub.Retract, c.want)
					if !strings.Contains(s.Reason, c.reason) {
						t.Errorf("reason is %q", s.Reason)
					}
					back := 0
					for key, l := range w.letters {
						if l.Folder == "inbox-"+l.Mailbox {
							back++
						}
						if w.moves[key] > 2 {
							t.Errorf("%s was moved %d times", key, w.moves[key])
						}
					}
					if back != c.back || w.letters["m3|a"].Folder != "trash-m3" {
						t.Errorf("%d letters are back, want %d; what lay in Deleted Items lies in %s", back, c.back, w.letters["m3|a"].Folder)
					}
				})
			})
		}
	}
}

// Whoever asks for the retraction again, after taking it back, gets it again.
func TestRetractAfterUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := mailWorld(3)
		b := remediationtest.New(alert(), true)
		f := &Retract{Mail: w, Letters: b.Letters()}
		b.Run(t, f, 20)
		undo(t, b, responsehub.Retract)
		b.Run(t, f, 20)
		check(t, b.Incident, responsehub.Retract, responsehub.Undone)
		b.Ask(t, responsehub.Retract, responsehub.StepRequest{Reason: "phish after all"})
		b.Run(t, f, 20)
		check(t, b.Incident, responsehub.Retract, responsehub.Done)
		for key, l := range w.letters {
			if l.Folder != "trash-"+l.Mailbox {
				t.Errorf("%s lies in %s", key, l.Folder)
			}
		}
	})
}

func TestUndoPersistenceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.footholds["rule-1"] = &foothold{active: true}
		b := remediationtest.New(alert(), true)
		b.Run(t, persistence(w), 3)
		w.fail["restore rule-1"] = []error{forbidden()}
		undo(t, b, responsehub.Persistence)
		b.Run(t, persistence(w), 3)
		s := check(t, b.Incident, responsehub.Persistence, responsehub.NeedsHuman)
		if !strings.Contains(s.Reason, "lacks") || s.Items[0].State != responsehub.Done {
			t.Errorf("%s, the item is %s", s.Reason, s.Items[0].State)
		}
		undo(t, b, responsehub.Persistence) // the right was granted
		b.Run(t, persistence(w), 3)
		check(t, b.Incident, responsehub.Persistence, responsehub.Undone)
		if gate := b.Incident.Blocked(responsehub.Password); gate != "" {
			t.Errorf("what a person took back keeps the reset shut: %s", gate)
		}
	})
}

// picture is all of the world that a step may change and an undo must give back; new ids
// of what was made anew count as the old ones.
func (w *world) picture() map[string]any {
	p := map[string]any{"enabled": w.account.Enabled}
	for key, l := range w.letters {
		p["letter "+key] = l.Folder
	}
	for id, f := range w.footholds {
		if !f.gone {
			p["foothold "+strings.TrimRight(id, "'")] = fmt.Sprint(f.name, f.active, f.hidden)
		}
	}
	return p
}

// script is a world and what happens in it.
type script struct {
	Enabled bool
	Folders []string // of one letter each, by mailbox
	Active  []bool   // of four footholds
	Action  responsehub.Action
	Kill    [3]int // at which write each undo dies
}

// TestDoAndUndo: whatever the world was, do and undo leave it as it was, killed anywhere.
func TestDoAndUndo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := script{
			Enabled: rapid.Bool().Draw(r, "enabled"),
			Folders: rapid.SliceOfN(rapid.SampledFrom([]string{"inbox-", "other-", "trash-"}), 0, 6).Draw(r, "folders"),
			Active:  rapid.SliceOfN(rapid.Bool(), 4, 4).Draw(r, "active"),
			Action:  rapid.SampledFrom([]responsehub.Action{responsehub.Disable, responsehub.Delete}).Draw(r, "action"),
		}
		for i := range p.Kill {
			p.Kill[i] = rapid.IntRange(1, 4).Draw(r, "kill")
		}
		var diff string
		synctest.Test(t, func(t *testing.T) { diff = p.play(t) })
		if diff != "" {
			r.Fatalf("%+v (-before +after the undo):\n%s", p, diff)
		}
	})
}

// play does the steps and takes them back; it returns what is not as it was.
func (p script) play(t *testing.T) string {
	w := mailWorld(len(p.Folders))
	w.account.Enabled = p.Enabled
	for i, folder := range p.Folders {
		box := w.boxes[i].ID
		w.letters[box+"|a"].Folder = folder + box
	}
	a := alert()
	a.Persistence = nil
	for i, kind := range []responsehub.ItemKind{responsehub.InboxRule, responsehub.ServicePrincipal, responsehub.AppRegistration, responsehub.InboundConnector} {
		id := fmt.Sprintf("thing-%d", i)
		a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: kind, ID: id, Name: id})
		w.footholds[id] = &foothold{kind: kind, name: id, active: p.Active[i]}
	}
	b := remediationtest.New(a, false)
	b.Ask(t, responsehub.Publish, responsehub.StepRequest{})
	followers := map[responsehub.StepID]responsehub.Follower{responsehub.Lock: &Lock{Directory: w}, responsehub.Retract: &Retract{Mail: w, Letters: b.Letters()}, responsehub.Persistence: persistence(w)}
	before := w.picture()
	for _, id := range responsehub.StepIDs[1:4] {
		ask := responsehub.StepRequest{}
		if id == responsehub.Persistence {
			ask.Action = p.Action
		}
		b.Ask(t, id, ask)
		b.Run(t, followers[id], 3)
		check(t, b.Incident, id, responsehub.Done)
	}
	for i, id := range responsehub.StepIDs[1:4] {
		if !b.Incident.Reversible(id) {
			continue // nothing was moved
		}
		undo(t, b, id)
		b.KillAt = b.Saves + p.Kill[i]
		b.Run(t, followers[id], 3)
		b.Run(t, followers[id], 3)
		check(t, b.Incident, id, responsehub.Undone)
	}
	return cmp.Diff(before, w.picture())
}
