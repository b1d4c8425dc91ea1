package graph

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"responsehub"
	"responsehub/connectors/entra"
)

// signedIn is a person's token.
type signedIn struct{ err error }

func (s signedIn) Token(context.Context, string) (entra.Token, responsehub.SignIn, error) {
	return entra.Token{Value: "a-person's", Rights: entra.Rights{Known: true, Roles: []string{entra.DelegatedScope}}}, responsehub.SignIn{}, s.err
}

const operation = "https://graph.test/v1.0/users/" + userID + "/authentication/operations/88e7560c"

func TestReset(t *testing.T) {
	for _, c := range []struct {
		name     string
		status   int
		location string
		body     string
		kind     responsehub.Kind
		says     string
	}{
		{"accepted", 202, operation, "", "", ""},
		{"accepted without an operation", 202, "", "", responsehub.UnknownOutcome, "for certain"},
		{"an operation elsewhere", 202, "https://evil.test/v1.0/users/x", "", responsehub.UnknownOutcome, "for certain"},
		{"policy", 400, "", `{"error":{"code":"invalidRequest","message":"The specified password does not comply with password complexity requirements."}}`, responsehub.Invalid, "policy refuses"},
		{"not allowed", 403, "", `{"error":{"code":"accessDenied","message":"Request Authorization failed"}}`, responsehub.Forbidden, "Authentication Administrator"},
		{"token refused", 401, "", `{"error":{"code":"InvalidAuthenticationToken","message":"x"}}`, responsehub.Forbidden, "responsehub tenant sign-in"},
		{"lost", 504, "", ``, responsehub.UnknownOutcome, "for certain"},
		{"busy", 429, "", `{"error":{"code":"TooManyRequests","message":"x"}}`, responsehub.Throttled, "slow down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if c.location != "" {
					w.Header().Set("Location", c.location)
				}
				say(w, c.status, c.body)
			}, "User.Read.All")
			op, _, err := client.Writeback(signedIn{}).Reset(t.Context(), tenantID, userID, password)
			if c.kind == "" {
				if err != nil || op != operation {
					t.Fatalf("%q, %v", op, err)
				}
			} else if responsehub.KindOf(err) != c.kind || !strings.Contains(responsehub.Sentence(err), c.says) || strings.Contains(err.Error(), password) {
				t.Errorf("%s: %v", responsehub.KindOf(err), err)
			}
			seen := w.requests()
			if len(seen) != 1 {
				t.Fatalf("%d requests: a reset must not be sent twice", len(seen))
			}
			r := seen[0]
			if r.Method != "POST" || r.Path != "/users/"+userID+"/authentication/methods/28c10230-6103-485e-b985-444c60001490/resetPassword" ||
				r.Body != `{"newPassword":"`+strings.ReplaceAll(password, "&", `\u0026`)+`"}` || r.Header.Get("Authorization") != "Bearer a-person's" {
				t.Errorf("%s %s %s as %s", r.Method, r.Path, r.Body, r.Header.Get("Authorization"))
			}
		})
	}
}

func TestFollow(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		done       bool
		kind       responsehub.Kind
	}{
		{"not started", `{"status":"notStarted"}`, 200, false, ""},
		{"running", `{"status":"running","statusDetail":null}`, 200, false, ""},
		{"of a newer Microsoft", `{"status":"pondering"}`, 200, false, ""},
		{"succeeded", `{"status":"succeeded","statusDetail":"ResetSuccess"}`, 200, true, ""},
		{"policy", `{"status":"failed","statusDetail":"OnPremisesPolicyViolation: secret text"}`, 200, false, responsehub.Invalid},
		{"failed", `{"status":"failed","statusDetail":"secret text"}`, 200, false, responsehub.Permanent},
		{"skipped", `{"status":"skipped"}`, 200, false, responsehub.Permanent},
		{"senseless", `{}`, 200, false, responsehub.Unavailable},
		{"gone", `{"error":{"code":"resourceNotFound","message":"x"}}`, 404, false, responsehub.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) { say(w, c.status, c.body) }, "User.Read.All")
			done, _, err := client.Writeback(signedIn{}).Follow(t.Context(), tenantID, operation)
			if done != c.done || c.kind == "" && err != nil || c.kind != "" && responsehub.KindOf(err) != c.kind {
				t.Errorf("%v, %s: %v", done, responsehub.KindOf(err), err)
			}
			if err != nil && strings.Contains(err.Error(), "secret text") {
				t.Errorf("Microsoft's text is repeated: %v", err)
			}
		})
	}
	client, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { say(w, 200, "{}") }, "User.Read.All")
	if _, _, err := client.Writeback(signedIn{}).Follow(t.Context(), tenantID, "https://evil.test/v1.0/x"); responsehub.KindOf(err) != responsehub.Permanent || len(w.requests()) != 0 {
		t.Errorf("an operation elsewhere was followed: %v", err)
	}
	nobody := responsehub.Refuse("Nobody signed in.")
	if _, _, err := client.Writeback(signedIn{nobody}).Reset(t.Context(), tenantID, userID, password); responsehub.Sentence(err) != "Nobody signed in." || len(w.requests()) != 0 {
		t.Errorf("nobody signed in: %v", err)
	}
}
