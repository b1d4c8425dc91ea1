package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
)

// looker knows of Contoso that a permission is missing, and plans the lock.
type looker struct{ ran []string }

func readiness(t responsehub.TenantRef) responsehub.Readiness {
	return responsehub.Readiness{V: 1, Tenant: t, At: time.Now().Add(-2 * time.Hour), Checks: []responsehub.Check{
		{Name: "consent", Grade: responsehub.CheckOK, Sentence: "The tenant lets the hub's app sign in."},
		{Name: "User.RevokeSessions.All", Grade: responsehub.CheckMissing, Sentence: "It is missing.", Step: "The hub's app lacks User.RevokeSessions.All in Contoso.", Blocks: []responsehub.StepID{responsehub.Lock}},
	}}
}

func (l *looker) Run(_ context.Context, t responsehub.Tenant) (responsehub.Readiness, error) {
	l.ran = append(l.ran, t.ID)
	return readiness(t.Ref()), nil
}

func (l *looker) Kept(_ context.Context, id string) (responsehub.Readiness, bool, error) {
	r, ok := l.Known(id)
	return r, ok, nil
}

func (l *looker) Known(id string) (responsehub.Readiness, bool) {
	return readiness(contoso.Ref()), id == contoso.ID
}

func (l *looker) Lacks(id string, step responsehub.StepID) string {
	r, _ := l.Known(id)
	return r.Lacks(step)
}

func (l *looker) Rehearse(_ context.Context, inc *responsehub.Incident) (responsehub.Plan, error) {
	return responsehub.Plan{Tenant: inc.Tenant, Account: inc.Account, Ref: inc.Ref, Found: []string{}, Steps: []responsehub.PlanStep{{
		Step: responsehub.Lock, Title: responsehub.Lock.Title(), Would: []string{"Block sign-in."}, Stops: []string{}, Lasting: []string{},
	}}}, nil
}

func TestPreflightAndRehearsal(t *testing.T) {
	look := &looker{}
	h := newHub(t, api.Config{Preflight: look})
	for _, tc := range []struct {
		name, key, method, path, body string
		status                        int
		says                          string
	}{
		{"kept", "reader", "GET", "/v1/tenants/t1/preflight", "", 200, `"age":"2 h"`},
		{"by Microsoft's id", "reader", "GET", "/v1/tenants/" + contoso.MicrosoftTenantID + "/preflight", "", 200, `"missing":1`},
		{"not looked at yet", "reader", "GET", "/v1/tenants/t2/preflight", "", 404, "has not been looked at yet"},
		{"a reader does not run it", "reader", "POST", "/v1/tenants/t1/preflight", "", 403, "may look"},
		{"run now", "responder", "POST", "/v1/tenants/t1/preflight", "", 200, `"check":"User.RevokeSessions.All"`},
		{"not theirs", "fabrikam responder", "POST", "/v1/tenants/t1/preflight", "", 404, "among yours"},
		{"incident", "responder", "POST", "/v1/incidents/i1/rehearse", "", 200, "Block sign-in."},
		{"not theirs either", "fabrikam responder", "POST", "/v1/incidents/i1/rehearse", "", 404, "no such incident"},
		{"a reader does not rehearse", "reader", "POST", "/v1/incidents/i1/rehearse", "", 403, "may look"},
		{"an account", "responder", "POST", "/v1/tenants/t1/rehearse", `{"user":"pat@contoso.example"}`, 200, "pat@contoso.example"},
		{"nobody", "responder", "POST", "/v1/tenants/t1/rehearse", `{"user":""}`, 400, "principal name"},
		{"the list", "reader", "GET", "/v1/tenants", "", 200, `"text":"1 missing, 2 h ago"`},
	} {
		got := h.ask(tc.key, tc.method, tc.path, tc.body)
		if got.status != tc.status || !strings.Contains(got.body, tc.says) {
			t.Errorf("%s: %d %s, want %d with %q", tc.name, got.status, got.body, tc.status, tc.says)
		}
	}
	if len(look.ran) != 1 || look.ran[0] != "t1" {
		t.Errorf("looked at %v, want t1 once", look.ran)
	}
}

// TestStepSaysWhatIsMissing: who looks at a waiting step reads which right it lacks; once
// it was done nobody does.
func TestStepSaysWhatIsMissing(t *testing.T) {
	h := newHub(t, api.Config{Preflight: &looker{}})
	lacks := func() string {
		var inc api.Incident
		if err := json.Unmarshal([]byte(h.ask("reader", "GET", "/v1/incidents/i1", "").body), &inc); err != nil {
			t.Fatal(err)
		}
		for _, s := range inc.Steps {
			if s.ID == responsehub.Lock {
				return s.Lacks
			}
		}
		return "no such step"
	}
	lock := h.engine.inc.Step(responsehub.Lock)
	lock.State = responsehub.Waiting
	if got := lacks(); got != "The hub's app lacks User.RevokeSessions.All in Contoso." {
		t.Errorf("a waiting lock says %q", got)
	}
	lock.State = responsehub.Done
	if got := lacks(); got != "" {
		t.Errorf("a lock that is done says %q", got)
	}
}

func TestWithoutPreflight(t *testing.T) {
	h := newHub(t, api.Config{})
	for _, path := range []string{"/v1/tenants/t1/preflight", "/v1/incidents/i1/rehearse"} {
		if got := h.ask("responder", "POST", path, ""); got.status != 503 {
			t.Errorf("%s = %d %s, want 503", path, got.status, got.body)
		}
	}
}
