package graph_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub/sim/tenant"
)

func TestPermissionsPerCall(t *testing.T) {
	cases := []struct {
		role, method, path, body, code string
	}{
		{"User.EnableDisableAccount.All", "PATCH", "/users/{pat}", `{"accountEnabled":false}`, "Authorization_RequestDenied"},
		{"User-PasswordProfile.ReadWrite.All", "PATCH", "/users/{pat}", `{"passwordProfile":{"password":"Wq7-mK2_pT9!xR4="}}`, "Authorization_RequestDenied"},
		{"User.RevokeSessions.All", "POST", "/users/{pat}/revokeSignInSessions", "", "Authorization_RequestDenied"},
		{"Mail.ReadWrite", "GET", "/users/{pat}/messages", "", "ErrorAccessDenied"},
		{"MailboxSettings.ReadWrite", "GET", "/users/{pat}/mailFolders/inbox/messageRules", "", "ErrorAccessDenied"},
		{"Application.ReadWrite.All", "PATCH", "/servicePrincipals/{sp}", `{"accountEnabled":false}`, "Authorization_RequestDenied"},
		{"DelegatedPermissionGrant.ReadWrite.All", "DELETE", "/oauth2PermissionGrants/{grant}", "", "Authorization_RequestDenied"},
		{"UserAuthenticationMethod.ReadWrite.All", "GET", "/users/{pat}/authentication/methods", "", "accessDenied"},
		{"ExchangeMessageTrace.Read.All", "GET", "/admin/exchange/tracing/messageTraces", "", "Authorization_RequestDenied"},
		{"Device.ReadWrite.All", "PATCH", "/devices/{device}", `{"accountEnabled":false}`, "Authorization_RequestDenied"},
	}
	for _, c := range cases {
		t.Run(c.role, func(t *testing.T) {
			s := newStage(t)
			path := strings.NewReplacer("{pat}", s.scene.Victim.ID, "{sp}", s.scene.EvilSP.ID, "{grant}", s.scene.EvilGrant.ID, "{device}", s.scene.EvilDevice.ID).Replace(c.path)
			s.scene.Tenant.RemoveRole(hubID, c.role)
			live := s.token
			s.newToken()
			s.want(http.StatusForbidden, c.code, c.method, path, c.body)
			if got := s.effects(); got != "" {
				t.Errorf("a refused call had effects: %s", got)
			}
			s.token = live // an older token still carries the permission
			if a := s.do(c.method, path, c.body); a.status >= 300 {
				t.Errorf("with the permission: %d %v", a.status, a.body)
			}
		})
	}
}

func TestTokenRefusals(t *testing.T) {
	s := newStage(t)
	good := s.token
	s.token = ""
	a := s.want(http.StatusUnauthorized, "InvalidAuthenticationToken", "GET", "/organization", "")
	inner, _ := a.body["error"].(map[string]any)["innerError"].(map[string]any)
	if inner["request-id"] == "" || inner["request-id"] != a.header.Get("Request-Id") || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("%v %v", a.body, a.header)
	}
	s.login.SetTokenLife(-time.Minute)
	s.newToken()
	s.want(http.StatusUnauthorized, "InvalidAuthenticationToken", "GET", "/organization", "")
	s.token = good
	s.want(http.StatusOK, "", "GET", "/organization", "")
	s.scene.Tenant.WithdrawConsent(hubID)
	s.want(http.StatusUnauthorized, "Authorization_IdentityNotFound", "GET", "/organization", "")
}

func TestProtectedUsers(t *testing.T) {
	s := newStage(t)
	lock, reset := `{"accountEnabled":false}`, `{"passwordProfile":{"password":"Wq7-mK2_pT9!xR4=","forceChangePasswordNextSignIn":true}}`
	restricted := s.scene.Tenant.AddUser(tenant.Person{UPN: "vip@contoso.example", Restricted: true})

	s.want(204, "", "PATCH", s.user(s.scene.Admin), lock) // our service principal is Privileged Authentication Administrator
	s.scene.Tenant.RemoveRole(hubID, tenant.PrivilegedAuthAdmin)
	s.newToken()
	s.want(403, "Authorization_RequestDenied", "PATCH", s.user(s.scene.Admin), `{"accountEnabled":true}`)
	s.want(403, "Authorization_RequestDenied", "PATCH", s.user(restricted), lock)
	a := s.want(400, "Request_BadRequest", "PATCH", s.user(s.scene.Hybrid), reset)
	if msg := a.body["error"].(map[string]any)["message"].(string); !strings.Contains(msg, "on-premises mastered") {
		t.Errorf("hybrid password: %s", msg)
	}
	s.want(400, "Request_BadRequest", "PATCH", s.user(s.scene.Guest), reset)
	s.want(400, "Request_BadRequest", "PATCH", s.user(s.scene.Victim), `{"passwordProfile":{"password":"simple"}}`)
	s.want(400, "Request_BadRequest", "PATCH", s.user(s.scene.Victim), `{"jobTitle":"x"}`)
	s.want(403, "accessDenied", "POST", s.user(s.scene.Hybrid)+"/authentication/methods/28c10230-6103-485e-b985-444c60001490/resetPassword", `{"newPassword":"x"}`)
	s.want(204, "", "PATCH", s.user(s.scene.Hybrid), lock) // accepted, until the directory syncs
	s.scene.Tenant.SyncDirectory()
	if !s.scene.Hybrid.Enabled() {
		t.Error("the sync should have turned the account on again")
	}
}

func TestMailboxRefusals(t *testing.T) {
	s := newStage(t)
	for u, want := range map[*tenant.User]string{
		s.scene.Guest: "MailboxNotEnabledForRESTAPI", s.scene.NoMailbox: "MailboxNotEnabledForRESTAPI",
		s.scene.Tenant.AddUser(tenant.Person{UPN: "old@contoso.example", OnPremMail: true}): "MailboxNotEnabledForRESTAPI",
	} {
		s.want(404, want, "GET", s.user(u)+"/messages", "")
	}
	s.want(404, "ErrorInvalidUser", "GET", "/users/nobody@contoso.example/messages", "")
	out := s.scene.Tenant.AddUser(tenant.Person{UPN: "board@contoso.example", Excluded: true})
	s.want(403, "ErrorAccessDenied", "GET", s.user(out)+"/messages", "")
	s.want(400, "ErrorInvalidIdMalformed", "GET", s.user(s.scene.Sam)+"/messages/x", "")
	s.want(404, "ErrorItemNotFound", "GET", s.user(s.scene.Sam)+"/messages/AAMkADxxxxxxxxxxxxxxxxxxxx", "")
	s.want(404, "ErrorFolderNotFound", "POST", s.user(s.scene.Sam)+"/messages/"+s.scene.Sam.Messages("inbox")[0].ID+"/move", `{"destinationId":"nowhere"}`)
	s.scene.Sam.AddRule(tenant.Rule{Name: "locked", ReadOnly: true})
	id := url.PathEscape(s.scene.Sam.Rules()[0].ID)
	s.want(403, "ErrorAccessDenied", "PATCH", s.user(s.scene.Sam)+"/mailFolders/inbox/messageRules/"+id, `{"isEnabled":false}`)
}

func TestMoveIsNotIdempotent(t *testing.T) {
	s := newStage(t)
	messages := s.user(s.scene.Sam) + "/messages/"
	list := s.user(s.scene.Sam) + "/messages?" + q("internetMessageId eq '"+s.scene.PhishID+"'")
	old := s.do("GET", list, "").value()[0]["id"].(string)
	a := s.want(201, "", "POST", messages+old+"/move", `{"destinationId":"deleteditems"}`)
	if a.body["id"] == old {
		t.Error("the id did not change with the move")
	}
	s.want(404, "ErrorItemNotFound", "POST", messages+old+"/move", `{"destinationId":"deleteditems"}`)
	s.want(200, "", "GET", messages+a.body["id"].(string), "")
	s.head.Set("Prefer", `outlook.timezone="UTC", IdType="ImmutableId"`)
	kept := s.do("GET", list, "").value()[0]["id"].(string)
	b := s.want(201, "", "POST", messages+kept+"/move", `{"destinationId":"inbox"}`)
	if b.body["id"] != kept {
		t.Error("the immutable id changed")
	}
}

func TestFourInFlightPerMailbox(t *testing.T) {
	s := newStage(t)
	s.graph.SetLatency("/messages", 300*time.Millisecond)
	ask := func(n int, u *tenant.User) (throttled int) {
		var wg sync.WaitGroup
		answers := make([]answer, n)
		for i := range answers {
			wg.Go(func() { answers[i] = s.do("GET", s.user(u)+"/messages", "") })
		}
		wg.Wait()
		for _, a := range answers {
			if a.status == http.StatusTooManyRequests && a.code() == "ApplicationThrottled" && a.header.Get("Retry-After") != "" {
				throttled++
			}
		}
		return throttled
	}
	if got := ask(4, s.scene.Sam); got != 0 {
		t.Errorf("4 at once: %d throttled", got)
	}
	if got := ask(6, s.scene.Sam); got == 0 {
		t.Error("6 at once: none throttled")
	}
}

func TestGzip(t *testing.T) {
	s := newStage(t)
	s.head.Set("Content-Encoding", "gzip")
	s.want(400, "BadRequest", "PATCH", s.user(s.scene.Victim), `{"accountEnabled":false}`)
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	_, _ = zw.Write([]byte(`{"accountEnabled":false}`))
	_ = zw.Close()
	s.want(204, "", "PATCH", s.user(s.scene.Victim), zipped.String())
	rs := s.log.Requests()
	if last := rs[len(rs)-1]; last.Body != `{"accountEnabled":false}` {
		t.Errorf("the ledger shows %q", last.Body)
	}
}

func TestLagShowsTheOldValue(t *testing.T) {
	s := newStage(t)
	s.world.SetLag(time.Minute)
	s.want(204, "", "PATCH", s.user(s.scene.Victim), `{"accountEnabled":false}`)
	if a := s.do("GET", s.user(s.scene.Victim)+"?$select=accountEnabled", ""); a.body["accountEnabled"] != true {
		t.Errorf("within the lag: %v", a.body)
	}
	if s.scene.Victim.Enabled() {
		t.Error("the account is still on")
	}
}

func TestUnknownThingsAreRefusedAndRecorded(t *testing.T) {
	s := newStage(t)
	s.want(404, "BadRequest", "GET", "/teams", "")
	s.want(400, "Request_UnsupportedQuery", "GET", "/users?"+q("city eq 'Rome'"), "")
	s.want(400, "ErrorInvalidUrlQueryFilter", "GET", s.user(s.scene.Sam)+"/messages?"+q("internetMessageId startswith 'x'"), "")
	s.want(400, "BadRequest", "GET", s.user(s.scene.Sam)+"?$select=shoeSize", "")
	s.want(400, "BadRequest", "GET", "/users?$expand=manager", "")
	s.want(400, "Request_BadRequest", "PATCH", "/applications/"+s.scene.EvilApp.ID, `{"isDisabld":true}`)
	if got := s.log.UnexpectedAll(); len(got) != 6 {
		t.Errorf("unexpected %q, want six", got)
	}
	// Outlook's own refusal is no surprise.
	s.want(400, "InefficientFilter", "GET", s.user(s.scene.Sam)+"/messages?$orderby=receivedDateTime&"+q("subject eq 'x'"), "")
	if got := s.log.UnexpectedAll(); len(got) != 6 {
		t.Errorf("unexpected %q, want six", got)
	}
}
