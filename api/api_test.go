package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/api"
	"responsehub/remediation"
)

func TestWhoMayDoWhat(t *testing.T) {
	tests := []struct {
		name, key, method, path, body string
		header                        []string
		status                        int
		kind, pointer                 string
	}{
		{name: "no key", method: "GET", path: "/v1/incidents", status: 401, kind: "unauthorized"},
		{name: "another scheme", method: "GET", path: "/v1/incidents", header: []string{"Authorization", "Basic " + string(bootstrap)}, status: 401, kind: "unauthorized"},
		{name: "not a key", method: "GET", path: "/v1/incidents", header: []string{"Authorization", "Bearer rh_nobody_secret"}, status: 401, kind: "unauthorized"},
		{name: "empty id and secret", method: "GET", path: "/v1/incidents", header: []string{"Authorization", "Bearer rh__"}, status: 401, kind: "unauthorized"},
		{name: "endless key", method: "GET", path: "/v1/incidents", header: []string{"Authorization", "Bearer rh_a_" + strings.Repeat("a", 5000)}, status: 401, kind: "unauthorized"},
		{name: "bootstrap", key: "bootstrap", method: "GET", path: "/v1/incidents", status: 200},
		{name: "reader lists", key: "reader", method: "GET", path: "/v1/incidents?status=active&limit=10&since=2026-11-23T00:00:00Z&cursor=c&tenant=t1", status: 200},
		{name: "by ref", key: "reader", method: "GET", path: "/v1/incidents/RH-7K2M", status: 200},
		{name: "another tenant's", key: "fabrikam responder", method: "GET", path: "/v1/incidents/i1", status: 404, kind: "not_found"},
		{name: "unknown status", key: "reader", method: "GET", path: "/v1/incidents?status=open", status: 400, kind: "invalid", pointer: "status"},
		{name: "bad since", key: "reader", method: "GET", path: "/v1/incidents?since=yesterday", status: 400, kind: "invalid", pointer: "since"},
		{name: "bad limit", key: "reader", method: "GET", path: "/v1/incidents?limit=0", status: 400, kind: "invalid", pointer: "limit"},
		{name: "misspelt filter", key: "reader", method: "GET", path: "/v1/incidents?state=active", status: 400, kind: "invalid", pointer: "state"},
		{name: "filter twice", key: "reader", method: "GET", path: "/v1/incidents?tenant=a&tenant=b", status: 400, kind: "invalid", pointer: "tenant"},
		{name: "reader asks for a step", key: "reader", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{}`, status: 403, kind: "forbidden"},
		{name: "responder asks", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"reason":"again"}`, status: 202},
		{name: "no body at all", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", status: 202},
		{name: "gate", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/password", body: `{}`, status: 409, kind: "refused"},
		{name: "no such step", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/reboot", body: `{}`, status: 404, kind: "not_found"},
		{name: "unknown field", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"item":["a"]}`, status: 400, kind: "invalid", pointer: "/item"},
		{name: "another spelling", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"Reason":"a"}`, status: 400, kind: "invalid", pointer: "/Reason"},
		{name: "field twice", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"skip":false,"skip":true}`, status: 400, kind: "invalid", pointer: "/skip"},
		{name: "wrong type", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"items":["a",7]}`, status: 400, kind: "invalid", pointer: "/items/1"},
		{name: "null", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"reason":null}`, status: 400, kind: "invalid", pointer: "/reason"},
		{name: "wrong action", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/persistence", body: `{"action":"burn"}`, status: 400, kind: "invalid", pointer: "/action"},
		{name: "unknown item", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/persistence", body: `{"items":["nope"]}`, status: 400, kind: "invalid", pointer: "/items/0"},
		{name: "a list", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `[]`, status: 400, kind: "invalid"},
		{name: "half a body", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"reason":`, status: 400, kind: "invalid", pointer: "/reason"},
		{name: "two bodies", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{}{}`, status: 400, kind: "invalid"},
		{name: "form", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `skip=true`, header: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, kind: "unsupported_media_type"},
		{name: "too large", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"reason":"` + strings.Repeat("a", 64<<10) + `"}`, status: 413, kind: "request_entity_too_large"},
		{name: "command id too long", key: "responder", method: "POST", path: "/v1/incidents/i1/steps/lock", body: `{"command_id":"` + strings.Repeat("a", 201) + `"}`, status: 400, kind: "invalid", pointer: "/command_id"},
		{name: "acknowledge", key: "responder", method: "POST", path: "/v1/incidents/RH-7K2M/acknowledge", status: 200},
		{name: "reader says done", key: "reader", method: "POST", path: "/v1/incidents/RH-7K2M/todos/ad-disable", status: 403, kind: "forbidden"},
		{name: "responder says done", key: "responder", method: "POST", path: "/v1/incidents/RH-7K2M/todos/ad-disable", body: `{"command_id":"c1"}`, status: 200},
		{name: "nothing of the kind to do", key: "responder", method: "POST", path: "/v1/incidents/RH-7K2M/todos/nothing", status: 404, kind: "not_found"},
		{name: "events", key: "reader", method: "GET", path: "/v1/incidents/i1/events", status: 200},
		{name: "tenants", key: "reader", method: "GET", path: "/v1/tenants", status: 200},
		{name: "responder switches", key: "responder", method: "PATCH", path: "/v1/tenants/t1", body: `{"response":false}`, status: 403, kind: "forbidden"},
		{name: "admin switches by Microsoft's id", key: "contoso admin", method: "PATCH", path: "/v1/tenants/" + contoso.MicrosoftTenantID, body: `{"response":false}`, status: 200},
		{name: "admin of another tenant", key: "contoso admin", method: "PATCH", path: "/v1/tenants/t2", body: `{"response":false}`, status: 404, kind: "not_found"},
		{name: "switch without a value", key: "admin", method: "PATCH", path: "/v1/tenants/t1", body: `{}`, status: 400, kind: "invalid", pointer: "/response"},
		{name: "no such tenant", key: "admin", method: "PATCH", path: "/v1/tenants/t9", body: `{"response":true}`, status: 404, kind: "not_found"},
		{name: "responder applies", key: "responder", method: "PUT", path: "/v1/tenants", body: `{}`, status: 403, kind: "forbidden"},
		{name: "admin of one tenant applies", key: "contoso admin", method: "PUT", path: "/v1/tenants", body: `{}`, status: 403, kind: "forbidden"},
		{name: "dead lanes", key: "admin", method: "GET", path: "/v1/lanes?state=dead", status: 200},
		{name: "other lanes", key: "admin", method: "GET", path: "/v1/lanes?state=live", status: 400, kind: "invalid", pointer: "state"},
		{name: "retry", key: "admin", method: "POST", path: "/v1/lanes/i1%7Cteams/retry", status: 202},
		{name: "no such address", key: "admin", method: "GET", path: "/v1/nothing", status: 404, kind: "not_found"},
		{name: "wrong method", key: "admin", method: "DELETE", path: "/v1/tenants", status: 405, kind: "method_not_allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, api.Config{})
			got := h.ask(tt.key, tt.method, tt.path, tt.body, tt.header...)
			if got.status != tt.status {
				t.Fatalf("%s %s as %q = %d, want %d: %s", tt.method, tt.path, tt.key, got.status, tt.status, got.body)
			}
			if tt.kind == "" {
				return
			}
			if ct := got.header.Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("content type of a problem = %q", ct)
			}
			pointer, _ := got.json["pointer"].(string)
			if got.json["type"] != "urn:responsehub:problem:"+tt.kind || pointer != tt.pointer || got.json["detail"] == "" || got.json["status"] != float64(tt.status) {
				t.Errorf("problem = %s, want kind %s, pointer %q", got.body, tt.kind, tt.pointer)
			}
			if tt.status == 401 && !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
				t.Error("a 401 must say how to authenticate")
			}
		})
	}
}

// TestKindsOfFailure holds every kind to its status.
func TestKindsOfFailure(t *testing.T) {
	tests := []struct {
		err        error
		status     int
		retryAfter string
	}{
		{&responsehub.Error{Kind: responsehub.Gone, Message: "m"}, 410, ""},
		{&responsehub.Error{Kind: responsehub.Conflict, Message: "m"}, 409, ""},
		{&responsehub.Error{Kind: responsehub.Throttled, Message: "m", RetryAfter: 1500 * time.Millisecond}, 429, "2"},
		{&responsehub.Error{Kind: responsehub.Unavailable, Message: "m", RetryAfter: 7 * time.Second, Err: errors.New("redis at 10.0.0.1")}, 503, "7"},
		{errors.New("redis at 10.0.0.1"), 503, "5"},
		{&responsehub.Error{Kind: responsehub.Permanent, Message: "m", Err: errors.New("redis at 10.0.0.1")}, 500, ""},
	}
	for _, tt := range tests {
		h := newHub(t, api.Config{})
		h.engine.fail = tt.err
		got := h.ask("reader", "GET", "/v1/incidents/i1", "")
		if got.status != tt.status || got.header.Get("Retry-After") != tt.retryAfter {
			t.Errorf("%v: got %d, Retry-After %q; want %d, %q", tt.err, got.status, got.header.Get("Retry-After"), tt.status, tt.retryAfter)
		}
		if strings.Contains(got.body, "10.0.0.1") {
			t.Errorf("%v: the cause got out: %s", tt.err, got.body)
		}
		h.Close()
		if tt.status >= 500 && strings.Contains(tt.err.Error(), "10.0.0.1") && !strings.Contains(h.logged.String(), "10.0.0.1") {
			t.Errorf("%v: the cause is not in the log", tt.err)
		}
	}
}

func TestIncidentView(t *testing.T) {
	h := newHub(t, api.Config{})
	got := h.ask("reader", "GET", "/v1/incidents/i1", "")
	var v api.Incident
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		t.Fatal(err)
	}
	wantTimes := api.Times{Detected: opened.Add(-time.Minute), Received: opened, Requested: opened, Sent: opened.Add(2 * time.Second), Verified: opened.Add(3 * time.Second)}
	if diff := cmp.Diff(wantTimes, v.Times); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
	if len(v.Steps) != 7 || v.Steps[1].Proof == nil || v.Steps[1].RequestedBy == "" {
		t.Errorf("steps = %+v", v.Steps)
	}
	if s := v.Steps[4]; s.ID != responsehub.Password || !strings.Contains(s.Blocked, `inbox rule "."`) {
		t.Errorf("the shut gate must name the open item, got %q", s.Blocked)
	}
	if it := v.Steps[3].Items; len(it) != 1 || it[0].Kind != responsehub.InboxRule || it[0].Name != "." || it[0].State != responsehub.Waiting || it[0].Why == "" {
		t.Errorf("items = %+v", it)
	}
	if w := v.Watch; w == nil || !w.Synced || w.Reversed != 1 || len(w.Reversals) != 1 || !strings.Contains(w.Sentence, "locked again") {
		t.Errorf("watch = %+v", w)
	}
	if len(v.Todos) != 1 || v.Todos[0].ID != "ad-disable" || v.Todos[0].Done {
		t.Errorf("todos = %+v", v.Todos)
	}
	for _, key := range []string{"tenant", "account", "opened_at", "severity", "title", "times", "steps"} {
		if got.json[key] == nil {
			t.Errorf("%q is missing in %s", key, got.body)
		}
	}
}

// TestNoSecretGetsOut reads everything there is and finds the password in one place.
func TestNoSecretGetsOut(t *testing.T) {
	h := newHub(t, api.Config{})
	var seen strings.Builder
	for _, path := range []string{"/v1/incidents", "/v1/incidents/i1", "/v1/incidents/i1/events", "/v1/tenants", "/v1/lanes", "/openapi.json"} {
		seen.WriteString(h.ask("admin", "GET", path, "").body)
	}
	seen.WriteString(h.ask("admin", "POST", "/v1/incidents/i1/steps/lock", `{}`).body)
	first := h.ask("admin", "POST", "/v1/incidents/i1/steps/password/reveal", "")
	if first.status != 200 || first.json["password"] != password || first.json["for"] != "Pat" || first.json["advice"] == "" {
		t.Errorf("first reveal = %d %s", first.status, first.body)
	}
	if cc := first.header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control of the reveal = %q", cc)
	}
	second := h.ask("admin", "POST", "/v1/incidents/i1/steps/password/reveal", `{}`)
	if second.status != 410 {
		t.Errorf("second reveal = %d %s", second.status, second.body)
	}
	seen.WriteString(second.body)
	h.Close()
	seen.WriteString(h.logged.String())
	for _, secret := range []string{password, "SLACK-SECRET", "HOOK-SECRET", "u:p@", "SNAPSHOT", "SEALED", "U0VBTEVELUJPWA", string(bootstrap), h.keys["admin"], h.dir.keys[0].Hash} {
		if strings.Contains(seen.String(), secret) {
			t.Errorf("%q got out", secret)
		}
	}
}

func TestRequestReachesTheEngine(t *testing.T) {
	h := newHub(t, api.Config{})
	item := h.engine.inc.Step(responsehub.Persistence).Items[0].ID
	h.engine.inc.Step(responsehub.Persistence).State = responsehub.Failed
	got := h.ask("responder", "POST", "/v1/incidents/i1/steps/persistence", `{"command_id":"c1","items":["`+item+`"],"skip":true,"reason":"known to us"}`)
	if got.status != http.StatusAccepted || got.json["joined"] != false || got.json["sentence"] == "" || got.json["ref"] != "RH-7K2M" {
		t.Fatalf("answer = %d %s", got.status, got.body)
	}
	want := responsehub.StepRequest{CommandID: "key:" + h.dir.keys[1].ID + "|persistence|c1", Items: []string{item}, Skip: true, Reason: "known to us"}
	if diff := cmp.Diff(want, h.engine.asked); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if h.engine.actor.Via != responsehub.ViaAPI || h.engine.actor.Name != "API key responder" {
		t.Errorf("actor = %+v", h.engine.actor)
	}
	h.ask("reader", "GET", "/v1/incidents?tenant="+contoso.MicrosoftTenantID+"&status=active&since=2026-11-23T00:00:00Z&limit=7&cursor=abc", "")
	wantQuery := remediation.Query{Tenant: contoso.MicrosoftTenantID, State: responsehub.Active, Since: opened.Truncate(24 * time.Hour), Limit: 7, Cursor: "abc"}
	if diff := cmp.Diff(wantQuery, h.engine.query); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	for _, path := range []string{"/v1/lanes/i1%7Cteams/retry", "/v1/lanes/i1%7cteams/retry", "/v1/lanes/%69%31%7C%74eams/retry"} {
		h.engine.revived = ""
		if got := h.ask("admin", "POST", path, ""); got.status != 202 || h.engine.revived != "i1|teams" {
			t.Errorf("POST %s = %d, revived %q", path, got.status, h.engine.revived)
		}
	}
}

// TestEventsAreAsStored: what is read over the API must still hash to the next prev.
func TestEventsAreAsStored(t *testing.T) {
	h := newHub(t, api.Config{})
	stored, _, err := responsehub.Chain(0, "", []responsehub.Event{{At: opened, Kind: responsehub.EventOpened, Text: "<b>&"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.ask("reader", "GET", "/v1/incidents/i1/events", ""); !strings.Contains(got.body, string(stored[0])) {
		t.Errorf("%s does not hold %s", got.body, stored[0])
	}
}

func TestTenantsAreThoseWithinReach(t *testing.T) {
	h := newHub(t, api.Config{})
	for key, want := range map[string]int{"reader": 2, "contoso admin": 1, "fabrikam responder": 1} {
		if got := h.ask(key, "GET", "/v1/tenants", ""); len(got.json["items"].([]any)) != want {
			t.Errorf("%s sees %s, want %d", key, got.body, want)
		}
	}
}

func TestBootstrapKeyIsRecorded(t *testing.T) {
	h := newHub(t, api.Config{})
	h.ask("bootstrap", "GET", "/v1/tenants", "")
	h.Close()
	if log := h.logged.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "bootstrap") {
		t.Errorf("log = %s", log)
	}
	if h.engine.actor.ID != "" {
		t.Errorf("actor = %+v", h.engine.actor)
	}
}

func TestRateLimitIsPerKey(t *testing.T) {
	h := newHub(t, api.Config{PerSecond: 0.1, Burst: 3})
	for i := range 3 {
		if got := h.ask("reader", "GET", "/v1/tenants", ""); got.status != 200 {
			t.Fatalf("request %d = %d", i, got.status)
		}
	}
	got := h.ask("reader", "GET", "/v1/tenants", "")
	if got.status != 429 || got.header.Get("Retry-After") != "10" {
		t.Errorf("fourth request = %d, Retry-After %q; want 429 after 10 s", got.status, got.header.Get("Retry-After"))
	}
	if got := h.ask("admin", "GET", "/v1/tenants", ""); got.status != 200 {
		t.Errorf("another key = %d", got.status)
	}
}
