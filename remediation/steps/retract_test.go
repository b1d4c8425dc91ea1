package steps

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

func mailWorld(boxes int) *world {
	w := newWorld()
	for i := range boxes {
		id := fmt.Sprintf("m%d", i)
		w.boxes = append(w.boxes, Mailbox{ID: id, Address: id + "@contoso.example"})
		w.deliver(id, "a", "inbox-"+id)
	}
	return w
}

func TestRetract(t *testing.T) {
	gone := &responsehub.Error{Kind: responsehub.NotFound, Message: "no mailbox"}
	for _, c := range []struct {
		name    string
		arrange func(*world)
		want    responsehub.StepState
		reason  string
		moved   int
		already int
	}{
		{name: "all moved", want: responsehub.Done, moved: 30},
		{name: "one lay in Deleted Items before", arrange: func(w *world) { w.letters["m3|a"].Folder = "trash-m3" }, want: responsehub.Done, moved: 29, already: 1},
		{name: "a user without mailbox is no fault", arrange: func(w *world) { w.fail["find m1"] = []error{gone} }, want: responsehub.Done, moved: 29},
		{name: "a mailbox the tenant withholds", arrange: func(w *world) { w.fail["find m1"] = []error{forbidden()} }, want: responsehub.Partial, reason: "1 mailboxes could not be searched: m1@contoso.example", moved: 29},
		{name: "throttled in the middle", arrange: func(w *world) { w.fail["find m1"] = []error{throttled(9 * time.Second)} }, want: responsehub.Done, moved: 30},
		{name: "the answer to a move is lost after the effect", arrange: func(w *world) { w.fail["move"], w.after["move"] = []error{lost(), lost()}, true }, want: responsehub.Done, moved: 30},
		{name: "a move that fails and had no effect", arrange: func(w *world) { w.fail["move"] = []error{throttled(time.Second)} }, want: responsehub.Done, moved: 30},
		{name: "may not list the mailboxes", arrange: func(w *world) { w.fail["mailboxes"] = []error{forbidden()} }, want: responsehub.Failed, reason: "lacks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := mailWorld(30)
				if c.arrange != nil {
					c.arrange(w)
				}
				b := remediationtest.New(alert(), true)
				b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 20)
				s := check(t, b.Incident, responsehub.Retract, c.want)
				if !strings.Contains(s.Reason, c.reason) {
					t.Errorf("reason is %q", s.Reason)
				}
				if s.Progress != nil && (s.Progress.Moved != c.moved || s.Progress.Already != c.already) {
					t.Errorf("progress is %+v", *s.Progress)
				}
				neverTwice(t, w)
			})
		})
	}
}

// Killed at any write and started again, every message is moved, none of them twice.
func TestRetractKilledAnywhere(t *testing.T) {
	for kill := 1; kill <= 9; kill++ {
		synctest.Test(t, func(t *testing.T) {
			w := mailWorld(45)
			b := remediationtest.New(alert(), true)
			b.KillAt = kill
			b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 20)
			b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 20)
			check(t, b.Incident, responsehub.Retract, responsehub.Done)
			neverTwice(t, w)
			for key, l := range w.letters {
				if l.Folder != "trash-"+l.Mailbox {
					t.Errorf("killed at write %d: %s lies in %s", kill, key, l.Folder)
				}
			}
		})
	}
}

func neverTwice(t *testing.T, w *world) {
	t.Helper()
	for key, n := range w.moves {
		if n > 1 {
			t.Errorf("%s was moved %d times", key, n)
		}
	}
}

func TestRetractWithoutPhish(t *testing.T) {
	a := alert()
	a.Phish = nil
	b := remediationtest.New(a, true)
	w := newWorld()
	b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 3)
	check(t, b.Incident, responsehub.Retract, responsehub.Done)
	if len(w.calls) != 0 {
		t.Errorf("Microsoft was asked: %v", w.calls)
	}
}
