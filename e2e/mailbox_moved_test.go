package e2e

import (
	"net/http"
	"strings"
	"testing"

	"responsehub"
	"responsehub/sim/wire"
)

// TestMailboxMovedWhileSearching: a mailbox leaves Exchange Online after the phish was
// found in it. The others are done; this one is named with what to do, and its message is
// not said to be moved.
func TestMailboxMovedWhileSearching(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	sam := s.scene(0).Sam
	s.world.Wire.AddFault(wire.Fault{Vendor: "graph", Method: http.MethodPost, Match: "/users/" + sam.ID + "/messages/", DelayMS: 3000, Times: 1})
	in := s.takeover()
	found := func() bool {
		for _, q := range s.world.Wire.Requests() {
			if strings.Contains(q.Path, "/users/"+sam.ID+"/mailFolders/") {
				return true
			}
		}
		return false
	}
	s.until("the phish was found in Sam's mailbox", found)
	s.frozen(func() { sam.Mailbox = nil })
	st := s.is(in.Incident, responsehub.Retract, responsehub.Partial)
	if !strings.Contains(st.Reason, "The mailbox of "+sam.UPN+" got the phish and is not in Exchange Online (any more)") || !strings.Contains(st.Reason, "Look into it by hand") {
		t.Errorf("the step says %q", st.Reason)
	}
	if p := st.Progress; p == nil || p.Moved != 2 || p.Already != 1 {
		t.Errorf("the hub counts %+v", p)
	}
	s.card(in.Ref, "is not in Exchange Online (any more)")
}
