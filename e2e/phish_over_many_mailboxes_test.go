package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// TestPhishOverManyMailboxes: a phish goes to one in ten of three hundred mailboxes. The
// hub's process is killed three times while it retracts. Every copy ends in Deleted
// Items, none is moved twice, nothing that only looks alike is touched, and what was
// sent stays with the sender as evidence.
func TestPhishOverManyMailboxes(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		trace bool
		note  string
	}{
		"by message trace":  {trace: true, note: "Message trace names the mailboxes"},
		"without the trace": {note: "all mailboxes are searched instead"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := raise(t, scenery{separate: true, noHub: true})
			crowd := s.crowd(300)
			if !story.trace {
				s.scene(0).Tenant.RemoveRole(sim.HubClientID, "ExchangeMessageTrace.Read.All")
			}
			s.world.Graph.SetLatency("/messages", 150*time.Millisecond)
			s.world.Wire.AddFault(wire.Fault{
				Vendor: "graph", Match: "/messages", Every: 50, Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "1"},
				Answer: `{"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}}`,
			})
			s.up()
			in := s.takeover()
			lock := s.is(in.Incident, responsehub.Lock, responsehub.Done)
			if d := lock.VerifiedAt.Sub(lock.RequestedAt); d > 5*time.Second {
				t.Errorf("the lock took %s beside the retraction", d)
			}
			for _, moved := range []int{2, 12, 22} {
				s.within(60*time.Second, fmt.Sprintf("%d messages are moved", moved), func() bool { return s.count("move", "") >= moved })
				s.killHub()
				s.startHub()
			}
			st := s.is(in.Incident, responsehub.Retract, responsehub.Done)
			if !strings.Contains(st.Note, story.note) {
				t.Errorf("the step says %q, want %q in it", st.Note, story.note)
			}
			phish := crowd.check(s) + 5 // and those of the canonical story: three moved, one there, one kept
			if p := st.Progress; p.Found != phish || p.Moved != phish-2 || p.Already != 1 || p.Kept != 1 {
				t.Errorf("of %d phish the hub says %+v", phish, *p)
			}
			s.lettersOf(in, phish)
			s.card(in.Ref, fmt.Sprintf("%d moved", phish-2))
		})
	}
}

// crowd is many mailboxes: one in ten has the phish, others have what looks alike.
type crowd struct {
	users    []*tenant.User
	phish    map[string]bool // by mailbox and message id
	innocent int
}

func (s *stage) crowd(n int) *crowd {
	scene := s.scene(0)
	domain := scene.Tenant.Domains[0].Name
	c := &crowd{phish: map[string]bool{}}
	phish := tenant.Message{InternetMessageID: scene.PhishID, From: scene.PhishSender, Subject: scene.PhishSubject, Received: scene.PhishAt}
	for i := range n {
		u := scene.Tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("user%03d@%s", i, domain), Shared: i%20 == 0})
		c.users = append(c.users, u)
		switch i % 10 {
		case 0:
			u.Deliver(phish)
		case 1:
			other := phish
			other.InternetMessageID, other.From = "", "accounts@supplier.example"
			u.Deliver(other)
			c.innocent++
		case 2:
			other := phish
			other.InternetMessageID, other.Subject = "", "Lunch?"
			u.Deliver(other)
			c.innocent++
		}
	}
	return c
}

// check looks at every message and returns how many phish there are.
func (c *crowd) check(s *stage) (phish int) {
	s.Helper()
	innocent := 0
	for _, u := range c.users {
		trashed := map[string]bool{}
		for _, m := range u.Messages("deleteditems") {
			trashed[m.ImmutableID] = true
		}
		for _, m := range u.Messages("") {
			switch isPhish := m.InternetMessageID == s.scene(0).PhishID; {
			case isPhish && (!trashed[m.ImmutableID] || m.Moves != 1):
				s.Errorf("%s: the phish was moved %d times, in Deleted Items: %t", u.UPN, m.Moves, trashed[m.ImmutableID])
				phish++
			case isPhish:
				phish++
			case m.Moves != 0:
				s.Errorf("%s: %q was moved", u.UPN, m.Subject)
			default:
				innocent++
			}
		}
	}
	if innocent != c.innocent {
		s.Errorf("%d honest messages are left of %d", innocent, c.innocent)
	}
	for _, m := range s.scene(0).Victim.Messages("") {
		if m.InternetMessageID == s.scene(0).PhishID && m.Moves != 0 {
			s.Error("the sender's own copy was moved")
		}
	}
	return phish
}

// lettersOf pages through the letters and checks that each can be taken back.
func (s *stage) lettersOf(in opened, want int) {
	s.Helper()
	seen, cursor := map[string]bool{}, ""
	for range 1000 {
		r := s.api("GET", "/v1/incidents/"+in.Incident+"/letters?limit=10&cursor="+url.QueryEscape(cursor), nil)
		var page api.List[api.Letter]
		if err := json.Unmarshal(r.body, &page); err != nil || r.status != http.StatusOK {
			s.Fatalf("letters: %s", r)
		}
		for _, l := range page.Items {
			seen[l.Mailbox+"|"+l.ID] = true
			if l.Moved && (l.Folder == "" || l.Rule == "" || l.State != responsehub.Done) {
				s.Errorf("letter %+v", l)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != want {
		s.Errorf("%d letters are listed, want %d", len(seen), want)
	}
}
