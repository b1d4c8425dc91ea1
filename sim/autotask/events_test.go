package autotask

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub/sim/desk"
)

func TestEscape(t *testing.T) {
	in := map[string]any{"a": "O'Brien & <Söhne> + `x` \"q\" \\ 😀"}
	got := string(escape(desk.Compact(in)))
	want := `{"a":"O\u0027Brien \u0026 \u003CS\u00F6hne\u003E \u002B \u0060x\u0060 \u0022q\u0022 \\ \uD83D\uDE00"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "O'Brien & Söhne", `\"`, `\\"`, "a\nb", "😀+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		plain := desk.Compact(s)
		escaped := escape(plain)
		var a, b string
		if json.Unmarshal(plain, &a) != nil || json.Unmarshal(escaped, &b) != nil || a != b {
			t.Fatalf("%s became %s", plain, escaped)
		}
		for _, c := range escaped {
			if c > 0x7e {
				t.Fatalf("%q is not ASCII", escaped)
			}
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{`{"filter":[{"op":"eq","field":"id","value":1}]}`, `{"filter":[{"op":"or","items":[{"op":"in","field":"title","value":["a",2]},{"op":"notExist","field":"x"}]}],"maxRecords":3}`, `{"filter":[{"op":"gt","field":"date","value":"2026-01-01T00:00:00Z"}]}`} {
		f.Add(s)
	}
	r := desk.Record{"id": 1, "title": "a", "date": "2026-11-23T00:00:00Z", "flag": true}
	f.Fuzz(func(t *testing.T, raw string) {
		in, err := parseSearch([]byte(raw), func(string) bool { return true })
		if err == nil && fits(r, in.Filter) != fits(r.Clone(), in.Filter) {
			t.Fatal("a copy fits otherwise")
		}
	})
}

func TestFilters(t *testing.T) {
	r := desk.Record{"id": 7, "title": "Account takeover", "completedDate": "2026-11-20T10:00:00Z", "isActive": true}
	for raw, want := range map[string]bool{
		`{"op":"eq","field":"id","value":7}`:                                                       true,
		`{"op":"eq","field":"ID","value":"7"}`:                                                     true,
		`{"op":"noteq","field":"id","value":7}`:                                                    false,
		`{"op":"noteq","field":"queueID","value":7}`:                                               true,
		`{"op":"gt","field":"id","value":7}`:                                                       false,
		`{"op":"gte","field":"id","value":7}`:                                                      true,
		`{"op":"lt","field":"completedDate","value":"2026-11-21T00:00:00Z"}`:                       true,
		`{"op":"beginsWith","field":"title","value":"account"}`:                                    true,
		`{"op":"endsWith","field":"title","value":"TAKEOVER"}`:                                     true,
		`{"op":"contains","field":"title","value":"t t"}`:                                          true,
		`{"op":"exist","field":"queueID"}`:                                                         false,
		`{"op":"notExist","field":"queueID"}`:                                                      true,
		`{"op":"in","field":"id","value":[1,7]}`:                                                   true,
		`{"op":"notIn","field":"id","value":[1,7]}`:                                                false,
		`{"op":"eq","field":"isActive","value":true}`:                                              true,
		`{"op":"or","items":[{"op":"eq","field":"id","value":1},{"op":"exist","field":"title"}]}`:  true,
		`{"op":"and","items":[{"op":"eq","field":"id","value":1},{"op":"exist","field":"title"}]}`: false,
	} {
		in, err := parseSearch([]byte(`{"filter":[`+raw+`]}`), func(string) bool { return true })
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		} else if fits(r, in.Filter) != want {
			t.Errorf("%s: %t", raw, !want)
		}
	}
	for _, raw := range []string{`{"op":"like","field":"id","value":1}`, `{"op":"in","field":"id","value":1}`, `{"op":"or","items":[]}`, `{"op":"eq","field":"id"}`, `{"op":"eq","field":"id","value":1,"udf":true}`, `{"colour":1}`} {
		if _, err := parseSearch([]byte(`{"filter":[`+raw+`]}`), func(string) bool { return true }); err == nil {
			t.Errorf("%s was taken", raw)
		}
	}
}

type heard struct {
	path, signature string
	body            []byte
}

// listen takes events and answers with status.
func listen(t *testing.T, status int) (url string, got func(n int) []heard) {
	var mu sync.Mutex
	var all []heard
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		all = append(all, heard{r.URL.Path, r.Header.Get("X-Hook-Signature"), body})
		mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(ts.Close)
	return ts.URL, func(n int) []heard {
		t.Helper()
		for range 400 {
			mu.Lock()
			out := append([]heard(nil), all...)
			mu.Unlock()
			if len(out) >= n {
				return out
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("fewer than %d events", n)
		return nil
	}
}

// hook registers a webhook that watches the status, and returns its id.
func (s *site) hook(url string) int {
	s.t.Helper()
	id := s.create("TicketWebhooks", `{"name":"hub","webhookUrl":"`+url+`/on","deactivationUrl":"`+url+`/off","secretKey":"k","isActive":true,
		"isSubscribedToCreateEvents":true,"isSubscribedToUpdateEvents":true,"isSubscribedToDeleteEvents":true}`)
	s.create("TicketWebhooks/"+strconv.Itoa(id)+"/Fields", `{"fieldID":1,"isSubscribedField":true,"isDisplayAlwaysField":false}`)
	s.create("TicketWebhooks/"+strconv.Itoa(id)+"/Fields", `{"fieldID":5,"isSubscribedField":false,"isDisplayAlwaysField":true}`)
	return id
}

func TestWebhookIsSignedOverWhatIsSent(t *testing.T) {
	s := newSite(t)
	url, got := listen(t, 204)
	id := s.hook(url)
	s.create("Tickets", `{`+strings.Replace(minimum, `"title":"t"`, `"title":"O'Brien & Söhne"`, 1)+`}`)
	event := got(1)[0]
	if event.signature != sign("k", event.body) || !strings.Contains(string(event.body), `"title":"O\u0027Brien \u0026 S\u00F6hne"`) || !strings.Contains(string(event.body), `"Action":"Create"`) {
		t.Errorf("%s %s", event.signature, event.body)
	}
	ticket := s.Snapshot().Tickets[0].ID
	play := func(a desk.Act) string {
		t.Helper()
		seen, err := s.Play(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	play(desk.Act{Do: "ticket_title", Ticket: ticket, Text: "not subscribed"})
	play(desk.Act{Do: "ticket_close", Ticket: ticket})
	if e := got(2)[1]; !strings.Contains(string(e.body), `"status":"Complete"`) || !strings.Contains(string(e.body), `"PersonID":29682885`) || !strings.Contains(string(e.body), `"SequenceNumber":2`) {
		t.Errorf("%s", e.body)
	}
	s.create("TicketWebhooks/"+strconv.Itoa(id)+"/ExcludedResources", `{"resourceID":4}`)
	s.create2("PATCH", "Tickets", `{"id":`+strconv.Itoa(ticket)+`,"status":8}`)
	play(desk.Act{Do: "ticket_delete", Ticket: ticket})
	if e := got(3)[2]; !strings.Contains(string(e.body), `"Action":"Delete"`) {
		t.Errorf("the hub's own change fired: %s", e.body)
	}
	if _, raw := s.ask("GET", "TicketWebhooks/"+strconv.Itoa(id), ""); strings.Contains(raw, "secretKey") || !strings.Contains(raw, `"isReady":true`) {
		t.Error(raw)
	}
}

func TestWebhookIsSwitchedOffAfterFailuresInARow(t *testing.T) {
	s := newSite(t)
	url, got := listen(t, 500)
	id := s.hook(url)
	s.mu.Lock()
	s.failures[id] = maxFailures - 1
	s.mu.Unlock()
	s.create("Tickets", `{`+minimum+`}`)
	all := got(hookAttempts + 1)
	last := all[hookAttempts]
	if last.path != "/off" || last.signature != "" || !strings.Contains(string(last.body), `"Action":"Deactivated"`) {
		t.Errorf("%+v", last)
	}
	if h := s.Snapshot().Hooks[0]; h.Active {
		t.Error("still active")
	}
}

func TestHostileEvents(t *testing.T) {
	s := newSite(t)
	url, got := listen(t, 204)
	s.hook(url)
	s.create("Tickets", `{`+minimum+`}`)
	got(1)
	ticket := s.Snapshot().Tickets[0].ID
	for i, c := range []struct {
		kind string
		good bool
	}{{"replay", true}, {"forged", false}, {"unsigned", false}, {"gap", true}} {
		if seen, err := s.Play(t.Context(), desk.Act{Do: "desk_event", Value: c.kind, Ticket: ticket}); err != nil || seen != "The hub answered 204." {
			t.Errorf("%s: %q %v", c.kind, seen, err)
		}
		if e := got(i + 2)[i+1]; (e.signature == sign("k", e.body)) != c.good {
			t.Errorf("%s: %+v", c.kind, e)
		}
	}
}
