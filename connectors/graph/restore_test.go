package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/remediation/steps"
)

const (
	ruleWas = `{"@odata.context":"x","id":"R","displayName":".","sequence":2,"isEnabled":true,"isReadOnly":false,"hasError":false,"conditions":{"subjectContains":["invoice"]},"actions":{"moveToFolder":"F","stopProcessingRules":true},"exceptions":null}`
	rules   = "/users/" + userID + "/mailFolders/inbox/messageRules"
)

func TestRestoreRule(t *testing.T) {
	off := strings.Replace(ruleWas, `"isEnabled":true`, `"isEnabled":false`, 1)
	twin := strings.Replace(ruleWas, `"id":"R"`, `"id":"R2"`, 1)
	make := `POST ` + rules + ` {"actions":{"moveToFolder":"F","stopProcessingRules":true},"conditions":{"subjectContains":["invoice"]},"displayName":".","isEnabled":true,"sequence":2}`
	for _, tc := range []struct {
		name    string
		action  responsehub.Action
		state   responsehub.StepState
		was     string
		answers map[string]string
		kind    responsehub.Kind
		object  string
		writes  []string
	}{
		{"switched on", responsehub.Disable, responsehub.Done, ruleWas, map[string]string{"GET " + rules + "/R": off, "PATCH " + rules + "/R": ruleWas}, "", "R",
			[]string{"PATCH " + rules + `/R {"isEnabled":true}`}},
		{"on already", responsehub.Disable, responsehub.Running, ruleWas, map[string]string{"GET " + rules + "/R": ruleWas}, "", "R", nil},
		{"was off before", responsehub.Disable, responsehub.Done, off, map[string]string{"GET " + rules + "/R": off}, "", "R", nil},
		{"made anew", responsehub.Delete, responsehub.Done, ruleWas, map[string]string{"POST " + rules: twin}, "", "R2", []string{make}},
		{"made anew by an attempt before", responsehub.Delete, responsehub.Running, ruleWas,
			map[string]string{"GET " + rules: `{"value":[{"id":"other","displayName":"."},` + twin + `]}`, "GET " + rules + "/R2": twin}, "", "R2", nil},
		{"an attempt before did not make it", responsehub.Delete, responsehub.Running, ruleWas, map[string]string{"GET " + rules: `{"value":[{"id":"other","displayName":"."}]}`, "POST " + rules: twin}, "", "R2", []string{make}},
		{"deleted by somebody else", responsehub.Disable, responsehub.Done, ruleWas, nil, responsehub.NotFound, "R", nil},
		{"a copy that cannot be read", responsehub.Delete, responsehub.Done, `[`, nil, responsehub.Permanent, "R", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := directory(t, tc.answers)
			item := &responsehub.Item{Object: "R", Action: tc.action, State: tc.state, Snapshot: json.RawMessage(tc.was)}
			_, err := c.Rules().Restore(t.Context(), pat, item)
			if (err != nil) != (tc.kind != "") || err != nil && responsehub.KindOf(err) != tc.kind {
				t.Fatal(err)
			}
			if item.Object != tc.object {
				t.Errorf("the item is %s now, want %s", item.Object, tc.object)
			}
			if diff := cmp.Diff(tc.writes, sortedBodies(t, w.writes())); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

// sortedBodies writes each request's body with its keys in order.
func sortedBodies(t *testing.T, writes []string) (out []string) {
	t.Helper()
	for _, line := range writes {
		head, body, ok := strings.Cut(line, " {")
		if !ok {
			out = append(out, line)
			continue
		}
		var v any
		if err := json.Unmarshal([]byte("{"+body), &v); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(v)
		out = append(out, head+" "+string(b))
	}
	return out
}

func TestRestoreEnterpriseApp(t *testing.T) {
	sp := func(on string) string {
		return `{"id":"` + principal + `","appId":"` + appID + `","accountEnabled":` + on + `}`
	}
	for _, tc := range []struct {
		name, was, is string
		writes        []string
	}{
		{"switched on", sp("true"), sp("false"), []string{"PATCH /servicePrincipals/" + principal + ` {"@odata.type":"#microsoft.graph.servicePrincipal","accountEnabled":true}`}},
		{"on already", sp("true"), sp("true"), nil},
		{"was off before", sp("false"), sp("false"), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := directory(t, map[string]string{"GET /servicePrincipals/" + principal: tc.is, "PATCH /servicePrincipals/" + principal: ""})
			if _, err := c.EnterpriseApps().Restore(t.Context(), pat, &responsehub.Item{Object: principal, Snapshot: json.RawMessage(tc.was)}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.writes, w.writes()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
	if e := (&EnterpriseApps{}); !e.Restored([]byte(sp("true")), []byte(sp("true"))) || e.Restored([]byte(sp("true")), []byte(sp("false"))) {
		t.Error("an app that is off counts as restored, or one that is on does not")
	}
}

func TestRestoreRegistration(t *testing.T) {
	const object = "77777777-7777-4777-8777-777777777777"
	was := `{"application":{"id":"` + object + `","isDisabled":false},"owners":["o1","o2"]}`
	app := func(off string) string {
		return `{"id":"` + object + `","appId":"` + appID + `","isDisabled":` + off + `}`
	}
	owner := "POST /applications/" + object + "/owners/$ref"
	c, w := directory(t, map[string]string{
		"GET /applications/" + object: app("true"), "GET /applications/" + object + "/owners": `{"value":[{"id":"o1"}]}`,
		owner: "", "PATCH /applications/" + object: "",
	})
	if _, err := c.Registrations().Restore(t.Context(), pat, &responsehub.Item{Object: object, Snapshot: json.RawMessage(was)}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		owner + ` {"@odata.id":"https://graph.test/v1.0/directoryObjects/o2"}`,
		"PATCH /applications/" + object + ` {"@odata.type":"#microsoft.graph.application","isDisabled":false}`,
	}
	if diff := cmp.Diff(want, w.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	for now, want := range map[string]bool{
		`{"application":{"isDisabled":false},"owners":["o2","o1","o3"]}`: true,
		`{"application":{"isDisabled":true},"owners":["o1","o2"]}`:       false,
		`{"application":{"isDisabled":false},"owners":["o1"]}`:           false,
		`x`: false,
	} {
		if got := c.Registrations().Restored([]byte(was), []byte(now)); got != want {
			t.Errorf("%s: %t", now, got)
		}
	}
}

func TestRestoreGrant(t *testing.T) {
	was := `{"id":"G","clientId":"sp","consentType":"Principal","principalId":"` + userID + `","resourceId":"graph","scope":"Mail.Read offline_access"}`
	again := strings.Replace(was, `"G"`, `"G2"`, 1)
	list := "GET /users/" + userID + "/oauth2PermissionGrants"
	for _, tc := range []struct {
		name   string
		answer string
		status int
		kind   responsehub.Kind
		writes int
	}{
		{"made anew", `{"value":[{"id":"X","clientId":"other","resourceId":"graph","principalId":"` + userID + `"}]}`, 201, "", 1},
		{"there again", `{"value":[` + again + `]}`, 201, "", 0},
		{"there, not shown yet", `{"value":[]}`, 409, responsehub.Unavailable, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v1.0") {
				case list:
					say(w, 200, tc.answer)
				case "POST /oauth2PermissionGrants":
					if tc.status == 409 {
						say(w, 409, complain("Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists."))
						return
					}
					say(w, 201, again)
				default:
					say(w, 404, complain("Request_ResourceNotFound", "x"))
				}
			})
			item := &responsehub.Item{Object: "G", Snapshot: json.RawMessage(was)}
			_, err := c.Grants().Restore(t.Context(), pat, item)
			if (err != nil) != (tc.kind != "") || err != nil && responsehub.KindOf(err) != tc.kind {
				t.Fatal(err)
			}
			if len(w.writes()) != tc.writes || err == nil && item.Object != "G2" {
				t.Errorf("%v, the item is %s", w.writes(), item.Object)
			}
		})
	}
	g := &Grants{}
	if !g.Restored([]byte(was), []byte(strings.Replace(again, "Mail.Read offline_access", " offline_access Mail.Read", 1))) || g.Restored([]byte(was), []byte(strings.Replace(again, "Mail.Read ", "", 1))) {
		t.Error("scopes are compared wrongly")
	}
}

// FuzzRestored holds the comparisons to what strangers' bytes may be.
func FuzzRestored(f *testing.F) {
	f.Add(ruleWas, ruleWas)
	f.Add(`{"application":{},"owners":[]}`, `{"value":[]}`)
	f.Add(`{"conditions":{"@x":[null,{"a":false}]}}`, `{"conditions":null}`)
	f.Fuzz(func(_ *testing.T, a, b string) {
		for _, r := range []steps.Restorer{&Rules{}, &EnterpriseApps{}, &Registrations{}, &Grants{}} {
			r.Restored(json.RawMessage(a), json.RawMessage(b))
		}
		_, _ = ruleBody(json.RawMessage(a))
	})
}
