package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/connectortest"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// TestWire pins what the calls look like to Graph.
func TestWire(t *testing.T) {
	target := steps.Target{Tenant: tenantID, User: userID, UPN: "pat@contoso.com"}
	for _, tc := range []struct {
		name           string
		call           func(ctx context.Context, c *Client) error
		status         int
		answer         string
		method, path   string
		query          url.Values
		body           string
		immutable      bool
		withoutRequest bool
	}{
		{name: "disable", status: 204, method: "PATCH", path: "/users/" + userID, body: `{"@odata.type":"#microsoft.graph.user","accountEnabled":false}`,
			call: func(ctx context.Context, c *Client) error {
				_, err := c.SetEnabled(ctx, tenantID, userID, false)
				return err
			}},
		{name: "revoke, documented answer", status: 200, answer: `{"@odata.context":"x","value":true}`, method: "POST", path: "/users/" + userID + "/revokeSignInSessions",
			call: func(ctx context.Context, c *Client) error {
				_, err := c.RevokeSessions(ctx, tenantID, userID)
				return err
			}},
		{name: "revoke, 204", status: 204, method: "POST", path: "/users/" + userID + "/revokeSignInSessions",
			call: func(ctx context.Context, c *Client) error {
				_, err := c.RevokeSessions(ctx, tenantID, userID)
				return err
			}},
		{name: "password", status: 204, method: "PATCH", path: "/users/" + userID,
			body: `{"@odata.type":"#microsoft.graph.user","passwordProfile":{"forceChangePasswordNextSignIn":true,"password":"` + password + `"}}`,
			call: func(ctx context.Context, c *Client) error {
				_, err := c.SetPassword(ctx, tenantID, userID, password)
				return err
			}},
		{name: "move", status: 201, answer: `{"id":"M","parentFolderId":"F"}`, method: "POST", path: "/users/U/messages/M=1/move", body: `{"DestinationId":"deleteditems"}`, immutable: true,
			call: func(ctx context.Context, c *Client) error {
				_, err := c.Move(ctx, tenantID, "U", "M=1", "deleteditems")
				return err
			}},
		{name: "trash", status: 200, answer: `{"id":"T"}`, method: "GET", path: "/users/U/mailFolders/deleteditems", query: url.Values{"$select": {"id"}}, immutable: true,
			call: func(ctx context.Context, c *Client) error {
				id, err := c.Trash(ctx, tenantID, "U")
				if id != "T" {
					return errors.New("trash is " + id)
				}
				return err
			}},
		{name: "folder", status: 200, answer: `{"id":"M","parentFolderId":"F"}`, method: "GET", path: "/users/U/messages/M", query: url.Values{"$select": {"id,parentFolderId"}}, immutable: true,
			call: func(ctx context.Context, c *Client) error {
				f, id, err := c.Folder(ctx, tenantID, "U", "M")
				if f != "F" || id != "req-1" {
					return errors.New("folder is " + f + " by " + id)
				}
				return err
			}},
		{name: "find by message id", status: 200, answer: `{"value":[]}`, method: "GET", path: "/users/U/messages", immutable: true,
			query: url.Values{"$filter": {"internetMessageId eq '<a+b''c@x.y>'"}, "$select": {strings.Join(letterFields, ",")}, "$top": {"50"}},
			call: func(ctx context.Context, c *Client) error {
				_, err := c.Find(ctx, tenantID, "U", responsehub.Phish{InternetMessageID: "a+b'c@x.y"})
				return err
			}},
		{name: "find by sender and subject", status: 200, answer: `{"value":[]}`, method: "GET", path: "/users/U/messages", immutable: true,
			query: url.Values{"$filter": {"receivedDateTime ge 2026-11-23T09:00:00Z and receivedDateTime le 2026-11-23T10:00:00Z and from/emailAddress/address eq 'o''brien@x.y' and subject eq 'It''s 100% & free?'"},
				"$select": {strings.Join(letterFields, ",")}, "$top": {"50"}},
			call: func(ctx context.Context, c *Client) error {
				_, err := c.Find(ctx, tenantID, "U", responsehub.Phish{Sender: "o'brien@x.y", Subject: "It's 100% & free?",
					ReceivedAfter: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), ReceivedBefore: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)})
				return err
			}},
		{name: "disable a rule", status: 200, answer: `{"id":"R"}`, method: "PATCH", path: "/users/" + userID + "/mailFolders/inbox/messageRules/R=", body: `{"isEnabled":false}`,
			call: func(ctx context.Context, c *Client) error {
				_, err := c.Rules().Neutralise(ctx, target, &responsehub.Item{Object: "R="}, responsehub.Disable)
				return err
			}},
		{name: "delete a rule that is gone", status: 404, answer: complain("ErrorItemNotFound", "x"), method: "DELETE", path: "/users/" + userID + "/mailFolders/inbox/messageRules/R",
			call: func(ctx context.Context, c *Client) error {
				_, err := c.Rules().Neutralise(ctx, target, &responsehub.Item{Object: "R"}, responsehub.Delete)
				return err
			}},
		{name: "delete a consent", status: 204, method: "DELETE", path: "/oauth2PermissionGrants/G",
			call: func(ctx context.Context, c *Client) error {
				_, err := c.Grants().Neutralise(ctx, target, &responsehub.Item{Object: "G"}, "")
				return err
			}},
		{name: "account of a guest by principal name", status: 200, answer: `{"id":"x"}`, method: "GET", path: "/users/pat_x.y#EXT#@contoso.com", query: url.Values{"$select": {strings.Join(accountFields, ",")}},
			call: func(ctx context.Context, c *Client) error {
				_, err := c.Account(ctx, tenantID, "pat_x.y#EXT#@contoso.com")
				return err
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { say(rw, tc.status, tc.answer) })
			if err := tc.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if len(w.requests()) != 1 {
				t.Fatalf("%d requests, want one: %+v", len(w.requests()), w.requests())
			}
			got := w.requests()[0]
			if got.Method != tc.method || got.Path != tc.path {
				t.Errorf("%s %s, want %s %s", got.Method, got.Path, tc.method, tc.path)
			}
			query, _ := url.ParseQuery(got.Query)
			if len(query) == 0 {
				query = nil
			}
			if diff := cmp.Diff(tc.query, query); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(decoded(tc.body), decoded(got.Body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if int64(len(got.Body)) != got.Length {
				t.Errorf("length %d of a body of %d", got.Length, len(got.Body))
			}
			if tc.body != "" && got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("content type %q", got.Header.Get("Content-Type"))
			}
			if enc := got.Header.Get("Content-Encoding"); enc != "" {
				t.Errorf("content encoding %q: compressed bodies come out wrong on a second try", enc)
			}
			if got.Header.Get("Authorization") != "Bearer opaque-1" {
				t.Errorf("authorization %q", got.Header.Get("Authorization"))
			}
			if prefer := got.Header.Get("Prefer"); tc.immutable != (prefer == `IdType="ImmutableId"`) {
				t.Errorf("prefer %q, want immutable ids: %t", prefer, tc.immutable)
			}
		})
	}
}

func decoded(s string) (v any) {
	_ = json.Unmarshal([]byte(s), &v)
	return v
}

func TestAccount(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		say(w, 200, `{"id":"`+userID+`","userPrincipalName":"pat@contoso.com","displayName":"Pat","mail":"pat@contoso.com","accountEnabled":false,"onPremisesSyncEnabled":true,"userType":"Member","isManagementRestricted":true,"signInSessionsValidFromDateTime":"2026-11-23T09:00:00Z","lastPasswordChangeDateTime":null}`)
	})
	got, err := c.Account(t.Context(), tenantID, userID)
	if err != nil {
		t.Fatal(err)
	}
	want := steps.Account{ObjectID: userID, UPN: "pat@contoso.com", DisplayName: "Pat", Mail: "pat@contoso.com", Synced: true, Restricted: true,
		SessionsValidFrom: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), RequestID: "req-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFailures is the table of what Graph says in the field.
func TestFailures(t *testing.T) {
	type body struct {
		status      int
		contentType string
		text        string
	}
	jsonBody := func(status int, code, message string) body {
		return body{status, "application/json", complain(code, message)}
	}
	disable := func(ctx context.Context, c *Client) error {
		_, err := c.SetEnabled(ctx, tenantID, userID, false)
		return err
	}
	read := func(ctx context.Context, c *Client) error { _, err := c.Account(ctx, tenantID, userID); return err }
	reset := func(ctx context.Context, c *Client) error {
		_, err := c.SetPassword(ctx, tenantID, userID, password)
		return err
	}
	move := func(ctx context.Context, c *Client) error {
		_, err := c.Move(ctx, tenantID, "U", "M", "F")
		return err
	}
	find := func(ctx context.Context, c *Client) error {
		_, err := c.Find(ctx, tenantID, "U", responsehub.Phish{InternetMessageID: "<x>"})
		return err
	}
	for _, tc := range []struct {
		name  string
		call  func(context.Context, *Client) error
		roles []string
		body  body
		class Class
		kind  responsehub.Kind
		says  string
	}{
		{"token refused", read, nil, jsonBody(401, "InvalidAuthenticationToken", "x"), Auth, responsehub.Forbidden, "sign-in"},
		{"401 without a body", read, nil, body{401, "", ""}, Auth, responsehub.Forbidden, "sign-in"},
		{"403, nobody knows why", disable, nil, jsonBody(403, "Authorization_RequestDenied", "Insufficient privileges"), Permission, responsehub.Forbidden, "User.EnableDisableAccount.All"},
		{"403, permission missing", disable, []string{"User.Read.All"}, jsonBody(403, "Authorization_RequestDenied", "x"), Missing, responsehub.Forbidden, "lacks the application permission User.EnableDisableAccount.All"},
		{"403, admin", disable, []string{"User.EnableDisableAccount.All"}, jsonBody(403, "Authorization_RequestDenied", "x"), ProtectedTarget, responsehub.Forbidden, "Privileged Authentication Administrator"},
		{"403, mailbox withheld", find, []string{"Mail.ReadWrite"}, jsonBody(403, "ErrorAccessDenied", "x"), Withheld, responsehub.Forbidden, "RBAC"},
		{"403, mail permission missing", find, []string{"User.Read.All"}, jsonBody(403, "ErrorAccessDenied", "x"), Missing, responsehub.Forbidden, "Mail.ReadWrite"},
		{"licence", read, nil, jsonBody(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "x"), Licence, responsehub.Permanent, "licence"},
		{"user gone", disable, nil, jsonBody(404, "Request_ResourceNotFound", "x"), NotFound, responsehub.NotFound, "does not exist"},
		{"404 without a body", read, nil, body{404, "", ""}, NotFound, responsehub.NotFound, "does not exist"},
		{"message gone, other case", move, nil, jsonBody(404, "itemNotFound", "x"), NotFound, responsehub.NotFound, "message is not there"},
		{"no mailbox", find, nil, jsonBody(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."), NoMailbox, responsehub.NotFound, "no mailbox in the cloud"},
		{"no user with a mailbox", find, nil, jsonBody(404, "ResourceNotFound", "x"), NoMailbox, responsehub.NotFound, "no mailbox"},
		{"on-premises", disable, nil, jsonBody(400, "Request_BadRequest", "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."), OnPremMastered, responsehub.Permanent, "on-premises Active Directory"},
		{"password policy", reset, nil, jsonBody(400, "Request_BadRequest", "The specified password does not comply with password complexity requirements. Please provide a different password."), PolicyRejected, responsehub.Invalid, "password policy"},
		{"our query is wrong", find, nil, jsonBody(400, "InefficientFilter", "x"), BadRequest, responsehub.Permanent, "fault of the hub"},
		{"400 {}", disable, nil, body{400, "application/json", "{}"}, BadRequest, responsehub.Permanent, "fault of the hub"},
		{"400 error is a text", read, nil, body{400, "application/json", `{"error":"invalid_request"}`}, BadRequest, responsehub.Permanent, "fault of the hub"},
		{"429 directory", disable, nil, jsonBody(429, "TooManyRequests", "x"), Throttled, responsehub.Throttled, "slow down"},
		{"429 by code only", find, nil, jsonBody(500, "ErrorTooManyObjectsOpened", "x"), Throttled, responsehub.Throttled, "slow down"},
		{"HTML 502 of a read", read, nil, body{502, "text/html", "<html>bad gateway</html>"}, Transient, responsehub.Unavailable, "fault at the moment"},
		{"HTML 502 of a write", disable, nil, body{502, "text/html", "<html>bad gateway</html>"}, UnknownOutcome, responsehub.UnknownOutcome, "no clear answer"},
		{"503 without a body", disable, nil, body{503, "", ""}, Transient, responsehub.Unavailable, "fault at the moment"},
		{"500 of a move", move, nil, jsonBody(500, "ErrorMoveCopyFailed", "x"), UnknownOutcome, responsehub.UnknownOutcome, "no clear answer"},
		{"504 of a move", move, nil, body{504, "", ""}, UnknownOutcome, responsehub.UnknownOutcome, "no clear answer"},
		{"conflict", disable, nil, jsonBody(409, "Directory_ConcurrencyViolation", "x"), Conflict, responsehub.Unavailable, "same time"},
		{"redirect", read, nil, body{302, "", ""}, Transient, responsehub.Unavailable, "fault"},
		{"HTML 200 of a read", read, nil, body{200, "text/html", "<html>sign in to the proxy</html>"}, Transient, responsehub.Unavailable, "fault"},
		{"HTML 200 of a move", move, nil, body{200, "text/html", "<html>"}, UnknownOutcome, responsehub.UnknownOutcome, "no clear answer"},
		{"cut-off JSON", read, nil, body{200, "application/json", `{"id":"x","accountEn`}, Transient, responsehub.Unavailable, "fault"},
		{"JSON of another shape", find, nil, body{200, "application/json", `{"value":{"a":[1]}}`}, Transient, responsehub.Unavailable, "fault"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if tc.class == ProtectedTarget && r.Method == http.MethodGet {
					say(w, 200, `{"id":"x"}`) // the look whether the unit is restricted
					return
				}
				if tc.body.contentType != "" {
					w.Header().Set("Content-Type", tc.body.contentType)
				}
				w.Header().Set("request-id", "req-9")
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(tc.body.status)
				_, _ = w.Write([]byte(tc.body.text))
			}, tc.roles...)
			err := tc.call(t.Context(), c)
			e, ok := errors.AsType[*responsehub.Error](err)
			if !ok {
				t.Fatalf("%T %v", err, err)
			}
			if ClassOf(err) != tc.class || e.Kind != tc.kind || !strings.Contains(e.Message, tc.says) {
				t.Errorf("%s %s %q, want %s %s %q", ClassOf(err), e.Kind, e.Message, tc.class, tc.kind, tc.says)
			}
			if e.RequestID != "req-9" && tc.class != ProtectedTarget || e.Kind == responsehub.Throttled && e.RetryAfter != 7*time.Second {
				t.Errorf("request id %q, pause %s", e.RequestID, e.RetryAfter)
			}
			if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "opaque-") {
				t.Errorf("a secret in %v", err)
			}
		})
	}
}

func TestRestrictedUnit(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			say(w, 200, `{"id":"x","isManagementRestricted":true}`)
			return
		}
		say(w, 403, complain("Authorization_RequestDenied", "x"))
	})
	_, err := c.SetEnabled(t.Context(), tenantID, userID, false)
	if ClassOf(err) != RestrictedUnit || !strings.Contains(responsehub.Sentence(err), "restricted management") {
		t.Errorf("%s %q", ClassOf(err), responsehub.Sentence(err))
	}
}

// TestFreshToken: consent given a minute ago only shows in a new token, and a refusal
// that stands does not bring a new token each time.
func TestFreshToken(t *testing.T) {
	for _, status := range []int{401, 403} {
		c, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer opaque-1" {
				say(w, status, complain("x", "x"))
				return
			}
			say(w, 204, "")
		})
		if _, err := c.SetEnabled(t.Context(), tenantID, userID, false); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		w.graph = func(rw http.ResponseWriter, _ *http.Request) { say(rw, status, "") }
		for range 5 {
			if _, err := c.RevokeSessions(t.Context(), tenantID, userID); responsehub.KindOf(err) != responsehub.Forbidden {
				t.Errorf("%d: %v", status, err)
			}
		}
		if w.tokens != 2 {
			t.Errorf("%d: %d tokens, want 2", status, w.tokens)
		}
	}
}

func TestContract(t *testing.T) {
	w := &world{}
	side := func(req *http.Request) *http.Response {
		if req.URL.Host == "login.test" {
			return w.login(req)
		}
		return nil
	}
	for name, calls := range map[string]func(c *Client) connectortest.Calls{
		"directory": func(c *Client) connectortest.Calls {
			return connectortest.Calls{
				Read: func(ctx context.Context) error { _, err := c.Account(ctx, tenantID, userID); return err },
				Write: func(ctx context.Context) error {
					_, err := c.SetPassword(ctx, tenantID, userID, password)
					return err
				},
			}
		},
		"mail": func(c *Client) connectortest.Calls {
			return connectortest.Calls{
				Read:  func(ctx context.Context) error { _, err := c.Trash(ctx, tenantID, "U"); return err },
				Write: func(ctx context.Context) error { _, err := c.Move(ctx, tenantID, "U", "M", "F"); return err },
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, connectortest.Subject{
				New:  func(t *testing.T, client *http.Client) connectortest.Calls { return calls(over(t, client)) },
				Side: side, Secrets: []string{secret, password, "opaque-"},
			})
		})
	}
}

func TestThrottledMailboxLeavesOthersAlone(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/users/A/") {
			w.Header().Set("Retry-After", "60")
			say(w, 429, complain("ApplicationThrottled", "Application is over its MailboxConcurrency limit."))
			return
		}
		say(w, 200, `{"id":"T"}`)
	})
	for range 2 { // the second one is told without a request
		_, err := c.Trash(t.Context(), tenantID, "A")
		if after, ok := transport.Retryable(err); !ok || after < 59*time.Second || after > time.Minute {
			t.Errorf("pause %s %t", after, ok)
		}
	}
	if _, err := c.Trash(t.Context(), tenantID, "B"); err != nil {
		t.Errorf("another mailbox waits too: %v", err)
	}
	if _, err := c.Account(t.Context(), tenantID, userID); err != nil {
		t.Errorf("the directory waits too: %v", err)
	}
}
