package api_test

import (
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
