package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"log/slog"

	"github.com/labstack/echo/v4"

	"responsehub"
	"responsehub/api"
)

// FuzzStepBody: whatever is sent as a step's body, the answer is an incident or a
// problem, never a fault of the hub; and what was accepted is what encoding/json reads.
func FuzzStepBody(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `{"command_id":"c","items":["a"],"action":"disable","skip":true,"reason":"r"}`, `{"items":null}`, `[]`, `"a"`, `{"reason":"\u0000\ud800"}`,
		`{"skip":1e400}`, `{"items":[[[[`, `{"reason":"a"}{"reason":"b"}`, "{\"reason\":\"\xff\"}", `{"REASON":"x"}`, `{"":""}`, `{"a/b~c":1}`,
	} {
		f.Add(s)
	}
	plain, key, err := api.NewKey(hashKey, "fuzz", responsehub.Responder, nil, opened)
	if err != nil {
		f.Fatal(err)
	}
	dir := &directory{tenants: []responsehub.Tenant{contoso}, keys: []responsehub.APIKey{key}}
	f.Fuzz(func(t *testing.T, body string) {
		eng := &engine{inc: takeover()}
		e := echo.New()
		api.New(api.Config{Key: hashKey}, eng, dir, slog.New(slog.DiscardHandler)).Register(e)
		r := httptest.NewRequest("POST", "/v1/incidents/i1/steps/persistence", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+string(plain))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
		var v map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			t.Fatalf("%q: the answer is not JSON: %v", body, err)
		}
		if w.Code != 202 {
			if v["detail"] == "" || v["type"] == nil {
				t.Fatalf("%q: %s", body, w.Body)
			}
			return
		}
		var in api.StepBody
		if strings.TrimSpace(body) == "" {
			return
		}
		if err := json.Unmarshal([]byte(body), &in); err != nil || in.Reason != eng.asked.Reason || in.Skip != eng.asked.Skip || len(in.Items) != len(eng.asked.Items) {
			t.Fatalf("%q was accepted as %+v, is %+v: %v", body, eng.asked, in, err)
		}
	})
}
