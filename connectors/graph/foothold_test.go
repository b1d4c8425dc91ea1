package graph

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/remediation/steps"
)

var pat = steps.Target{Tenant: tenantID, User: userID, UPN: "pat@contoso.com"}

const (
	appID     = "44444444-4444-4444-8444-444444444444"
	principal = "55555555-5555-4555-8555-555555555555"
)

// directory answers from a table of "METHOD path" to body; what is not in it is gone.
func directory(t *testing.T, answers map[string]string) (*Client, *world) {
	t.Helper()
	return newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v1.0")]
		switch {
		case !ok:
			say(w, 404, complain("Request_ResourceNotFound", "x"))
		case body == "":
			say(w, 204, "")
		default:
			say(w, 200, body)
		}
	})
}

func (w *world) writes() (out []string) {
	for _, r := range w.requests() {
		if r.Method != http.MethodGet {
			out = append(out, strings.TrimSpace(r.Method+" "+r.Path+" "+r.Body))
		}
	}
	return out
}

func TestRuleReading(t *testing.T) {
	rule := `{"id":"R","displayName":"..","isEnabled":false,"actions":{"delete":true}}`
	c, _ := directory(t, map[string]string{"GET /users/" + userID + "/mailFolders/inbox/messageRules/R": rule})
	got, err := c.Rules().Read(t.Context(), pat, &responsehub.Item{Object: "R"})
	if err != nil {
		t.Fatal(err)
	}
	want := steps.Reading{Name: "..", Active: false, Snapshot: []byte(rule), RequestID: "req-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := c.Rules().Read(t.Context(), pat, &responsehub.Item{Object: "gone"}); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("a rule that is gone: %v", err)
	}
	if _, err := c.Rules().Read(t.Context(), pat, &responsehub.Item{Object: "R", Hidden: true}); responsehub.KindOf(err) != responsehub.Permanent {
		t.Errorf("a hidden rule must not count as gone: %v", err)
	}
}

func TestReadOnlyRule(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			say(w, 200, `{"id":"R","isReadOnly":true}`)
			return
		}
		say(w, 400, complain("ErrorInvalidRequest", "x"))
	})
	_, err := c.Rules().Neutralise(t.Context(), pat, &responsehub.Item{Object: "R"}, "")
	if ClassOf(err) != ReadOnly || responsehub.KindOf(err) != responsehub.Forbidden {
		t.Errorf("%s %v", ClassOf(err), err)
	}
}

func TestEnterpriseApps(t *testing.T) {
	sp := func(app, owner string) string {
		return `{"id":"` + principal + `","appId":"` + app + `","displayName":"Mail Sync","accountEnabled":true,"appOwnerOrganizationId":"` + owner + `"}`
	}
	foreign := "66666666-6666-4666-8666-666666666666"
	for _, tc := range []struct {
		name    string
		object  string
		answers map[string]string
		guard   string
		writes  []string
	}{
		{"by object id", principal, map[string]string{"GET /servicePrincipals/" + principal: sp(appID, foreign)}, "", []string{"PATCH /servicePrincipals/" + principal + ` {"@odata.type":"#microsoft.graph.servicePrincipal","accountEnabled":false}`}},
		{"by app id", appID, map[string]string{"GET /servicePrincipals": `{"value":[` + sp(appID, foreign) + `]}`}, "", []string{"PATCH /servicePrincipals/" + principal + ` {"@odata.type":"#microsoft.graph.servicePrincipal","accountEnabled":false}`}},
		{"Microsoft's", principal, map[string]string{"GET /servicePrincipals/" + principal: sp(appID, "f8cdef31-a31e-4b4a-93e4-5f571e91255a")}, guardMicrosoft, nil},
		{"Exchange itself", principal, map[string]string{"GET /servicePrincipals/" + principal: `{"id":"` + principal + `","appId":"00000002-0000-0ff1-ce00-000000000000"}`}, guardMicrosoft, nil},
		{"the hub's", principal, map[string]string{"GET /servicePrincipals/" + principal: sp(clientID, foreign)}, guardOwn, nil},
		{"the bot's", principal, map[string]string{"GET /servicePrincipals/" + principal: sp("99999999-9999-4999-8999-999999999999", foreign)}, guardOwn, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.answers["PATCH /servicePrincipals/"+principal] = ""
			c, w := directory(t, tc.answers)
			item := &responsehub.Item{Object: tc.object}
			got, err := c.EnterpriseApps().Read(t.Context(), pat, item)
			if err != nil || got.Guard != tc.guard || !got.Active || !strings.Contains(string(got.Snapshot), principal) || strings.Contains(string(got.Snapshot), "value") {
				t.Errorf("%v %+v %s", err, got, got.Snapshot)
			}
			_, err = c.EnterpriseApps().Neutralise(t.Context(), pat, item, responsehub.Delete)
			if tc.guard != "" && responsehub.KindOf(err) != responsehub.Refused || tc.guard == "" && err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tc.writes, w.writes()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
	c, _ := directory(t, map[string]string{"GET /servicePrincipals": `{"value":[]}`})
	if _, err := c.EnterpriseApps().Read(t.Context(), pat, &responsehub.Item{Object: appID}); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("an app that is not there: %v", err)
	}
}

func TestRegistrations(t *testing.T) {
	const object = "77777777-7777-4777-8777-777777777777"
	app := `{"id":"` + object + `","appId":"` + appID + `","displayName":"Backup","isDisabled":false}`
	owners := `{"value":[{"@odata.type":"#microsoft.graph.user","id":"o1"},{"id":"o2"}]}`
	drop := func(o string) string { return "DELETE /applications/" + object + "/owners/" + o + "/$ref" }
	disable := "PATCH /applications/" + object
	all := []string{drop("o1"), drop("o2"), disable + ` {"@odata.type":"#microsoft.graph.application","isDisabled":true}`}
	for _, tc := range []struct {
		name    string
		object  string
		answers map[string]string
		writes  []string
		fails   bool
	}{
		{"by object id", object, map[string]string{"GET /applications/" + object: app, drop("o1"): "", drop("o2"): ""}, all, false},
		{"by app id", appID, map[string]string{"GET /applications(appId='" + appID + "')": app, drop("o1"): "", drop("o2"): ""}, all, false},
		{"an owner is gone already", object, map[string]string{"GET /applications/" + object: app, drop("o1"): ""}, all, false},
		{"registered elsewhere", appID, map[string]string{"GET /servicePrincipals": `{"value":[{"id":"` + principal + `","appId":"` + appID + `"}]}`, "PATCH /servicePrincipals/" + principal: ""},
			[]string{"PATCH /servicePrincipals/" + principal + ` {"@odata.type":"#microsoft.graph.servicePrincipal","accountEnabled":false}`}, false},
		{"nowhere", appID, map[string]string{"GET /servicePrincipals": `{"value":[]}`}, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.answers["GET /applications/"+object+"/owners"] = owners
			tc.answers[disable] = ""
			c, w := directory(t, tc.answers)
			item := &responsehub.Item{Object: tc.object}
			reading, err := c.Registrations().Read(t.Context(), pat, item)
			if tc.fails != (responsehub.KindOf(err) == responsehub.NotFound && err != nil) || !tc.fails && !reading.Active {
				t.Errorf("read: %v %+v", err, reading)
			}
			if _, err = c.Registrations().Neutralise(t.Context(), pat, item, ""); tc.fails != (err != nil) {
				t.Errorf("neutralise: %v", err)
			}
			if diff := cmp.Diff(tc.writes, w.writes()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
	c, _ := directory(t, map[string]string{"GET /applications/" + object: strings.Replace(app, "false", "true", 1), "GET /applications/" + object + "/owners": owners})
	got, err := c.Registrations().Read(t.Context(), pat, &responsehub.Item{Object: object})
	if err != nil || got.Active || !strings.Contains(string(got.Snapshot), `"owners":["o1","o2"]`) {
		t.Errorf("a deactivated app: %v %+v %s", err, got, got.Snapshot)
	}
}

func TestGrants(t *testing.T) {
	own := `{"id":"g1","consentType":"Principal","clientId":"on"}`
	lists := map[string]string{
		"GET /users/" + userID + "/oauth2PermissionGrants": `{"value":[{"id":"g0"},` + own + `,{"id":"g2","clientId":"off"},{"id":"g3","clientId":"gone"}]}`,
		"GET /servicePrincipals/on":                        `{"id":"on","appId":"a1","accountEnabled":true}`,
		"GET /servicePrincipals/off":                       `{"id":"off","appId":"a2","accountEnabled":false}`,
		"GET /oauth2PermissionGrants":                      `{"value":[{"id":"everybody","consentType":"AllPrincipals"}]}`,
	}
	for _, tc := range []struct {
		name     string
		item     responsehub.Item
		found    bool
		active   bool
		requests int
	}{
		{"the user's", responsehub.Item{Object: "g1"}, true, true, 2},
		{"to an app that is switched off", responsehub.Item{Object: "g2"}, true, false, 2},
		{"to an app that is gone", responsehub.Item{Object: "g3"}, true, false, 2},
		{"an administrator's", responsehub.Item{Object: "everybody"}, true, true, 2},
		{"nowhere", responsehub.Item{Object: "gone"}, false, false, 2},
		{"the user's, deleted", responsehub.Item{Object: "gone", Snapshot: []byte(own)}, false, false, 1},
	} {
		c, w := directory(t, lists)
		r, err := c.Grants().Read(t.Context(), pat, &tc.item)
		if tc.found != (err == nil) || !tc.found && responsehub.KindOf(err) != responsehub.NotFound || r.Active != tc.active || tc.found && !strings.Contains(string(r.Snapshot), tc.item.Object) {
			t.Errorf("%s: %v %+v", tc.name, err, r)
		}
		if len(w.requests()) != tc.requests {
			t.Errorf("%s: %d requests, want %d", tc.name, len(w.requests()), tc.requests)
		}
	}
}

func TestScan(t *testing.T) {
	rules := "GET /users/" + userID + "/mailFolders/inbox/messageRules"
	rule := func(id, name, conditions, actions string) string {
		return `{"id":"` + id + `","displayName":"` + name + `","isEnabled":true,"conditions":` + conditions + `,"actions":` + actions + `}`
	}
	to := func(a string) string { return `[{"emailAddress":{"address":"` + a + `"}}]` }
	c, _ := directory(t, map[string]string{
		rules: `{"value":[` + strings.Join([]string{
			rule("out", "fwd", `{}`, `{"forwardTo":`+to("thief@evil.test")+`}`),
			rule("in", "to my deputy", `{}`, `{"redirectTo":`+to("ann@mail.contoso.com")+`}`),
			rule("rss", "x", `{"subjectContains":["news"]}`, `{"moveToFolder":"f-rss"}`),
			rule("dots", "..", `{"senderContains":["a"]}`, `{"markImportance":"low"}`),
			rule("hide", "Invoices", `{"subjectContains":["Invoice"]}`, `{"delete":true}`),
			rule("news", "Newsletters", `{"fromAddresses":`+to("n@n.test")+`}`, `{"moveToFolder":"f-news"}`),
			rule("all", "a", `null`, `{"delete":true}`),
			rule("clean", "Clean up", `{"senderContains":["jira"]}`, `{"delete":true}`),
			rule("none", "..", `{}`, `null`),
			`{"id":"off","displayName":"..","isEnabled":false,"actions":{"delete":true}}`,
		}, ",") + `]}`,
		"GET /auditLogs/directoryAudits":                   `{"value":[]}`,
		"GET /users/" + userID + "/mailFolders/f-rss":      `{"id":"f-rss","displayName":"RSS Feeds"}`,
		"GET /users/" + userID + "/mailFolders/f-news":     `{"id":"f-news","displayName":"News"}`,
		"GET /users/" + userID + "/oauth2PermissionGrants": `{"value":[{"id":"g1","clientId":"` + principal + `","scope":" Mail.Read offline_access"},{"id":"g2","clientId":"ms"},{"id":"g3","clientId":"gone"}]}`,
		"GET /servicePrincipals/" + principal:              `{"id":"` + principal + `","appId":"` + appID + `","displayName":"Perfect Data"}`,
		"GET /servicePrincipals/ms":                        `{"id":"ms","appId":"x","appOwnerOrganizationId":"f8cdef31-a31e-4b4a-93e4-5f571e91255a"}`,
	})
	items, err := c.Scan(t.Context(), pat, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range items {
		got = append(got, string(i.Kind)+" "+i.Object)
		if i.Why == "" || i.ID != responsehub.ItemID(i.Kind, i.Object) || i.Kind == responsehub.InboxRule && i.Mailbox != userID {
			t.Errorf("%+v", i)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"inbox_rule all", "inbox_rule dots", "inbox_rule hide", "inbox_rule out", "inbox_rule rss", "oauth_grant g1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScanKeepsWhatItFound(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "messageRules"):
			say(w, 403, complain("ErrorAccessDenied", "x"))
		case strings.HasSuffix(r.URL.Path, "oauth2PermissionGrants"):
			say(w, 200, `{"value":[{"id":"g1","clientId":"`+principal+`"}]}`)
		default:
			say(w, 200, `{"id":"`+principal+`","appId":"`+appID+`"}`)
		}
	})
	items, err := c.Scan(t.Context(), pat, time.Time{})
	if len(items) != 1 || responsehub.KindOf(err) != responsehub.Forbidden {
		t.Errorf("%d items, %v: what could not be read must not count as clean", len(items), err)
	}
}
