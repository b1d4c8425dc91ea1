package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"responsehub"
	"responsehub/api"
)

// TestTwoPeopleOneLock: Ann, Bob and a program ask for the lock at the same instant.
// There is one effect, and everybody reads who was first. A stranger's click is
// refused so that only they see it, and it is on record.
func TestTwoPeopleOneLock(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	in := s.alert(s.world.Alert("manual"))
	victim := s.scene(1).Victim
	s.click("ann", in.Ref, "Publish Incident", nil)
	card := s.card(in.Ref, "active")

	s.mallory(in)

	answers := s.atOnce(in, card.ID, "1 Revoke sessions and lock account", responsehub.Lock)
	st := s.is(in.Incident, responsehub.Lock, responsehub.Done)
	names := map[string]string{"ann": "Ann Berg", "bob": "Bob Carr", "api": "bootstrap key"}
	for who, said := range answers {
		switch {
		case names[who] == st.RequestedBy.Name && !strings.Contains(said, "started"):
			t.Errorf("%s, who was first, read: %s", who, said)
		case names[who] != st.RequestedBy.Name && !strings.Contains(said, "was started by "+st.RequestedBy.Name):
			t.Errorf("%s read: %s; want to hear of %s", who, said, st.RequestedBy.Name)
		}
	}
	// Whoever comes later joins too, and moves nothing.
	var later api.Answer
	s.ask(in.Incident, responsehub.Lock, api.StepBody{}).decode(t, &later)
	if !later.Joined || !strings.Contains(later.Sentence, "was started by "+st.RequestedBy.Name) {
		t.Errorf("asked again after the lock, the program read: %s", later.Sentence)
	}
	if n := s.count("disable", victim.ID); n != 1 {
		t.Errorf("the account was disabled %d times", n)
	}
	if n := s.requests("graph", http.MethodPatch, "/users/"+victim.ID); n != 1 {
		t.Errorf("%d requests to disable the account", n)
	}
	if n := s.requests("graph", http.MethodPost, "/revokeSignInSessions"); n != 1 {
		t.Errorf("%d requests to revoke the sessions", n)
	}
	if st := s.card(in.Ref, "1 Revoke sessions and lock account — ✓", st.RequestedBy.Name); st.Edits == 0 {
		t.Error("the card was not updated in place")
	}
	requested := 0
	for _, e := range s.events(in.Incident) {
		if e.Kind == responsehub.EventRequested && e.Step == responsehub.Lock {
			requested++
		}
	}
	if requested != 1 {
		t.Errorf("the record has %d requests for the lock", requested)
	}
}

// atOnce lets Ann, Bob and a program ask for a step together, and returns what each
// of them read.
func (s *stage) atOnce(in opened, card, title string, step responsehub.StepID) map[string]string {
	s.Helper()
	var mu sync.Mutex
	said := map[string]string{}
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, who := range []string{"ann", "bob"} {
		wg.Go(func() {
			<-start
			out, err := s.press(who, card, title, nil)
			if err != nil || out.Status != http.StatusOK || !out.Replaced {
				s.Errorf("%s pressed %q: %+v, %v", who, title, out, err)
			}
			mu.Lock()
			said[who] = cardText(out.Card)
			mu.Unlock()
		})
	}
	wg.Go(func() {
		<-start
		r := s.ask(in.Incident, step, api.StepBody{})
		var a api.Answer
		r.decode(s, &a)
		if r.status != http.StatusAccepted {
			s.Errorf("the program got %s", r)
		}
		mu.Lock()
		said["api"] = a.Sentence
		mu.Unlock()
	})
	close(start)
	wg.Wait()
	return said
}

// mallory is in the team, but nobody gave her a role.
func (s *stage) mallory(in opened) {
	s.Helper()
	out := s.click("mallory", in.Ref, "1 Revoke sessions and lock account", nil)
	if out.Replaced || !strings.Contains(out.Message, "not on this hub's list of people") {
		s.Errorf("Mallory got %+v", out)
	}
	s.recorded(in.Incident, responsehub.EventRefused, "Mallory Vane", "not on this hub's list of people")
	state := s.world.Teams.Snapshot()
	for _, who := range []string{"ann", "bob"} {
		if n := state.Notices[who]; strings.Contains(n.Text, "list of people") {
			s.Errorf("%s reads Mallory's refusal", who)
		}
	}
	for _, m := range s.cards(in.Ref) {
		if strings.Contains(string(m.Card), "list of people") {
			s.Error("Mallory's refusal stands on the card")
		}
	}
	if s.step(in.Incident, responsehub.Lock).State != responsehub.Waiting {
		s.Error("Mallory's click started the lock")
	}
}

// requests counts the requests a vendor got, by method and a part of the path.
func (s *stage) requests(vendor, method, path string) int {
	n := 0
	for _, q := range s.world.Wire.Requests() {
		if q.Vendor == vendor && q.Method == method && strings.Contains(q.Path, path) {
			n++
		}
	}
	return n
}
