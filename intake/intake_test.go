package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"responsehub"
)

const secret responsehub.Secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

const native = `{"version":"1","id":"det-123","detected_at":"2026-11-23T09:40:00Z",
 "tenant":{"microsoft_tenant_id":"11111111-1111-4111-8111-111111111111","source_tenant_id":"c-1"},
 "account":{"object_id":"22222222-2222-4222-8222-222222222222","user_principal_name":"pat@contoso.example","display_name":"Pat"},
 "severity":"critical","title":"Account takeover","summary":"Signed in from afar","link":"https://petra.example/i/123",
 "evidence":[{"at":"2026-11-23T09:39:00.5+01:00","kind":"sign_in","text":"Sign-in","ip":"203.0.113.10","country":"NL"}],
 "phish":[{"internet_message_id":"<1@x>","sender":"a@b.example","subject":"Invoice","received_after":"2026-11-23T09:00:00Z","received_before":"2026-11-23T10:00:00Z"}],
 "persistence":[{"kind":"inbox_rule","id":"AQAA","name":"."}]}`

// engine remembers what it was given.
type engine struct {
	mu    sync.Mutex
	got   []responsehub.Delivery
	alert *responsehub.Alert
	known bool
	err   error
}

func (e *engine) Open(_ context.Context, d responsehub.Delivery, a *responsehub.Alert) (*responsehub.Incident, bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got, e.alert = append(e.got, d), a
	if e.err != nil {
		return nil, false, e.err
	}
	return &responsehub.Incident{ID: "01JD", Ref: "RH-7K2M", State: responsehub.Active}, e.known, nil
}

func (e *engine) calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.got)
}

func sources() []Source {
	return []Source{
		{Name: "petra", Kind: StandardWebhooks, Secrets: []responsehub.Secret{secret}},
		{Name: "custom", Kind: Header, Header: "X-Token", Token: "a-long-enough-token", Map: map[string]string{
			"id": ".incident.id", "tenant": ".org.tenant", "user": ".user.upn", "detected_at": ".incident.at", "severity": ".incident.severity",
			"evidence":     "[.events[]? | {text: .msg, ip: .ip, at: .at}]",
			"phish.sender": "[.mails[]?.from]", "phish.subject": "[.mails[]?.subject]",
		}},
	}
}

func newIntake(t *testing.T, hub Hub) *Intake {
	t.Helper()
	i, err := New(Config{Sources: sources()}, hub, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// post sends one request; nil header means properly signed now.
func post(t *testing.T, i *Intake, source string, h http.Header, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/alerts/"+source, bytes.NewBufferString(body))
	r.Header = h
	if h == nil {
		r.Header = sign(t, "msg_1", time.Now(), body)
	}
	w := httptest.NewRecorder()
	i.Serve(w, r, source)
	return w
}

func sign(t *testing.T, id string, at time.Time, body string) http.Header {
	t.Helper()
	h, err := Sign(secret, id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAnAlertIsAnsweredWithItsIncident(t *testing.T) {
	for _, known := range []bool{false, true} {
		hub := &engine{known: known}
		w := post(t, newIntake(t, hub), "petra", nil, native)
		want := http.StatusAccepted
		if known {
			want = http.StatusOK
		}
		if w.Code != want {
			t.Fatalf("known %t: status %d, want %d: %s", known, w.Code, want, w.Body)
		}
		var got map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got["incident"] != "01JD" || got["ref"] != "RH-7K2M" || got["state"] != "active" || len(got) != 3 {
			t.Errorf("answer %v", got)
		}
		if d := hub.got[0]; d.Source != "petra" || d.ID != "msg_1" || len(d.BodyHash) != 64 {
			t.Errorf("delivery %+v", d)
		}
		if hub.alert.Account.UserPrincipalName != "pat@contoso.example" {
			t.Errorf("alert %+v", hub.alert)
		}
	}
}
