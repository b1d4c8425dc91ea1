package steps

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

// A mailbox that asks to wait is left alone for that time, what is known of it is not
// asked again, and a move is only repeated after a look where the message lies: a 429 may
// have been carried out.
func TestRetractAtABusyMailbox(t *testing.T) {
	busy := []error{throttled(3 * time.Second)}
	for _, c := range []struct {
		name    string
		arrange func(*world)
		calls   string
	}{
		{"the list of mailboxes", func(w *world) { w.fail["mailboxes"] = busy }, "mailboxes, find m0, trash, move, folder"},
		{"the search", func(w *world) { w.fail["find m0"] = busy }, "find m0, find m0, trash, move, folder"},
		{"the folder", func(w *world) { w.fail["trash"] = busy }, "find m0, trash, trash, move, folder"},
		{"the move", func(w *world) { w.fail["move"] = busy }, "find m0, trash, move, folder, move, folder"},
		{"the move, which was carried out", func(w *world) { w.fail["move"], w.after["move"] = busy, true }, "find m0, trash, move, folder"},
		{"the look at where it lies", func(w *world) { w.fail["folder"] = busy }, "find m0, trash, move, folder, folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := mailWorld(1)
				c.arrange(w)
				b := remediationtest.New(alert(), true)
				begin := time.Now()
				b.Run(t, &Retract{Mail: w, Letters: b.Letters()}, 1)
				s := check(t, b.Incident, responsehub.Retract, responsehub.Done)
				if d := time.Since(begin); d < 3*time.Second || d >= 4*time.Second || s.Progress.Moved != 1 {
					t.Errorf("it took %s, want the 3s it was asked for: %+v", d, *s.Progress)
				}
				_, calls, _ := strings.Cut(strings.Join(w.calls, ", "), "mailboxes, ")
				if diff := cmp.Diff(c.calls, calls); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				neverTwice(t, w)
			})
		})
	}
}
