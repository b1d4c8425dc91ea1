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
	sequence := func(more string) string {
		return `{"tenants":[{"name":"A",` + id + `,"notify":{"phone":{"sequence":["ann"],` + more + `}}}]}`
	}
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
		{"bad ring", sequence(`"ring":"long"`), "/tenants/0/notify/phone/ring"},
		{"nobody after a second", sequence(`"nobody":"1s"`), "/tenants/0/notify/phone/nobody"},
		{"schedule without a zone", sequence(`"schedules":[{"id":"nights","time_zone":"","layers":[{"people":["ann"],"since":"2026-01-05"}]}]`), "/tenants/0/notify/phone/schedules/0"},
		{"schedule with a person's id", sequence(`"schedules":[{"id":"ann","time_zone":"UTC","layers":[{"people":["ann"],"since":"2026-01-05"}]}]`), "/tenants/0/notify/phone/schedules/0/id"},
		{"stranger in a schedule", sequence(`"schedules":[{"id":"nights","time_zone":"UTC","layers":[{"people":["ann","zoe"],"since":"2026-01-05"}]}]`), "/tenants/0/notify/phone/schedules/0/layers/0/people/1"},
		{"day", sequence(`"schedules":[{"id":"nights","time_zone":"UTC","layers":[{"people":["ann"],"since":"2026-01-05","days":["monday"]}]}]`), "/tenants/0/notify/phone/schedules/0/layers/0/days/0"},
		{"override by a stranger", sequence(`"schedules":[{"id":"nights","time_zone":"UTC","layers":[{"people":["ann"],"since":"2026-01-05"}],"overrides":[{"person":"zoe","from":"2026-01-05T00:00:00Z","to":"2026-01-06T00:00:00Z"}]}]`), "/tenants/0/notify/phone/schedules/0/overrides/0/person"},
		{"zone of a person", `{"people":[{"id":"a","name":"A","role":"reader","tenants":["*"],"time_zone":"Mars"}]}`, "/people/0/time_zone"},
		{"bad time", `{"tenants":[{"name":"A",` + id + `,"trial":{"ends":"tomorrow"}}]}`, ""},
		{"bad role", `{"people":[{"id":"a","name":"A","role":"boss","tenants":[]}]}`, "/people/0/role"},
		{"guest of all", `{"people":[{"id":"a","name":"A","role":"guest","tenants":["*"]}]}`, "/people/0/tenants"},
		{"person twice", `{"people":[{"id":"a","name":"A","role":"reader","tenants":["*"]},{"id":"a","name":"A","role":"reader","tenants":["*"]}]}`, "/people/1/id"},
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
			PSA: responsehub.Desks{{Connection: "cw", Company: "CON"}},
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

// TestSequenceIsAppliedAsItIsListed: what a hub lists of a sequence is what another hub
// takes, with its schedules and times; a change that leaves them out keeps them.
func TestSequenceIsAppliedAsItIsListed(t *testing.T) {
	const phone = `{"sequence":["nights","ann"],"wait":"3m0s","rounds":2,"ring":"20s","redial":"1m30s","nobody":"30m0s","start":"5m0s",` +
		`"schedules":[{"id":"nights","time_zone":"Europe/Berlin","layers":[{"people":["bob","ann"],"since":"2026-01-05","weeks":2,"days":["fri","sat"],"from":"18:00","to":"08:00"}],` +
		`"overrides":[{"person":"ann","from":"2026-12-24T00:00:00Z","to":"2026-12-27T00:00:00Z"}]}]}`
	h := newHub(t, api.Config{})
	got := h.ask("admin", "PUT", "/v1/tenants", `{
		"people":[{"id":"bob","name":"Bob","role":"responder","tenants":["*"],"phone":"+15550100","time_zone":"Europe/Berlin","language":"de"}],
		"tenants":[{"name":"Contoso","microsoft_tenant_id":"11111111-1111-4111-8111-111111111111","notify":{"phone":`+phone+`}}]}`)
	if got.status != 200 {
		t.Fatal(got.body)
	}
	if p := h.dir.people[0]; p.TimeZone != "Europe/Berlin" || p.Language != "de" {
		t.Errorf("the person: %+v", p)
	}
	want := &responsehub.OnCall{
		Sequence: []string{"nights", "ann"}, Wait: 3 * time.Minute, Rounds: 2, Ring: 20 * time.Second, Redial: 90 * time.Second, Nobody: 30 * time.Minute, Start: 5 * time.Minute,
		Schedules: []responsehub.Schedule{{
			ID: "nights", TimeZone: "Europe/Berlin",
			Layers:    []responsehub.Layer{{People: []string{"bob", "ann"}, Since: "2026-01-05", Weeks: 2, Days: []time.Weekday{time.Friday, time.Saturday}, From: "18:00", To: "08:00"}},
			Overrides: []responsehub.Override{{Person: "ann", From: time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 27, 0, 0, 0, 0, time.UTC)}},
		}},
	}
	if diff := cmp.Diff(want, h.dir.tenants[0].Notify.Phone); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if got := h.ask("reader", "GET", "/v1/tenants", ""); !strings.Contains(got.body, phone) {
		t.Errorf("listed: %s", got.body)
	}
	h.dir.people = append(h.dir.people, responsehub.Person{V: 1, ID: "ann", Name: "Ann", Role: responsehub.Responder})
	if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"notify":{"phone":{"sequence":["ann"],"wait":"1m"}}}`); got.status != 200 {
		t.Fatal(got.body)
	}
	want.Sequence, want.Wait, want.Rounds = []string{"ann"}, time.Minute, 3
	if diff := cmp.Diff(want, h.dir.tenants[0].Notify.Phone); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
}
