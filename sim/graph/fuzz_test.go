package graph_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Connections of the default transport stay open for reuse.
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("internal/poll.(*FD).Read"),
	)
}

// FuzzRequest sends anything to Graph with a good token: it always answers, in JSON where there is a
// body, and never with a status of its own crash.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][3]string{
		{"POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/users?%24top=1"},{"id":"2","method":"POST","url":"//","body":{},"dependsOn":["1"]}]}`},
		{"PATCH", "/users/pat@contoso.example", `{"passwordProfile":{"password":7}}`},
		{"POST", "/users/pat@contoso.example/mailFolders/inbox/messageRules", `{"displayName":"x","actions":{"delete":true},"sequence":"one"}`},
		{"POST", "/identityProtection/riskyUsers/dismiss", `{"userIds":[null]}`},
		{"POST", "/oauth2PermissionGrants", `{"clientId":1}`},
		{"GET", "/users?$skiptoken=%FF&$top=-1", ""},
		{"GET", "/applications(appId='')", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	s := newStage(f)
	s.login.SetTokenLife(24 * time.Hour)
	s.newToken()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequest(method, "http://sim/graph/v1.0"+path, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		s.graph.ServeHTTP(rec, r)
		if rec.Code >= 500 || (rec.Body.Len() > 0 && !json.Valid(rec.Body.Bytes())) {
			t.Errorf("%s %s %s: %d %s", method, path, body, rec.Code, rec.Body)
		}
	})
}
