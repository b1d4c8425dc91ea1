package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/api"
)

func TestRosterIsChecked(t *testing.T) {
	const id = `"microsoft_tenant_id":"11111111-1111-4111-8111-111111111111"`
	tests := []struct{ name, body, pointer string }{
		{"no id", `{"tenants":[{"name":"A"}]}`, "/tenants/0/microsoft_tenant_id"},
		{"not a GUID", `{"tenants":[{"name":"A","microsoft_tenant_id":"x"}]}`, "/tenants/0/microsoft_tenant_id"},
		{"twice", `{"tenants":[{"name":"A",` + id + `},{"name":"B",` + id + `}]}`, "/tenants/1/microsoft_tenant_id"},
		{"unknown field deep inside", `{"tenants":[{"name":"A",` + id + `,"notify":{"phone":{"sequence":[],"wat":"3m"}}}]}`, "/tenants/0/notify/phone/wat"},
		{"password mode", `{"tenants":[{"name":"A",` + id + `,"password_mode":"x"}]}`, "/tenants/0/password_mode"},
		{"limit", `{"tenants":[{"name":"A",` + id + `,"automatic_locks_per_hour":-1}]}`, "/tenants/0/automatic_locks_per_hour"},
		{"break-glass", `{"tenants":[{"name":"A",` + id + `,"break_glass":["admins"]}]}`, "/tenants/0/break_glass/0"},
		{"second person", `{"tenants":[{"name":"A",` + id + `,"second_person_for":["admins","pat"]}]}`, "/tenants/0/second_person_for/1"},
		{"unknown person", `{"tenants":[{"name":"A",` + id + `,"notify":{"phone":{"sequence":["ann","zoe"]}}}]}`, "/tenants/0/notify/phone/sequence/1"},
		{"bad wait", `{"tenants":[{"name":"A",` + id + `,"notify":{"phone":{"sequence":["ann"],"wait":"soon"}}}]}`, "/tenants/0/notify/phone/wait"},
		{"bad time", `{"tenants":[{"name":"A",` + id + `,"trial":{"ends":"tomorrow"}}]}`, ""},
		{"bad role", `{"people":[{"id":"a","name":"A","role":"boss","tenants":[]}]}`, "/people/0/role"},
		{"guest of all", `{"people":[{"id":"a","name":"A","role":"guest","tenants":["*"]}]}`, "/people/0/tenants"},
		{"person twice", `{"people":[{"id":"a","name":"A","role":"reader","tenants":[]},{"id":"a","name":"A","role":"reader","tenants":[]}]}`, "/people/1/id"},
		{"phone", `{"people":[{"id":"a","name":"A","role":"reader","tenants":[],"phone":"0123"}]}`, "/people/0/phone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, api.Config{})
			got := h.ask("admin", "PUT", "/v1/tenants", tt.body)
			pointer, _ := got.json["pointer"].(string)
			if got.status != 400 || pointer != tt.pointer {
				t.Errorf("= %d %s, want 400 at %q", got.status, got.body, tt.pointer)
			}
			if len(h.dir.tenants) != 2 {
				t.Error("something was applied")
			}
		})
	}
}

// TestGuardsAreApplied: a limit of none is kept, and the list of tenants shows it all.
func TestGuardsAreApplied(t *testing.T) {
	h := newHub(t, api.Config{})
	got := h.ask("admin", "PUT", "/v1/tenants", `{"tenants":[{"name":"Contoso","microsoft_tenant_id":"11111111-1111-4111-8111-111111111111",
		"password_mode":"manual","automatic_locks_per_hour":0,"break_glass":["root@contoso.example"],"second_person_for":["admins"]}]}`)
	if got.status != 200 {
		t.Fatal(got.body)
	}
	tenant := h.dir.tenants[0]
	if tenant.PasswordMode != responsehub.PasswordManual || tenant.LocksPerHour() != 0 || len(tenant.BreakGlass) != 1 || !tenant.AsksForAdmins() {
		t.Errorf("stored: %+v", tenant)
	}
	if got := h.ask("reader", "GET", "/v1/tenants", ""); !strings.Contains(got.body, `"automatic_locks_per_hour":0`) || !strings.Contains(got.body, `"second_person_for":["admins"]`) {
		t.Errorf("listed: %s", got.body)
	}
}

// TestSwitch: who stopped all automatic action stays on record, also when somebody else
// stops it again; an administrator of some tenants only may not.
func TestSwitch(t *testing.T) {
	h := newHub(t, api.Config{})
	if got := h.ask("responder", "PATCH", "/v1/settings", `{"automatic":false}`); got.status != 403 || h.dir.settings.Stopped != nil {
		t.Errorf("a responder: %d %s", got.status, got.body)
	}
	for range 2 {
		if got := h.ask("admin", "PATCH", "/v1/settings", `{"automatic":false}`); got.status != 200 || got.json["automatic"] != false || got.json["changed_by"] == "" {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	first := h.dir.settings.Stopped.At
	h.ask("admin", "PATCH", "/v1/settings", `{"automatic":false}`)
	if !h.dir.settings.Stopped.At.Equal(first) {
		t.Error("the time of the first is lost")
	}
	if got := h.ask("admin", "PATCH", "/v1/settings", `{}`); got.status != 400 {
		t.Errorf("without a value: %d %s", got.status, got.body)
	}
	if got := h.ask("admin", "PATCH", "/v1/settings", `{"automatic":true}`); got.status != 200 || h.dir.settings.Stopped != nil {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestRosterIsApplied(t *testing.T) {
	h := newHub(t, api.Config{})
	got := h.ask("admin", "PUT", "/v1/tenants", `{
		"people":[{"id":"bob","name":"Bob","role":"responder","tenants":["Contoso"],"phone":"+15550100"}],
		"tenants":[{"name":"Contoso Ltd","microsoft_tenant_id":"11111111-1111-4111-8111-111111111111",
			"notify":{"teams":["19:a@thread.tacv2"],"phone":{"sequence":["bob","ann"],"wait":"90s","rounds":2},"psa":{"connection":"cw","company":"CON"}},
			"trial":{"ends":"2027-01-01T00:00:00Z"}}]}`)
	if got.status != 200 || got.json["tenants"] != 1.0 || got.json["people"] != 1.0 {
		t.Fatalf("= %d %s", got.status, got.body)
	}
	want := []responsehub.Tenant{{
		V: 1, ID: "t1", Name: "Contoso Ltd", MicrosoftTenantID: contoso.MicrosoftTenantID,
		Response: true, // left out of the roster: stays as it was
		Notify: responsehub.Notify{
			Teams: []string{"19:a@thread.tacv2"}, Phone: &responsehub.OnCall{Sequence: []string{"bob", "ann"}, Wait: 90 * time.Second, Rounds: 2},
			PSA: &responsehub.Desk{Connection: "cw", Company: "CON"},
		},
		TrialEnds: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, h.dir.tenants); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]responsehub.Person{{V: 1, ID: "bob", Name: "Bob", Phone: "+15550100", Role: responsehub.Responder, Tenants: []string{"Contoso"}}}, h.dir.people); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
}
