package graph

import (
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/remediation/steps"
)

func TestMailboxes(t *testing.T) {
	c, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("$skiptoken") == "" {
			say(w, 200, `{"value":[
				{"id":"1","mail":"a@contoso.com","userType":"Member"},
				{"id":"2","mail":null,"userType":"Member"},
				{"id":"3","mail":"g@gmail.com","userType":"Guest"},
				{"id":"4","mail":"shared@contoso.com"}],"@odata.nextLink":"https://graph.test/v1.0/users?$skiptoken=p2"}`)
			return
		}
		say(w, 200, `{"value":[{"id":"5","mail":"b@contoso.com"}]}`)
	})
	var got []string
	for m, err := range allMailboxes(t, c) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.ID+" "+m.Address)
	}
	if diff := cmp.Diff([]string{"1 a@contoso.com", "4 shared@contoso.com", "5 b@contoso.com"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(w.requests()) != 2 {
		t.Errorf("%d requests, want 2: one a page", len(w.requests()))
	}
}

// allMailboxes reads page after page, until one is asked for that was read.
func allMailboxes(t *testing.T, c *Client) iter.Seq2[steps.Mailbox, error] {
	return func(yield func(steps.Mailbox, error) bool) {
		for page, n := "", 0; n < 10; n++ {
			boxes, next, err := c.MailboxPage(t.Context(), tenantID, page)
			for _, b := range boxes {
				if !yield(b, nil) {
					return
				}
			}
			if err != nil {
				yield(steps.Mailbox{}, err)
			}
			if err != nil || next == "" {
				return
			}
			page = next
		}
	}
}

func TestPagesThatLead(t *testing.T) {
	for name, next := range map[string]string{
		"to another host":      "https://evil.test/v1.0/users?$skiptoken=1",
		"to plain http":        "http://graph.test/v1.0/users?$skiptoken=1",
		"out of v1.0":          "https://graph.test/beta/users",
		"with another's login": "https://graph.test@evil.test/v1.0/users",
		"nowhere":              "::",
		"round in circles":     "https://graph.test/v1.0/users?$skiptoken=1",
	} {
		t.Run(name, func(t *testing.T) {
			c, w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
				say(w, 200, fmt.Sprintf(`{"value":[{"id":"1","mail":"a@b.c"}],"@odata.nextLink":%q}`, next))
			})
			var last error
			n := 0
			for _, err := range allMailboxes(t, c) {
				last = err
				n++
			}
			if last == nil || responsehub.KindOf(last) != responsehub.Unavailable || n > 4 {
				t.Errorf("%d results, then %v", n, last)
			}
			for _, r := range w.requests() {
				if !strings.HasPrefix(r.Path, "/users") {
					t.Errorf("went to %s", r.Path)
				}
			}
		})
	}
}

func TestFind(t *testing.T) {
	message := func(id, messageID, from, subject, at string) string {
		return fmt.Sprintf(`{"id":%q,"internetMessageId":%q,"parentFolderId":"F","from":{"emailAddress":{"address":%q}},"subject":%q,"receivedDateTime":%q,"isRead":true}`, id, messageID, from, subject, at)
	}
	// A service that ignores the filter hands out everything.
	everything := []string{
		`{"id":"no from"}`, message("1", "<HERE@x>", "c@x", "[External] S", "2026-11-01T09:30:00Z"), message("2", "<b@x>", "A@X", "s", "2026-11-23T09:30:00Z"),
		message("3", "<c@x>", "a@x", "Lunch", "2026-11-23T09:30:00Z"), message("4", "<d@x>", "b@x", "S", "2026-11-23T09:30:00Z"), message("5", "<e@x>", "a@x", "S", "2026-11-20T09:30:00Z"),
	}
	plain := func(w http.ResponseWriter, _ *http.Request) {
		say(w, 200, `{"value":[`+strings.Join(everything, ",")+`]}`)
	}
	// A service that takes one rule in a search.
	simple := func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("$filter"), " or ") {
			say(w, 400, complain("InefficientFilter", "The restriction or sort order is too complex for this operation."))
			return
		}
		plain(w, r)
	}
	since, until := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		phish responsehub.Phish
		want  []string
	}{
		{"by id", responsehub.Phish{InternetMessageID: "<here@x>"}, []string{"1 message_id"}},
		{"by id, and one sent by itself", responsehub.Phish{InternetMessageID: "<here@x>", Sender: "a@x", Subject: "S", ReceivedAfter: since, ReceivedBefore: until}, []string{"1 message_id", "2 sender"}},
		{"by id only, none there", responsehub.Phish{InternetMessageID: "<gone@x>"}, nil},
		{"similar where the id is not", responsehub.Phish{InternetMessageID: "<gone@x>", Sender: "a@x", Subject: "S", ReceivedAfter: since, ReceivedBefore: until}, []string{"2 sender"}},
		{"never by the sender alone", responsehub.Phish{Sender: "a@x"}, nil},
	} {
		for _, answers := range []struct {
			name  string
			serve http.HandlerFunc
			two   int // searches where both rules are known, of two mailboxes
		}{{"plain", plain, 2}, {"simple", simple, 5}} {
			c, w := newWorld(t, answers.serve)
			for range 2 {
				letters, err := c.Find(t.Context(), tenantID, "U", tc.phish)
				var got []string
				for _, l := range letters {
					got = append(got, l.ID+" "+string(l.Rule))
				}
				if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
					t.Errorf("%s, %s: %v (-want +got):\n%s", tc.name, answers.name, err, diff)
				}
			}
			searches := 2
			switch {
			case tc.phish.InternetMessageID != "" && tc.phish.Sender != "":
				searches = answers.two
			case tc.phish.InternetMessageID == "" && tc.phish.Subject == "":
				searches = 0
			}
			if got := len(w.requests()); got != searches {
				t.Errorf("%s, %s: %d searches in two mailboxes, want %d", tc.name, answers.name, got, searches)
			}
		}
	}
	c, _ := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		say(w, 200, `{"value":[`+message("1", "<here@x>", "a@x", "S", "2026-11-23T09:30:00Z")+`]}`)
	})
	letters, _ := c.Find(t.Context(), tenantID, "U", responsehub.Phish{InternetMessageID: "<here@x>"})
	want := steps.Letter{Rule: responsehub.ByMessageID, ID: "1", Mailbox: "U", InternetMessageID: "<here@x>", Folder: "F", Sender: "a@x", Subject: "S", ReceivedAt: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), Read: true}
	if diff := cmp.Diff([]steps.Letter{want}, letters); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
