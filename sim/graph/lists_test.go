package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

func TestUsersArePaged(t *testing.T) {
	s := newStage(t)
	for i := range 30 {
		s.scene.Tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("u%02d@contoso.example", i)})
	}
	next, pages, seen := "/users?$select=id,mail&$top=10", 0, map[any]bool{}
	for next != "" {
		a := s.want(200, "", "GET", next, "")
		for _, u := range a.value() {
			if len(u) != 2 {
				t.Fatalf("selected %v", u)
			}
			seen[u["id"]] = true
		}
		next, _ = a.body["@odata.nextLink"].(string)
		pages++
	}
	if pages != 4 || len(seen) != 38 {
		t.Errorf("%d users on %d pages, want 38 on 4", len(seen), pages)
	}
	s.want(400, "Request_BadRequest", "GET", "/users?$top=1000", "")
}

// TestMountedWithoutItsPrefix: the links of a server behind http.StripPrefix keep the prefix.
func TestMountedWithoutItsPrefix(t *testing.T) {
	s := newStage(t)
	ts := httptest.NewServer(http.StripPrefix("/graph", s.graph))
	defer ts.Close()
	a := s.want(200, "", "GET", ts.URL+"/graph/v1.0/users?$top=1", "")
	next, _ := a.body["@odata.nextLink"].(string)
	if !strings.HasPrefix(next, ts.URL+"/graph/v1.0/users?") {
		t.Errorf("next link %q", next)
	}
	s.want(200, "", "GET", next, "")
}

func TestFiltersOfMail(t *testing.T) {
	s := newStage(t)
	s.scene.Sam.Deliver(tenant.Message{From: "o'neil@contoso.example", Subject: "It's (not) 'spam', really"})
	at := s.scene.PhishAt
	window := fmt.Sprintf("receivedDateTime ge %s and receivedDateTime le %s", at.Add(-time.Minute).Format(time.RFC3339), at.Add(time.Minute).Format(time.RFC3339))
	for _, c := range []struct {
		name, filter string
		want         int
	}{
		{"by internet id", "internetMessageId eq '" + s.scene.PhishID + "'", 1},
		{"by time and sender", window + " and from/emailAddress/address eq '" + strings.ToUpper(s.scene.PhishSender) + "'", 1},
		{"by time, sender and subject", window + " and from/emailAddress/address eq '" + s.scene.PhishSender + "' and subject eq '" + s.scene.PhishSubject + "'", 1},
		{"by sender alone", "from/emailAddress/address eq '" + s.scene.PhishSender + "'", 2},
		{"doubled quotes", "subject eq 'It''s (not) ''spam'', really'", 1},
		{"other window", "receivedDateTime lt 2020-01-01T00:00:00Z", 0},
		{"or with parentheses", "(subject eq 'nothing' or startswith(subject,'Invoice')) and isRead eq false", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.want(200, "", "GET", s.user(s.scene.Sam)+"/messages?"+q(c.filter)+"&$select=id", "").value(); len(got) != c.want {
				t.Errorf("%d messages, want %d", len(got), c.want)
			}
		})
	}
}

func TestMessageTraces(t *testing.T) {
	s := newStage(t)
	at := s.scene.PhishAt
	filter := fmt.Sprintf("senderAddress eq '%s' and receivedDateTime ge %s and receivedDateTime le %s", s.scene.PhishSender, at.Add(-time.Minute).Format(time.RFC3339), at.Add(time.Minute).Format(time.RFC3339))
	var who []string
	for _, row := range s.want(200, "", "GET", "/admin/exchange/tracing/messageTraces?$top=5000&"+q(filter), "").value() {
		who = append(who, row["recipientAddress"].(string))
	}
	if want := []string{"robin@contoso.example", "sam@contoso.example", "info@contoso.example", "hal@contoso.example"}; !cmp.Equal(who, want) {
		t.Errorf("recipients %v, want %v", who, want)
	}
	window := fmt.Sprintf(" and receivedDateTime ge %s and receivedDateTime le %s", at.AddDate(0, 0, -4).Format(time.RFC3339), at.Add(time.Minute).Format(time.RFC3339))
	for filter, want := range map[string]int{
		"messageId eq '" + strings.ToUpper(s.scene.PhishID) + "'":                                      4,
		"senderAddress eq '" + s.scene.PhishSender + "'":                                               8, // and the minutes of Monday
		"senderAddress eq '" + s.scene.PhishSender + "' and messageId eq '" + s.scene.PhishID + "'":    4,
		"senderAddress eq 'kim@else.example' and messageId eq '" + s.scene.PhishID + "'":               0,
		"recipientAddress eq 'sam@contoso.example' and senderAddress eq '" + s.scene.PhishSender + "'": 2,
	} {
		if got := s.want(200, "", "GET", "/admin/exchange/tracing/messageTraces?"+q(filter+window), "").value(); len(got) != want {
			t.Errorf("%s: %d rows, want %d", filter, len(got), want)
		}
	}
	long := "receivedDateTime ge 2026-01-01T00:00:00Z and receivedDateTime le 2026-01-31T00:00:00Z"
	s.want(400, "BadRequest", "GET", "/admin/exchange/tracing/messageTraces?"+q(long), "")
	s.want(400, "Request_UnsupportedQuery", "GET", "/admin/exchange/tracing/messageTraces?"+q("senderAddress eq 'a' or senderAddress eq 'b'"), "")

	bare := s.world.AddTenant(tenant.Tenant{Name: "Bare", NoMessageTrace: true})
	bare.ConsentAll(hubID)
	s.scene.Tenant = bare
	s.newToken()
	if a := s.do("GET", "/admin/exchange/tracing/messageTraces", ""); a.status != 401 {
		t.Errorf("without Microsoft's trace app: %d", a.status)
	}
}

func TestServicePrincipalsByFilterAndAppID(t *testing.T) {
	s := newStage(t)
	byFilter := s.want(200, "", "GET", "/servicePrincipals?"+q("appId eq '"+s.scene.EvilSP.AppID+"'"), "").value()
	byKey := s.want(200, "", "GET", "/servicePrincipals(appId='"+s.scene.EvilSP.AppID+"')", "").body
	if len(byFilter) != 1 || byFilter[0]["id"] != s.scene.EvilSP.ID || byKey["id"] != s.scene.EvilSP.ID {
		t.Errorf("by filter %v, by key %v", byFilter, byKey["id"])
	}
	s.want(404, "Request_ResourceNotFound", "GET", "/servicePrincipals/"+s.scene.EvilSP.AppID, "") // an app id is no object id
	s.want(404, "Request_ResourceNotFound", "PATCH", "/applications(appId='"+s.scene.EvilSP.AppID+"')", `{"isDisabled":true}`)
	graph := s.want(200, "", "GET", "/servicePrincipals(appId='"+tenant.GraphAppID+"')?$select=appOwnerOrganizationId", "").body
	if graph["appOwnerOrganizationId"] != tenant.MicrosoftOrg {
		t.Errorf("Microsoft's own: %v", graph)
	}
}

func TestCastsAndOddNames(t *testing.T) {
	s := newStage(t)
	for _, cast := range []string{"graph.directoryRole", "microsoft.graph.directoryRole"} {
		roles := s.want(200, "", "GET", s.user(s.scene.Admin)+"/transitiveMemberOf/"+cast, "").value()
		if len(roles) != 1 || roles[0]["displayName"] != tenant.GlobalAdministrator {
			t.Errorf("%s: %v", cast, roles)
		}
	}
	if a := s.want(200, "", "GET", "/users/"+url.PathEscape(s.scene.Guest.UPN)+"?$select=id", ""); a.body["id"] != s.scene.Guest.ID {
		t.Errorf("guest by principal name: %v", a.body)
	}
	devices := s.want(200, "", "GET", s.user(s.scene.Victim)+"/registeredDevices/graph.device", "").value()
	if len(devices) != 2 {
		t.Errorf("devices %v", devices)
	}
	s.want(400, "Request_BadRequest", "DELETE", s.user(s.scene.Victim)+"/authentication/phoneMethods/"+s.scene.Victim.Methods[1].ID, "")
	s.want(204, "", "DELETE", s.user(s.scene.Victim)+"/authentication/microsoftAuthenticatorMethods/"+s.scene.EvilMethod, "")
}

func TestBatch(t *testing.T) {
	s := newStage(t)
	s.log.AddFault(wire.Fault{Vendor: "graph", Match: s.scene.Shared.ID + "/messages", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "7"}, Answer: `{"error":{"code":"ApplicationThrottled","message":"x"}}`})
	filter := url.QueryEscape("internetMessageId eq '" + s.scene.PhishID + "'")
	var requests []map[string]any
	for i, u := range []*tenant.User{s.scene.Sam, s.scene.Shared, s.scene.Guest} {
		requests = append(requests, map[string]any{
			"id": fmt.Sprint(i), "method": "GET", "url": "/users/" + u.ID + "/messages?%24filter=" + filter + "&%24select=id",
			"body": nil, "dependsOn": []string{}, "headers": map[string]string{"Prefer": `IdType="ImmutableId"`},
		})
	}
	requests = append(requests, map[string]any{
		"id": "lock", "method": "PATCH", "url": "users/" + s.scene.Victim.ID, "body": map[string]any{"accountEnabled": false},
		"headers": map[string]string{"Content-Type": "application/json"},
	})
	body, _ := json.Marshal(map[string]any{"requests": requests})
	a := s.want(200, "", "POST", "/$batch", string(body))
	got, retryAfter := map[string]int{}, ""
	for _, x := range a.body["responses"].([]any) {
		r := x.(map[string]any)
		got[r["id"].(string)] = int(r["status"].(float64))
		if h := r["headers"].(map[string]any); h["Retry-After"] != nil {
			retryAfter = h["Retry-After"].(string)
		}
	}
	if want := map[string]int{"0": 200, "1": 429, "2": 404, "lock": 204}; !cmp.Equal(got, want) || retryAfter != "7" {
		t.Errorf("statuses %v, want %v; Retry-After %q", got, want, retryAfter)
	}
	if s.scene.Victim.Enabled() {
		t.Error("the PATCH inside the batch had no effect")
	}

	chain := `{"requests":[{"id":"a","method":"GET","url":"/users/none"},{"id":"b","method":"PATCH","url":"/users/` + s.scene.Sam.ID + `","body":{"accountEnabled":false},"headers":{"Content-Type":"application/json"},"dependsOn":["a"]}]}`
	a = s.want(200, "", "POST", "/$batch", chain)
	for _, x := range a.body["responses"].([]any) {
		if r := x.(map[string]any); r["id"] == "b" && r["status"] != 424.0 {
			t.Errorf("a request after a failed one: %v", r)
		}
	}
	var many []map[string]any
	for i := range 21 {
		many = append(many, map[string]any{"id": fmt.Sprint(i), "method": "GET", "url": "/organization"})
	}
	body, _ = json.Marshal(map[string]any{"requests": many})
	s.want(400, "BadRequest", "POST", "/$batch", string(body))
}

func TestLostAnswerAfterTheEffect(t *testing.T) {
	s := newStage(t)
	id := s.scene.Sam.Messages("inbox")[0].ImmutableID
	s.log.AddFault(wire.Fault{Match: "/move", Times: 1, Status: 504, After: true})
	if a := s.do("POST", s.user(s.scene.Sam)+"/messages/"+id+"/move", `{"destinationId":"deleteditems"}`); a.status != 504 || a.body != nil {
		t.Errorf("%d %v", a.status, a.body)
	}
	if got := s.effects(); got != "move" {
		t.Errorf("effects %q, want the move", got)
	}
}
