package connectwise_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/connectwise"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

func request(body []byte, signature string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/psa/cw/events?token=abc&recordId=4711&action=updated", bytes.NewReader(body))
	r.Header.Set("x-content-signature", signature)
	return r
}

func TestEventsAreVerified(t *testing.T) {
	s := newSite(t)
	d := s.desk()
	body, signature := s.event(nil)
	want := ticket.Event{ID: "11111111-1111-4111-8111-111111111111", Ticket: "4711", By: "jdoe"}
	for range 3 {
		if diff := cmp.Diff(want, must[ticket.Event](t)(d.ParseEvent(request(body, signature), body))); diff != "" {
			t.Error(diff)
		}
	}
	if s.keyReads != 1 {
		t.Errorf("the key was read %d times", s.keyReads)
	}
	other := append(bytes.Clone(body[:len(body)-1]), ' ', '}')
	for range 20 {
		if _, err := d.ParseEvent(request(other, signature), other); responsehub.KindOf(err) != responsehub.Unauthorized {
			t.Errorf("a changed body: %v", err)
		}
	}
	if s.keyReads != 1 {
		t.Errorf("forgeries made the hub read the key %d times", s.keyReads)
	}
	made := must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
	body, signature = s.event(func(v map[string]any) { v["MemberId"] = "hubapi" })
	if ev := must[ticket.Event](t)(d.ParseEvent(request(body, signature), body)); !ev.Own || ev.Ticket != made.ID {
		t.Errorf("the hub's own event: %+v", ev)
	}
}

func TestKeyThatNeedsCredentials(t *testing.T) {
	s := newSite(t)
	s.keyAuth = true
	body, signature := s.event(nil)
	must[ticket.Event](t)(s.desk().ParseEvent(request(body, signature), body))
}

func TestForgedEventsMakeNoRequest(t *testing.T) {
	tests := map[string]func(s *site, v map[string]any){
		"key elsewhere": func(_ *site, v map[string]any) {
			key(v, "https://evil.example/v2025_1//system/callbackkey/index.rails")
		},
		"key on metadata": func(_ *site, v map[string]any) { key(v, "http://169.254.169.254/system/callbackkey/index.rails") },
		"key by user info": func(s *site, v map[string]any) {
			key(v, strings.Replace(s.srv.URL, "http://", "http://evil@", 1)+"/x/system/callbackkey/index.rails")
		},
		"key at other path": func(s *site, v map[string]any) { key(v, s.srv.URL+"/v2025_1/apis/3.0/system/info") },
		"key by dots":       func(s *site, v map[string]any) { key(v, s.srv.URL+"/x/../y/system/callbackkey/index.rails") },
		"key by encoding":   func(s *site, v map[string]any) { key(v, s.srv.URL+"/%2e%2e/system/callbackkey/index.rails") },
		"key by ftp": func(s *site, v map[string]any) {
			key(v, strings.Replace(s.srv.URL, "http:", "ftp:", 1)+"/x/system/callbackkey/index.rails")
		},
		"no key":        func(_ *site, v map[string]any) { delete(v, "Metadata") },
		"other company": func(_ *site, v map[string]any) { v["CompanyId"] = "evil" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			requests := 0
			d, err := connectwise.New(connectwise.Config{Site: s.srv.URL, Company: "msp"}, transport.Client(tripper(func(*http.Request) (*http.Response, error) {
				requests++
				return nil, http.ErrHandlerTimeout
			})))
			if err != nil {
				t.Fatal(err)
			}
			body, signature := s.event(func(v map[string]any) { change(s, v) })
			if _, err := d.ParseEvent(request(body, signature), body); responsehub.KindOf(err) != responsehub.Unauthorized {
				t.Errorf("got %v", err)
			}
			if requests != 0 {
				t.Errorf("%d requests left the hub", requests)
			}
		})
	}
	t.Run("http where the site has tls", func(t *testing.T) {
		d, err := connectwise.New(connectwise.Config{Site: "https://na.myconnectwise.net", Company: "msp"}, transport.Client(tripper(func(r *http.Request) (*http.Response, error) {
			t.Errorf("a request left the hub for %s", r.URL)
			return nil, http.ErrHandlerTimeout
		})))
		if err != nil {
			t.Fatal(err)
		}
		body := []byte(`{"CompanyId":"msp","ID":1,"Type":"ticket","Metadata":{"key_url":"http://na.myconnectwise.net/v1//system/callbackkey/index.rails"}}`)
		if _, err := d.ParseEvent(request(body, sign("k", body)), body); responsehub.KindOf(err) != responsehub.Unauthorized {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a redirect is not followed", func(t *testing.T) {
		s := newSite(t)
		s.override = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "callbackkey") && r.URL.Query().Get("hop") == "" {
				http.Redirect(w, r, r.URL.Path+"?hop=1", http.StatusFound)
				return true
			}
			return false
		}
		body, signature := s.event(nil)
		if _, err := s.desk().ParseEvent(request(body, signature), body); responsehub.KindOf(err) != responsehub.Unavailable || s.keyReads != 0 {
			t.Errorf("got %v, key reads %d", err, s.keyReads)
		}
	})
}

func key(v map[string]any, address string) { v["Metadata"] = map[string]any{"key_url": address} }

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"Action":"updated","CompanyId":"msp","ID":1,"Type":"ticket","Metadata":{"key_url":"https://cw.example/v1//system/callbackkey/index.rails?id=1"}}`), "")
	f.Add([]byte(`{"ID":"x"}`), "AAAA")
	f.Add([]byte(`[]`), sign("k", []byte(`[]`)))
	d, err := connectwise.New(connectwise.Config{Site: "https://cw.example", Company: "msp"}, transport.Client(tripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "cw.example" || r.URL.Scheme != "https" || !strings.HasSuffix(r.URL.Path, "/system/callbackkey/index.rails") {
			panic("a request left for " + r.URL.String())
		}
		return nil, http.ErrHandlerTimeout
	})))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		if signature == "" {
			signature = sign("k", body)
		}
		ev, err := d.ParseEvent(request(body, signature), body)
		if err == nil {
			t.Errorf("%q passes without a key: %+v", body, ev)
		}
		if err != nil && responsehub.Sentence(err) == "" {
			t.Error("no sentence")
		}
	})
}
