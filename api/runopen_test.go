package api_test

import (
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
)

// TestRunOpenOverTheAPI: turning Response on offers what was open before, the route runs it
// once, and says what it left alone.
func TestRunOpenOverTheAPI(t *testing.T) {
	h := newHub(t, api.Config{})
	inc := responsehub.NewIncident("i1", "RH-7K2M", opened, "petra", &responsehub.Alert{ID: "det-1", Title: "Account takeover"}, contoso.Ref(), false)
	inc.TakeEvents()
	h.engine.inc = inc
	for key, want := range map[string]int{"reader": 403, "fabrikam responder": 404, "": 401} {
		if got := h.ask(key, "POST", "/v1/tenants/t1/run-open", ""); got.status != want {
			t.Errorf("%q: %d %s", key, got.status, got.body)
		}
	}
	if inc.State != responsehub.Unpublished {
		t.Fatal("the refused changed something")
	}
	if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"response":true}`); got.status != 200 || !strings.Contains(got.body, `"offer":{"incidents":["RH-7K2M"],"sentence":"Response is on for Contoso. 1 incident is open`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"paused":true}`); strings.Contains(got.body, `"offer"`) {
		t.Error(got.body)
	}
	got := h.ask("responder", "POST", "/v1/tenants/"+contoso.MicrosoftTenantID+"/run-open", "")
	if got.status != 202 || !strings.Contains(got.body, `"asked":["lock","retract","persistence"],"left":[]`) || !strings.Contains(got.body, `"state":"active"`) || !strings.Contains(got.body, `"more":3`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := h.ask("responder", "POST", "/v1/tenants/t1/run-open", `{}`); got.status != 202 || !strings.Contains(got.body, `"asked":[],"left":[{"step":"lock","why":"`) || inc.Step(responsehub.Lock).Round != 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := h.ask("admin", "PATCH", "/v1/tenants/t1", `{"response":true}`); strings.Contains(got.body, `"offer"`) {
		t.Error(got.body)
	}
}
