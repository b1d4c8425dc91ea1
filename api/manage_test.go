package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/onboard"
	"responsehub/store"
	"responsehub/store/storetest"
)

// TestChangesAreHeldToTheRulesOfTheConsole: a fault names its field, and nothing of the
// request is stored.
func TestChangesAreHeldToTheRulesOfTheConsole(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		pointer                  string
	}{
		{"lock group", "PATCH", "/v1/tenants/t1", `{"response":false,"lock_group":"x"}`, 400, "/lock_group"},
		{"limit", "PATCH", "/v1/tenants/t1", `{"automatic_locks_per_hour":1001}`, 400, "/automatic_locks_per_hour"},
		{"break-glass", "PATCH", "/v1/tenants/t1", `{"break_glass":["root@contoso.example","everybody"]}`, 400, "/break_glass/1"},
		{"channel", "PATCH", "/v1/tenants/t1", `{"notify":{"teams":["general"]}}`, 400, "/notify/teams/0"},
		{"nobody of that name", "PATCH", "/v1/tenants/t1", `{"notify":{"phone":{"sequence":["ann","zed"]}}}`, 400, "/notify/phone/sequence/1"},
		{"wait", "PATCH", "/v1/tenants/t1", `{"notify":{"phone":{"sequence":["ann"],"wait":"soon"}}}`, 400, "/notify/phone/wait"},
		{"an address that is not kept", "PATCH", "/v1/tenants/t1", `{"notify":{"slack":["https://elsewhere.test/..."]}}`, 400, "/notify/slack/0"},
		{"no such product", "PATCH", "/v1/tenants/t1", `{"product":"gold"}`, 400, "/product"},
		{"Response without the product", "PATCH", "/v1/tenants/t1", `{"product":"notify","response":true}`, 400, "/response"},
		{"no such field", "PATCH", "/v1/tenants/t1", `{"name":"Fabrikam"}`, 400, "/name"},
		{"role", "PUT", "/v1/people/zoe", `{"name":"Zoe","role":"boss","tenants":["*"]}`, 400, "/role"},
		{"phone", "PUT", "/v1/people/zoe", `{"name":"Zoe","role":"reader","tenants":["*"],"phone":"0123"}`, 400, "/phone"},
		{"time zone", "PUT", "/v1/people/zoe", `{"name":"Zoe","role":"reader","tenants":["*"],"time_zone":"Mars/Base"}`, 400, "/time_zone"},
		{"id", "PUT", "/v1/people/z%20z", `{"name":"Zoe","role":"reader","tenants":["*"]}`, 400, "/id"},
		{"key for a guest", "POST", "/v1/keys", `{"name":"robot","role":"guest"}`, 400, "/role"},
		{"key without a name", "POST", "/v1/keys", `{"name":" ","role":"reader"}`, 400, "/name"},
		{"key for nowhere", "POST", "/v1/keys", `{"name":"robot","role":"reader","tenants":["Contoso","Nowhere"]}`, 400, "/tenants/1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, api.Config{})
			keys := len(h.dir.keys)
			got := h.ask("admin", tt.method, tt.path, tt.body)
			if pointer, _ := got.json["pointer"].(string); got.status != tt.status || pointer != tt.pointer {
				t.Errorf("= %d %s, want %d at %q", got.status, got.body, tt.status, tt.pointer)
			}
			if !h.dir.tenants[0].Response || len(h.dir.people) != 1 || len(h.dir.keys) != keys {
				t.Error("something of it was stored")
			}
		})
	}
}

func TestSettingsCanBeReadAndSentBack(t *testing.T) {
	h := newHub(t, api.Config{})
	secret := h.dir.tenants[0].Notify.Slack[0]
	got := h.ask("contoso admin", "PATCH", "/v1/tenants/"+strings.ToUpper(contoso.MicrosoftTenantID),
		`{"notify":{"teams":["19:a@thread.tacv2"],"slack":["https://hooks.slack.test/...","https://hooks.slack.test/NEW"]},"password_mode":"manual"}`)
	if got.status != 200 {
		t.Fatal(got.body)
	}
	now := h.dir.tenants[0]
	if len(now.Notify.Slack) != 2 || now.Notify.Slack[0] != secret || now.Notify.Phone != nil || !now.Response || now.PasswordMode != responsehub.PasswordManual {
		t.Errorf("stored: %+v", now)
	}
	if strings.Contains(got.body, "SLACK-SECRET") || strings.Contains(got.body, "NEW") {
		t.Errorf("an address with its secret is in the answer: %s", got.body)
	}
}

// TestTicketSystemsOverTheAPI: one is given and answered as an object, several as a list.
func TestTicketSystemsOverTheAPI(t *testing.T) {
	h := newHub(t, api.Config{})
	for _, desks := range []string{`{"connection":"cw","company":"CON"}`, `[{"connection":"cw","company":"CON"},{"connection":"halo","company":"Contoso","close_on_ticket_close":true}]`} {
		got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"notify":{"psa":`+desks+`}}`)
		if got.status != 200 || !strings.Contains(got.body, `"psa":`+desks) {
			t.Errorf("%s: %d %s", desks, got.status, got.body)
		}
	}
	for desks, at := range map[string]string{
		`[{"connection":"cw","company":"A"},{"connection":"cw","company":"B"}]`: "/notify/psa/1/connection",
		`[{"connection":"cw","nope":1}]`:                                        "/notify/psa/0/nope",
		`{"connection":"cw","nope":1}`:                                          "/notify/psa/nope",
		`"cw"`:                                                                  "/notify/psa",
	} {
		if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"notify":{"psa":`+desks+`}}`); got.status != 400 || !strings.Contains(got.body, at) {
			t.Errorf("%s: %d %s", desks, got.status, got.body)
		}
	}
}

func TestPauseOverTheAPI(t *testing.T) {
	h := newHub(t, api.Config{})
	if got := h.ask("responder", "PATCH", "/v1/tenants/t1", `{"paused":true}`); got.status != 403 {
		t.Errorf("a responder: %d", got.status)
	}
	first := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"paused":true}`)
	again := h.ask("contoso admin", "PATCH", "/v1/tenants/t1", `{"paused":true}`)
	if first.status != 200 || again.status != 200 || !strings.Contains(again.body, `"by":"API key admin"`) {
		t.Errorf("who paused it first is lost: %s", again.body)
	}
	if got := h.ask("admin", "PUT", "/v1/tenants", `{"tenants":[{"name":"Contoso","microsoft_tenant_id":"11111111-1111-4111-8111-111111111111"}]}`); got.status != 200 || h.dir.tenants[0].Paused == nil {
		t.Errorf("a roster resumed the tenant: %d %+v", got.status, h.dir.tenants)
	}
	if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"paused":false}`); got.status != 200 || h.dir.tenants[0].Paused != nil || strings.Contains(got.body, "paused") {
		t.Errorf("resumed: %s", got.body)
	}
}

// TestAnEndedTrialOverTheAPI: no new tenant and no other product, each with its sentence;
// everything else goes on, steps above all.
func TestAnEndedTrialOverTheAPI(t *testing.T) {
	h := newHub(t, api.Config{Subscription: responsehub.Subscription{TrialEnds: time.Now().Add(-time.Hour)}})
	for what, r := range map[string][3]string{
		"a new tenant":                {"PUT", "/v1/tenants", `{"tenants":[{"name":"New","microsoft_tenant_id":"33333333-3333-4333-8333-333333333333"}]}`},
		"another product":             {"PATCH", "/v1/tenants/t1", `{"product":"notify"}`},
		"another product by the file": {"PUT", "/v1/tenants", `{"tenants":[{"name":"Contoso","microsoft_tenant_id":"11111111-1111-4111-8111-111111111111","product":"notify"}]}`},
	} {
		if got := h.ask("admin", r[0], r[1], r[2]); got.status != 409 || !strings.Contains(got.body, "Remediation goes on") {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	for what, r := range map[string][4]string{
		"a step":           {"responder", "POST", "/v1/incidents/i1/steps/retract", `{}`},
		"a known tenant":   {"admin", "PUT", "/v1/tenants", `{"tenants":[{"name":"Fabrikam","microsoft_tenant_id":"22222222-2222-4222-8222-222222222222"}]}`},
		"the same product": {"admin", "PATCH", "/v1/tenants/t2", `{"product":"response"}`},
	} {
		if got := h.ask(r[0], r[1], r[2], r[3]); got.status > 299 {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
}

func TestProductOverTheAPI(t *testing.T) {
	h := newHub(t, api.Config{})
	if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"product":"notify"}`); got.status != 200 || got.json["response"] != false || got.json["product"] != "notify" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"product":"response"}`); got.json["response"] != false || got.json["product"] != "response" {
		t.Errorf("switching back turned Response on: %s", got.body)
	}
}

func TestAKeyIsShownOnce(t *testing.T) {
	h := newHub(t, api.Config{})
	made := h.ask("admin", "POST", "/v1/keys", `{"name":"robot","role":"reader","tenants":["Contoso"]}`)
	plain, _ := made.json["key"].(string)
	id, _ := made.json["id"].(string)
	if made.status != 201 || !strings.HasPrefix(plain, "rh_") {
		t.Fatalf("%d %s", made.status, made.body)
	}
	if got := h.ask("", "GET", "/v1/tenants", "", "Authorization", "Bearer "+plain); got.status != 200 || strings.Contains(got.body, "Fabrikam") {
		t.Errorf("the new key: %d %s", got.status, got.body)
	}
	list := h.ask("admin", "GET", "/v1/keys", "")
	if !strings.Contains(list.body, id) || strings.Contains(list.body, plain) || strings.Contains(list.body, "hash") {
		t.Errorf("the list: %s", list.body)
	}
	if strings.Contains(h.logged.String(), plain) {
		t.Error("the key is in the log")
	}
	if got := h.ask("admin", "DELETE", "/v1/keys/"+id, ""); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := h.ask("", "GET", "/v1/tenants", "", "Authorization", "Bearer "+plain); got.status != 401 {
		t.Errorf("a removed key: %d", got.status)
	}
}

// TestTheSameCommandMakesOneKey: whoever asks again is told which key it was, and not the
// key. Another caller's command of the same name is another one.
func TestTheSameCommandMakesOneKey(t *testing.T) {
	h := newHub(t, api.Config{})
	ask := func(key, name string) answer {
		return h.ask(key, "POST", "/v1/keys", `{"name":"`+name+`","role":"reader"}`, "Idempotency-Key", "nightly")
	}
	before := len(h.dir.Keys())
	first := ask("admin", "robot")
	id, _ := first.json["id"].(string)
	plain, _ := first.json["key"].(string)
	if first.status != http.StatusCreated || id == "" || plain == "" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	for _, name := range []string{"robot", "another"} {
		again := ask("admin", name)
		if again.status != http.StatusConflict || !strings.Contains(again.body, id) || strings.Contains(again.body, plain) || again.json["pointer"] != "/command_id" {
			t.Errorf("again, for %s: %d %s", name, again.status, again.body)
		}
	}
	if got := h.ask("", "GET", "/v1/tenants", "", "Authorization", "Bearer "+plain); got.status != http.StatusOK {
		t.Errorf("the first key after the second try: %d", got.status)
	}
	if got := ask("bootstrap", "robot"); got.status != http.StatusCreated || got.json["id"] == id {
		t.Errorf("the same name of another caller's command: %d %s", got.status, got.body)
	}
	if got := len(h.dir.Keys()) - before; got != 2 {
		t.Errorf("%d keys were made, want 2", got)
	}
}

func TestListsInPages(t *testing.T) {
	h := newHub(t, api.Config{})
	for i := range 5 {
		h.dir.people = append(h.dir.people, responsehub.Person{V: 1, ID: fmt.Sprint("p", i), Name: "P", Role: responsehub.Reader, Tenants: []string{"*"}})
	}
	var seen []string
	for cursor, n := "", 0; ; n++ {
		got := h.ask("admin", "GET", "/v1/people?limit=2&cursor="+cursor, "")
		for _, it := range got.json["items"].([]any) {
			seen = append(seen, it.(map[string]any)["id"].(string))
		}
		if cursor, _ = got.json["next"].(string); cursor == "" || n > 5 {
			break
		}
		if n == 0 { // somebody goes, and somebody comes before the cursor, meanwhile
			h.dir.people = append(h.dir.people[1:], responsehub.Person{V: 1, ID: "aaa", Name: "A", Role: responsehub.Reader})
		}
	}
	if got := strings.Join(seen, " "); got != "ann p0 p1 p2 p3 p4" {
		t.Errorf("seen: %s", got)
	}
	for _, q := range []string{"limit=0", "limit=1001", "limit=x", "cursor=%21"} {
		if got := h.ask("admin", "GET", "/v1/people?"+q, ""); got.status != 400 {
			t.Errorf("%s: %d", q, got.status)
		}
	}
}

// nobody is a Microsoft that is never asked.
type nobody struct{ onboard.Microsoft }

func (nobody) ConsentLink(tenant, back, state string) string {
	return "https://login.test/" + tenant + "?state=" + state
}

// newcomers takes tenants in beside those of the other tests.
func newcomers(t *testing.T) *onboard.Desk {
	rdb, _ := storetest.Mini(t)
	dir := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
	if err := dir.Apply(t.Context(), responsehub.Hub.By(), []responsehub.Tenant{contoso}, nil); err != nil {
		t.Fatal(err)
	}
	return onboard.New(onboard.Config{Back: "https://hub.test/onboard/back"}, nobody{}, store.New(rdb), dir, slog.New(slog.DiscardHandler))
}

// TestProductOfTheFile: what the file says of a product is a switch, held to a tenant's
// trial as the file has it; what it does not say stays.
func TestProductOfTheFile(t *testing.T) {
	h := newHub(t, api.Config{})
	apply := func(rest string) answer {
		return h.ask("admin", "PUT", "/v1/tenants", `{"tenants":[{"name":"Contoso","microsoft_tenant_id":"11111111-1111-4111-8111-111111111111"`+rest+`}]}`)
	}
	if got := apply(`,"product":"notify","trial":{"ends":"2020-01-01T00:00:00Z"}`); got.status != 409 || !strings.Contains(got.body, "The trial of Contoso ended") || h.dir.tenants[0].Bought() != responsehub.ProductResponse {
		t.Errorf("after its trial %d %s", got.status, got.body)
	}
	if got := apply(`,"product":"notify"`); got.status != 200 || h.dir.tenants[0].Product != responsehub.ProductNotify || h.dir.tenants[0].Response {
		t.Errorf("notify: %d %s, %+v", got.status, got.body, h.dir.tenants[0])
	}
	if got := apply(``); got.status != 200 || h.dir.tenants[0].Product != responsehub.ProductNotify {
		t.Errorf("left out: %d %s, %+v", got.status, got.body, h.dir.tenants[0])
	}
	if got := apply(`,"product":"response","response":true`); got.status != 200 || !h.dir.tenants[0].Automatic() {
		t.Errorf("response: %d %s, %+v", got.status, got.body, h.dir.tenants[0])
	}
}
