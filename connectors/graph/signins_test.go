package graph

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// TestSignIns: what Microsoft let through comes back with its time and place; what it
// refused does not, whatever the filter did.
func TestSignIns(t *testing.T) {
	var asked string
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query().Get("$filter")
		say(w, 200, `{"value":[
			{"createdDateTime":"`+during+`","appDisplayName":"Outlook","ipAddress":"203.0.113.9","status":{"errorCode":0}},
			{"createdDateTime":"`+during+`","appDisplayName":"Outlook","ipAddress":"203.0.113.9","status":{"errorCode":50057}},
			{"appDisplayName":"no time","status":{"errorCode":0}},
			{"createdDateTime":"`+during+`","appDisplayName":"`+strings.Repeat("x", 300)+`","ipAddress":null,"status":{"errorCode":0}}]}`)
	})
	ins, err := c.SignIns(t.Context(), pat.Tenant, userID, since)
	if err != nil || len(ins) != 2 {
		t.Fatalf("%v, %v", ins, err)
	}
	at, _ := time.Parse(time.RFC3339, during)
	if want := (responsehub.Session{At: at.UTC(), App: "Outlook", IP: "203.0.113.9"}); ins[0] != want {
		t.Errorf("%+v", ins[0])
	}
	if n := len([]rune(ins[1].App)); n > 81 {
		t.Errorf("a name of %d characters", n)
	}
	if want := "userId eq '" + userID + "' and createdDateTime ge " + stamp(since) + " and status/errorCode eq 0"; asked != want {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// TestSignInsUnread: a log that cannot be read is an error that names what is missing.
func TestSignInsUnread(t *testing.T) {
	for _, tc := range []struct {
		name, body, says string
		status           int
		kind             responsehub.Kind
	}{
		{"right", complain("Authorization_RequestDenied", "x"), "AuditLog.Read.All", 403, responsehub.Forbidden},
		{"licence", complain("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license"), "Entra ID P1", 403, responsehub.Permanent},
		{"not there", complain("BadRequest", "Resource not found"), "report it", 404, responsehub.Permanent},
	} {
		c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) { say(w, tc.status, tc.body) }, "User.Read.All")
		ins, err := c.SignIns(t.Context(), pat.Tenant, userID, since)
		if len(ins) > 0 || responsehub.KindOf(err) != tc.kind || !strings.Contains(responsehub.Sentence(err), tc.says) {
			t.Errorf("%s: %s: %v", tc.name, responsehub.KindOf(err), err)
		}
	}
}
