package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// traced answers a message trace in two pages, and look-ups of the addresses in it.
func traced(t *testing.T) http.HandlerFunc {
	row := func(id, from, subject, to string) string {
		b, err := json.Marshal(map[string]string{"messageId": id, "senderAddress": from, "subject": subject, "recipientAddress": to, "status": "delivered"})
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		filter := q.Get("$filter")
		switch {
		case strings.HasSuffix(r.URL.Path, "/messageTraces") && q.Get("$skiptoken") == "2":
			say(w, 200, `{"value":[`+row("<p@x>", "a@x", "S", "Second@contoso.com")+`]}`)
		case strings.HasSuffix(r.URL.Path, "/messageTraces") && strings.HasPrefix(filter, "messageId eq '<p@x>' and receivedDateTime ge "):
			say(w, 200, `{"value":[`+row("<p@x>", "a@x", "S", "first@contoso.com")+`,`+row("<q@x>", "b@x", "Lunch", "innocent@contoso.com")+`],"@odata.nextLink":"https://graph.test/v1.0/admin/exchange/tracing/messageTraces?$skiptoken=2"}`)
		case strings.HasSuffix(r.URL.Path, "/messageTraces") && strings.HasPrefix(filter, "senderAddress eq 'a@x' and subject eq 'It''s S'"):
			say(w, 200, `{"value":[`+row("<r@x>", "A@x", "it's s", "third@contoso.com")+`,`+row("<s@x>", "a@x", "It's S", "outside@elsewhere.example")+`]}`)
		case strings.HasSuffix(r.URL.Path, "/users"):
			var value []string
			for i, a := range []string{"first", "second", "third", "innocent"} {
				if strings.Contains(filter, "proxyAddresses/any(p:p eq 'smtp:"+a+"@contoso.com')") {
					value = append(value, fmt.Sprintf(`{"id":"%d","mail":"%s@contoso.com","userType":"Member"}`, i+1, a))
				}
			}
			say(w, 200, `{"value":[`+strings.Join(value, ",")+`]}`)
		default:
			t.Errorf("unexpected %s?%s", r.URL.Path, r.URL.RawQuery)
			say(w, 400, complain("BadRequest", "?"))
		}
	}
}

func TestRecipients(t *testing.T) {
	now := time.Now()
	c, w := newWorld(t, traced(t))
	var ids []string
	boxes, err := c.Recipients(t.Context(), tenantID, responsehub.Phish{InternetMessageID: "p@x", Sender: "a@x", Subject: "It's S", ReceivedAfter: now.Add(-time.Hour), ReceivedBefore: now})
	for _, b := range boxes {
		ids = append(ids, b.ID+" "+b.Address)
	}
	if diff := cmp.Diff([]string{"1 first@contoso.com", "2 second@contoso.com", "3 third@contoso.com"}, ids); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	first, err := url.ParseQuery(w.requests()[0].Query)
	if err != nil || first.Get("$top") != "5000" || !strings.Contains(first.Get("$filter"), "receivedDateTime le ") {
		t.Errorf("asked for %v, %v", first, err)
	}
	if got := len(w.requests()); got != 4 {
		t.Errorf("%d requests, want two pages, one of the other rule, and one look-up", got)
	}
}

// One look-up of many that is asked to wait is made again by itself, and not the trace.
func TestRecipientsWaitsForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy atomic.Bool
		busy.Store(true)
		c, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/messageTraces") {
				var rows []string
				for n := range 40 {
					rows = append(rows, fmt.Sprintf(`{"messageId":"<p@x>","recipientAddress":"u%02d@contoso.com"}`, n))
				}
				say(w, 200, `{"value":[`+strings.Join(rows, ",")+`]}`)
				return
			}
			filter := r.URL.Query().Get("$filter")
			if strings.Contains(filter, "u20@") && busy.Swap(false) {
				w.Header().Set("Retry-After", "2")
				say(w, http.StatusTooManyRequests, "")
				return
			}
			var value []string
			for n := range 40 {
				if a := fmt.Sprintf("u%02d@contoso.com", n); strings.Contains(filter, "'smtp:"+a+"'") {
					value = append(value, fmt.Sprintf(`{"id":"%d","mail":"%s"}`, n, a))
				}
			}
			say(w, 200, `{"value":[`+strings.Join(value, ",")+`]}`)
		})
		begin := time.Now()
		boxes, err := c.Recipients(t.Context(), tenantID, responsehub.Phish{InternetMessageID: "<p@x>", ReceivedAfter: begin.Add(-time.Hour)})
		if err != nil || len(boxes) != 40 || time.Since(begin) != 2*time.Second {
			t.Errorf("%d mailboxes after %s: %v", len(boxes), time.Since(begin), err)
		}
		if got := len(w.requests()); got != 5 {
			t.Errorf("%d requests, want one trace, three look-ups and one of them again", got)
		}
	})
}

func TestNoTrace(t *testing.T) {
	p := responsehub.Phish{InternetMessageID: "<p@x>", ReceivedAfter: time.Now().Add(-time.Hour)}
	for _, tc := range []struct {
		name   string
		status int
		body   string
		roles  []string
		says   string
	}{
		{"the right is missing", 403, complain("Authorization_RequestDenied", "Insufficient privileges"), []string{"Mail.ReadWrite"}, "ExchangeMessageTrace.Read.All"},
		{"Microsoft's app is missing", 401, "", nil, "8bd644d1-64a1-4d4b-ae52-2e0cbf64e373"},
		{"there is no such thing", 404, complain("BadRequest", "Resource not found for the segment 'tracing'."), nil, "could not read the message trace"},
		{"an answer that is none", 200, `{"rows":[]}`, nil, "could not read the message trace"},
		{"an answer that is no object", 200, `[]`, nil, "could not read the message trace"},
		{"the next page is elsewhere", 200, `{"value":[],"@odata.nextLink":"https://evil.test/v1.0/admin"}`, nil, "could not read the message trace"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { say(w, tc.status, tc.body) }, tc.roles...)
			boxes, err := c.Recipients(t.Context(), tenantID, p)
			if err == nil || len(boxes) != 0 || !strings.Contains(responsehub.Sentence(err), tc.says) {
				t.Errorf("%d mailboxes, %q", len(boxes), responsehub.Sentence(err))
			}
		})
	}
	old := responsehub.Phish{InternetMessageID: "<p@x>", ReceivedAfter: time.Now().AddDate(-1, 0, 0), ReceivedBefore: time.Now().AddDate(0, -6, 0)}
	c, w := newWorld(t, traced(t))
	if _, err := c.Recipients(t.Context(), tenantID, old); !strings.Contains(responsehub.Sentence(err), "90 days") || len(w.requests()) != 0 {
		t.Errorf("an old phish: %v after %d requests", err, len(w.requests()))
	}
}

func TestSpans(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		phish responsehub.Phish
		want  int
	}{
		{"an hour", responsehub.Phish{ReceivedAfter: now.Add(-time.Hour), ReceivedBefore: now}, 1},
		{"till now", responsehub.Phish{ReceivedAfter: now.Add(-time.Hour)}, 1},
		{"twenty-five days", responsehub.Phish{ReceivedAfter: now.AddDate(0, 0, -25)}, 3},
		{"a year, cut to what is kept", responsehub.Phish{ReceivedAfter: now.AddDate(-1, 0, 0)}, 9},
		{"to come", responsehub.Phish{ReceivedAfter: now.Add(time.Hour)}, 0},
	} {
		spans := spansOf(tc.phish, now)
		if len(spans) != tc.want {
			t.Errorf("%s: %d queries, want %d", tc.name, len(spans), tc.want)
		}
		for i, s := range spans {
			if s[1].Sub(s[0]) > traceSpan || i > 0 && !s[0].Equal(spans[i-1][1]) {
				t.Errorf("%s: span %v", tc.name, s)
			}
		}
	}
}

// FuzzTrace feeds a stranger's rows to the trace: whatever comes, it ends, and only what
// is the phish names anybody.
func FuzzTrace(f *testing.F) {
	for _, s := range []string{`{"value":[{"messageId":"<p@x>","recipientAddress":"a@b"}]}`, `{"value":[1,null,"x",{}]}`, `{"value":{}}`, `{}`, `[]`, ``, `{"value":[],"@odata.nextLink":"https://graph.test/v1.0/x"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/users") {
				say(w, 200, `{"value":[]}`)
				return
			}
			say(w, 200, body)
		})
		boxes, _ := c.Recipients(t.Context(), tenantID, responsehub.Phish{InternetMessageID: "<p@x>", ReceivedAfter: time.Now().Add(-time.Hour)})
		if len(boxes) != 0 {
			t.Errorf("%v is nobody's mailbox", boxes)
		}
	})
}
