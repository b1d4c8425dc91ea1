package graph

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"responsehub"
)

// keyed is an entry of the audit log about the credentials of an app.
func keyed(by, what, app, old, new string) string {
	return fmt.Sprintf(`{"activityDateTime":%q,"result":"success","initiatedBy":%s,"targetResources":[{"id":%q,"type":%q,"displayName":"App %s",
		"modifiedProperties":[{"displayName":"KeyDescription","oldValue":%q,"newValue":%q}]}]}`, during, by, app, what, app, old, new)
}

// TestScanSecrets: what the account added a secret or a certificate to is found, whoever
// owns it; what others did, what was taken away and what was changed otherwise is not.
func TestScanSecrets(t *testing.T) {
	const one, two = `["[KeyIdentifier=1]"]`, `["[KeyIdentifier=1]","[KeyIdentifier=2]"]`
	pats, roots := user(userID, "pat@contoso.com"), user("admin", "root@contoso.com")
	var asked []string
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		filter := r.URL.Query().Get("$filter")
		asked = append(asked, filter)
		if strings.Contains(filter, "'Add service principal credentials'") {
			say(w, 200, `{"value":[`+keyed(pats, "ServicePrincipal", "enterprise", "", one)+`]}`)
			return
		}
		say(w, 200, `{"value":[`+strings.Join([]string{
			keyed(pats, "Application", "first", "[]", one), keyed(pats, "Application", "second", one, two), keyed(pats, "Application", "replaced", one, `["[KeyIdentifier=3]"]`),
			keyed(pats, "Application", "taken-away", two, one), keyed(pats, "Application", "renamed", one, one), keyed(roots, "Application", "of-others", "[]", one),
			strings.Replace(keyed(pats, "Application", "failed", "[]", one), "success", "failure", 1),
			keyed(`{"app":{"displayName":"Other"}}`, "Application", "by-an-app", "[]", one), keyed(pats, "Application", "no-list", "x", "y"),
			`{"activityDateTime":"` + during + `","initiatedBy":null,"targetResources":null}`,
		}, ",")+`]}`)
	})
	items, err := c.scanSecrets(t.Context(), pat, since)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		got = append(got, string(it.Kind)+" "+it.Object)
		if it.Name != "App "+it.Object || it.MadeBy != pat.UPN || !strings.HasPrefix(it.Why, "A secret or certificate was added to the app on 2026-11-23 09:10:00 UTC, by "+pat.UPN) {
			t.Errorf("%+v", it)
		}
	}
	if want := "app_registration first,app_registration second,app_registration replaced,app_registration no-list,service_principal enterprise"; strings.Join(got, ",") != want {
		t.Errorf("found %s, want %s", strings.Join(got, ","), want)
	}
	if len(asked) != 2 || asked[0] != "activityDateTime ge "+stamp(since)+" and startswith(activityDisplayName,'Update application')" {
		t.Errorf("asked for %q", asked)
	}
}

// TestScanSecretsUnread: an unread log is not an empty one.
func TestScanSecretsUnread(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		say(w, 403, complain("Authorization_RequestDenied", "x"))
	}, "User.Read.All")
	if items, err := c.scanSecrets(t.Context(), pat, since); len(items) > 0 || responsehub.KindOf(err) != responsehub.Forbidden || !strings.Contains(responsehub.Sentence(err), "AuditLog.Read.All") {
		t.Errorf("%v, %v", items, err)
	}
}
