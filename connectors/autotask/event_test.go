package autotask_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/connectors/connectortest"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

func sign(key string, body []byte) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write(body)
	return "sha1=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func request(body []byte, signature string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/psa/at/events?token=abc", bytes.NewReader(body))
	if signature != "" {
		r.Header.Set("X-Hook-Signature", signature)
	}
	return r
}

// escaped is a body as Autotask writes it: what JSON need not escape is escaped.
const escaped = `{"Action":"Update","Guid":"8f1c\u002B1","EntityType":"Ticket","Id":128926,"Fields":{"Title":"O\u0027Brien \u0026 S\u00F6hne \u003Cx\u003E \u0022q\u0022 \u0060"},"EventTime":"2026-11-23T10:00:00Z","SequenceNumber":7,"PersonID":30}`

func TestEvents(t *testing.T) {
	s := newSite(t)
	d := s.desk()
	tests := map[string]struct {
		body, signature string
		want            ticket.Event
		kind            responsehub.Kind
	}{
		"escaped":               {escaped, "", ticket.Event{ID: "8f1c+1/7/128926/Update/2026-11-23T10:00:00Z", Ticket: "128926", By: "resource 30"}, ""},
		"the hub's own":         {`{"Action":"Update","EntityType":"Ticket","Id":128926,"PersonID":77}`, "", ticket.Event{ID: "//128926/Update/", Ticket: "128926", By: "resource 77", Own: true}, ""},
		"deleted":               {`{"Action":"Delete","EntityType":"Ticket","Id":"128926","SequenceNumber":8}`, "", ticket.Event{ID: "/8/128926/Delete/", Ticket: "128926", Deleted: true}, ""},
		"a note":                {`{"Action":"Create","EntityType":"TicketNote","Id":1}`, "", ticket.Event{}, ""},
		"no json":               {`{"Action"`, "", ticket.Event{}, responsehub.Invalid},
		"written anew":          {strings.ReplaceAll(escaped, `\u0026`, "&"), sign(hookKey, []byte(escaped)), ticket.Event{}, responsehub.Unauthorized},
		"no signature":          {escaped, "none", ticket.Event{}, responsehub.Unauthorized},
		"short":                 {escaped, "sha1=AAAA", ticket.Event{}, responsehub.Unauthorized},
		"another key":           {escaped, sign("other", []byte(escaped)), ticket.Event{}, responsehub.Unauthorized},
		"no key":                {escaped, sign("", []byte(escaped)), ticket.Event{}, responsehub.Unauthorized},
		"unsigned deactivation": {`{"Action":"Deactivated","Guid":"g","EntityType":"Ticket","Id":128926}`, "none", ticket.Event{Off: true}, ""},
	}
	must[ticket.Ticket](t)(d.Create(t.Context(), draft())) // so it knows itself
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			signature := tt.signature
			if signature == "" {
				signature = sign(hookKey, []byte(tt.body))
			}
			ev, err := d.ParseEvent(request([]byte(tt.body), strings.TrimPrefix(signature, "none")), []byte(tt.body))
			if tt.kind != "" && (err == nil || responsehub.KindOf(err) != tt.kind) || tt.kind == "" && err != nil {
				t.Fatalf("got %v, want %q", err, tt.kind)
			}
			if diff := cmp.Diff(tt.want, ev); diff != "" {
				t.Error(diff)
			}
		})
	}
	// After a forged deactivation everything is verified as before.
	forgery := []byte(`{"Action":"Update","EntityType":"Ticket","Id":1}`)
	if _, err := d.ParseEvent(request(forgery, sign("", forgery)), forgery); responsehub.KindOf(err) != responsehub.Unauthorized || err == nil {
		t.Errorf("got %v", err)
	}
	keyless := s.desk(func(c *autotask.Config) { c.EventKey = "" })
	if _, err := keyless.ParseEvent(request(forgery, sign("", forgery)), forgery); responsehub.KindOf(err) != responsehub.Unauthorized || err == nil {
		t.Errorf("without a key: %v", err)
	}
}

func TestListen(t *testing.T) {
	s := newSite(t)
	d := s.desk()
	const at = "https://hub.example/psa/at/events?token=abc"
	for _, want := range []string{"The webhook was set up.", "The webhook is there and active."} {
		if got := must[string](t)(d.Listen(t.Context(), at)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	h := s.hooks[500]
	if name := h["name"].(string); len(name) > 50 || strings.Contains(name, hookKey) || h["secretKey"] != hookKey || h["webhookUrl"] != at || h["deactivationUrl"] != at || h["isSubscribedToCreateEvents"] != false || h["isSubscribedToUpdateEvents"] != true {
		t.Errorf("webhook %v", h)
	}
	if diff := cmp.Diff([]string{"/Fields90 <nil>", "/Fields91 <nil>", "/Fields92 <nil>", "/ExcludedResources<nil> 77"}, s.hookParts[500]); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string]func(){
		"switched off":  func() { s.hooks[500]["isActive"] = false },
		"half set up":   func() { s.hooks[500]["isReady"] = false },
		"another key":   func() { s.hooks[500]["name"] = "responsehub 00000000" },
		"another token": func() { s.hooks[500]["webhookUrl"] = "https://hub.example/psa/at/events?token=old" },
	} {
		change()
		if got := must[string](t)(d.Listen(t.Context(), at)); !strings.Contains(got, "set up again") || len(s.hooks) != 1 || s.hooks[500]["isActive"] != true {
			t.Errorf("%s: %q, hooks %v", name, got, s.hooks)
		}
	}
	s.hooks[501] = row{"id": 501, "name": "responsehub 1", "webhookUrl": "https://other.example/psa/at/events", "isActive": true, "isReady": true}
	must[string](t)(d.Listen(t.Context(), at))
	if s.hooks[501] == nil {
		t.Error("the webhook of another hub was removed")
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(escaped), "")
	f.Add([]byte(`{"Action":"Deactivated"}`), "x")
	f.Add([]byte(`[]`), "sha1=")
	f.Add([]byte("\xef\xbb\xbf{}"), sign(hookKey, nil))
	d, err := autotask.New(autotask.Config{ZoneURL: "https://at.example", EventKey: hookKey}, http.DefaultClient)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		forged := signature != ""
		if !forged {
			signature = sign(hookKey, body)
		}
		ev, err := d.ParseEvent(request(body, signature), body)
		if err != nil && responsehub.Sentence(err) == "" {
			t.Error("no sentence")
		}
		if forged && signature != sign(hookKey, body) && err == nil && ev != (ticket.Event{Off: true}) {
			t.Errorf("%q passes unsigned: %+v", body, ev)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add(500, []byte(`{"errors":["a"]}`))
	f.Add(200, []byte(`{"item":{"id":1,"status":5,"completedDate":"x"}}`))
	f.Add(200, []byte(`{"items":[{}],"pageDetails":{"nextPageUrl":"https://evil.example/"}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			status = 500
		}
		d, err := autotask.New(autotask.Config{ZoneURL: "https://at.example", Queue: "q", CatchAll: "c", Secret: secret}, clientOf(func(r *http.Request) (*http.Response, error) {
			switch {
			case r.URL.Host != "at.example":
				t.Fatalf("a request left for %s", r.URL)
			case strings.Contains(r.URL.Path, "zoneInformation"):
				return answered(r, 200, []byte(`{"url":"https://at.example/ATServicesRest/"}`)), nil
			}
			return answered(r, status, body), nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		_, ferr := d.Find(t.Context(), "RH-1")
		_, gerr := d.Get(t.Context(), "1")
		_, cerr := d.Create(t.Context(), draft())
		for _, err := range []error{ferr, gerr, cerr, d.Note(t.Context(), "1", ticket.Note{Text: "x"})} {
			if err != nil && (responsehub.Sentence(err) == "" || strings.Contains(err.Error(), secret)) {
				t.Errorf("%v", err)
			}
		}
	})
}

func clientOf(f tripper) *http.Client { return transport.Client(transport.Over(f)) }

func answered(r *http.Request, status int, body []byte) *http.Response {
	return connectortest.JSON(r, status, string(body))
}
