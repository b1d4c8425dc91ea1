package graph

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"responsehub"
)

// entry is one of the audit log, as Entra writes it: values are JSON inside of JSON.
func entry(by, owner, what, app string) string {
	return fmt.Sprintf(`{"activityDateTime":%q,"result":"success","initiatedBy":%s,"targetResources":[
		{"id":"o-%s","type":"User","userPrincipalName":%q,"modifiedProperties":[
			{"displayName":"%[5]s.ObjectID","newValue":"\"%[6]s\""},{"displayName":"%[5]s.DisplayName","newValue":"\"App %[6]s\""}]},
		{"id":%[6]q,"type":%[5]q,"modifiedProperties":[]}]}`, during, by, owner, owner, what, app)
}

func user(id, upn string) string {
	return fmt.Sprintf(`{"user":{"id":%q,"userPrincipalName":%q},"app":null}`, id, upn)
}

// TestScanAudits: an owner whom the account added, and the account added by another, are
// found with time and name; what others did among themselves, what failed and what the
// hub itself put back is not.
func TestScanAudits(t *testing.T) {
	var asked []string
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		filter := r.URL.Query().Get("$filter")
		switch {
		case strings.Contains(filter, "credentials'"), strings.Contains(filter, "'Update application'"):
			say(w, 200, `{"value":[]}`)
		case strings.HasPrefix(r.URL.Path, "/v1.0/servicePrincipals/"):
			id := clientID
			if strings.HasSuffix(r.URL.Path, "sp-other") {
				id = "77777777-7777-4777-8777-777777777777"
			}
			say(w, 200, `{"id":"x","appId":"`+id+`"}`)
		case strings.Contains(filter, "'Add owner to application'"):
			asked = append(asked, filter)
			say(w, 200, `{"value":[`+strings.Join([]string{
				entry(user(userID, "pat@contoso.com"), "friend@evil.test", "Application", "by-the-account"),
				entry(user("admin", "root@contoso.com"), "PAT@contoso.com", "Application", "the-account"),
				entry(user("admin", "root@contoso.com"), "ann@contoso.com", "Application", "of-others"),
				entry(`{"app":{"appId":null,"displayName":"Hub","servicePrincipalId":"sp-own"}}`, "pat@contoso.com", "Application", "put-back"),
				entry(`{"app":{"appId":null,"displayName":"Other","servicePrincipalId":"sp-other"}}`, "pat@contoso.com", "Application", "by-an-app"),
				strings.Replace(entry(user(userID, ""), "x@evil.test", "Application", "failed"), "success", "failure", 1),
				`{"activityDateTime":"` + during + `","initiatedBy":null,"targetResources":null}`,
			}, ",")+`]}`)
		default:
			asked = append(asked, filter)
			say(w, 200, `{"value":[`+entry(user(userID, "pat@contoso.com"), "pat@contoso.com", "ServicePrincipal", "enterprise")+`]}`)
		}
	})
	items, err := c.scanAudits(t.Context(), pat, since)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ id, by, owner string }{
		{"app_registration by-the-account", "pat@contoso.com", "friend@evil.test"},
		{"app_registration the-account", "root@contoso.com", "PAT@contoso.com"},
		{"app_registration by-an-app", "Other", "pat@contoso.com"},
		{"service_principal enterprise", "pat@contoso.com", "pat@contoso.com"},
	}
	if len(items) != len(want) {
		t.Fatalf("%d items: %+v", len(items), items)
	}
	for i, it := range items {
		why := want[i].owner + " was added as an owner of the app on 2026-11-23 09:10:00 UTC, by " + want[i].by
		if string(it.Kind)+" "+it.Object != want[i].id || it.MadeBy != want[i].by || !strings.HasPrefix(it.Why, why) || it.Name != "App "+it.Object || it.MadeAt.IsZero() {
			t.Errorf("%+v, want %s", it, why)
		}
	}
	if len(asked) != 2 || !strings.HasPrefix(asked[0], "activityDateTime ge "+stamp(since)+" and activityDisplayName eq ") {
		t.Errorf("asked for %q", asked)
	}
}

// TestScanAuditsUnread: a log that cannot be read is not an empty one, and the sentence
// names what is missing.
func TestScanAuditsUnread(t *testing.T) {
	for _, tc := range []struct {
		name, body, says string
		status           int
		kind             responsehub.Kind
	}{
		{"right", complain("Authorization_RequestDenied", "x"), "AuditLog.Read.All", 403, responsehub.Forbidden},
		{"licence", complain("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license"), "Entra ID P1", 403, responsehub.Permanent},
		{"not there", complain("BadRequest", "Resource not found"), "report it", 404, responsehub.Permanent},
		{"senseless", `[]`, "", 200, responsehub.Unavailable},
	} {
		c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) { say(w, tc.status, tc.body) }, "User.Read.All")
		items, err := c.scanAudits(t.Context(), pat, since)
		if len(items) > 0 || responsehub.KindOf(err) != tc.kind || !strings.Contains(responsehub.Sentence(err), tc.says) {
			t.Errorf("%s: %s: %v", tc.name, responsehub.KindOf(err), err)
		}
	}
}
