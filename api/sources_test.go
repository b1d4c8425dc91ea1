package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/ticket"
)

var petra = []api.Source{{Name: "petra", Kind: "header", Maps: true}}

// reads takes any sample that has "any" for an alert of Pat.
type reads struct{}

func (reads) Map(source string, sample []byte) (*responsehub.Alert, error) {
	if !strings.Contains(string(sample), `"any"`) {
		return nil, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "/account", Message: "The alert names no account."}
	}
	return &responsehub.Alert{Version: "1", ID: source + "-1", DetectedAt: time.Unix(0, 0).UTC(), Severity: responsehub.High, Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"}}, nil
}

type halo struct{}

func (halo) Companies(_ context.Context, connection, text string) ([]ticket.Company, error) {
	if connection != "halo" {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such ticket system."}
	}
	return []ticket.Company{{ID: "12", Name: "Contoso " + text}}, nil
}

type general struct{}

func (general) Channels() []responsehub.Channel {
	return []responsehub.Channel{{ID: "19:a@thread.tacv2", Name: "General", TeamName: "SOC", ServiceURL: "https://smba.example", BotID: "b"}}
}

func TestSourcesCompaniesAndChannels(t *testing.T) {
	h := newHub(t, api.Config{Sources: petra, Mapper: reads{}, Companies: halo{}, Channels: general{}})
	tests := []struct {
		name, key, method, path, body string
		status                        int
		has                           string
	}{
		{"sources", "admin", "GET", "/v1/sources", "", 200, `{"name":"petra","kind":"header","maps":true}`},
		{"sources, not for a reader", "reader", "GET", "/v1/sources", "", 403, "Only an administrator"},
		{"a sample", "admin", "POST", "/v1/sources/petra/try", `{"sample":{"any":[1]}}`, 200, `"id":"petra-1"`},
		{"a sample that is no alert", "admin", "POST", "/v1/sources/petra/try", `{"sample":"x"}`, 400, `"pointer":"/account"`},
		{"no sample", "admin", "POST", "/v1/sources/petra/try", `{}`, 400, `"pointer":"/sample"`},
		{"no such source", "admin", "POST", "/v1/sources/elsewhere/try", `{"sample":{}}`, 404, "There is no source"},
		{"not for a responder", "responder", "POST", "/v1/sources/petra/try", `{"sample":{"any":1}}`, 403, "Only an administrator"},
		{"companies", "admin", "GET", "/v1/tenants/t1/companies?connection=halo&name=Ltd", "", 200, `{"id":"12","name":"Contoso Ltd"}`},
		{"companies of what", "admin", "GET", "/v1/tenants/t1/companies?name=Ltd", "", 400, `"pointer":"connection"`},
		{"companies called what", "admin", "GET", "/v1/tenants/t1/companies?connection=halo", "", 400, `"pointer":"name"`},
		{"companies elsewhere", "admin", "GET", "/v1/tenants/t1/companies?connection=x&name=Ltd", "", 404, "no such ticket system"},
		{"companies, not for a responder", "responder", "GET", "/v1/tenants/t1/companies?connection=halo&name=Ltd", "", 403, "problem"},
		{"channels", "admin", "GET", "/v1/channels", "", 200, `{"id":"19:a@thread.tacv2","name":"General","team":"SOC"}`},
		{"channels, not for a reader", "reader", "GET", "/v1/channels", "", 403, "Only an administrator"},
	}
	for _, tt := range tests {
		got := h.ask(tt.key, tt.method, tt.path, tt.body)
		if got.status != tt.status || !strings.Contains(got.body, tt.has) {
			t.Errorf("%s: %d %s, want %d with %s", tt.name, got.status, got.body, tt.status, tt.has)
		}
	}
}

// TestIdempotencyKey: the header stands for command_id, and two that differ are a mistake.
func TestIdempotencyKey(t *testing.T) {
	h := newHub(t, api.Config{})
	ask := func(body string) answer {
		return h.ask("responder", "POST", "/v1/incidents/i1/steps/lock", body, "Idempotency-Key", "try-1")
	}
	if got := ask(""); got.status != http.StatusAccepted || !strings.HasSuffix(h.engine.asked.CommandID, "|try-1") {
		t.Errorf("without a body %d, command %q", got.status, h.engine.asked.CommandID)
	}
	if got := ask(`{"command_id":"try-1"}`); got.status != http.StatusAccepted {
		t.Errorf("the same twice %d %s", got.status, got.body)
	}
	if got := ask(`{"command_id":"try-2"}`); got.status != http.StatusBadRequest || got.json["pointer"] != "/command_id" {
		t.Errorf("two that differ %d %s", got.status, got.body)
	}
}
