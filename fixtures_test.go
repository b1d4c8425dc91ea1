package responsehub_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"responsehub"
)

// The scene of the tests: one tenant, one account, two technicians.
var (
	noon    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	contoso = responsehub.TenantRef{ID: "t1", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"}
	ann     = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}
	bob     = responsehub.Actor{ID: "person:bob", Name: "Bob", Role: responsehub.Responder, Via: responsehub.ViaAPI, Tenants: []string{"Contoso"}}
)

// takeover is a valid alert with one phish and one inbox rule.
func takeover() *responsehub.Alert {
	return &responsehub.Alert{
		Version: responsehub.AlertVersion, ID: "det-1", DetectedAt: noon.Add(-time.Minute),
		Tenant:   responsehub.AlertTenant{MicrosoftTenantID: contoso.MicrosoftTenantID, SourceTenantID: "org-7"},
		Account:  responsehub.Account{ObjectID: "22222222-2222-4222-8222-222222222222", UserPrincipalName: "pat@contoso.example", DisplayName: "Pat"},
		Severity: responsehub.Critical, Title: "Account takeover", Summary: "Sign-in from a new country", Link: "https://detector.example/i/1",
		Evidence:    []responsehub.Evidence{{At: noon.Add(-2 * time.Minute), Kind: "sign_in", Text: "Sign-in from NL", IP: "203.0.113.10", Country: "NL"}},
		Phish:       []responsehub.Phish{{InternetMessageID: "<1@contoso.example>"}},
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "rule-1", Name: "hide replies"}},
	}
}

// opened is a new incident of the takeover, its opening events taken.
func opened(t testing.TB, response bool) *responsehub.Incident {
	t.Helper()
	inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", takeover(), contoso, response)
	inc.TakeEvents()
	return inc
}

// published is an incident of a tenant without Response that somebody has published.
func published(t testing.TB) *responsehub.Incident {
	t.Helper()
	inc := opened(t, false)
	mustAsk(t, inc, responsehub.Publish, ann, responsehub.StepRequest{})
	inc.TakeEvents()
	return inc
}

func mustAsk(t testing.TB, inc *responsehub.Incident, id responsehub.StepID, who responsehub.Actor, r responsehub.StepRequest) responsehub.Answer {
	t.Helper()
	answer, err := inc.Ask(id, who, r, noon)
	if err != nil {
		t.Fatalf("%s asked for %s: %v", who.Name, id, err)
	}
	return answer
}

// finish plays the follower: the step and its items end in the state.
func finish(t testing.TB, inc *responsehub.Incident, id responsehub.StepID, state responsehub.StepState) {
	t.Helper()
	s := inc.Step(id)
	for _, via := range []responsehub.StepState{responsehub.Running, state} {
		if err := s.To(via); err != nil {
			t.Fatal(err)
		}
	}
	for i := range s.Items {
		if s.Wants(s.Items[i].ID) && s.Items[i].Kind.Blocks() && !s.Items[i].State.Settled() {
			s.Items[i].State = state
		}
	}
}

// stored is the incident after a trip through the store.
func stored(t interface {
	Helper()
	Fatal(args ...any)
}, inc *responsehub.Incident) *responsehub.Incident {
	t.Helper()
	b, err := json.Marshal(inc)
	if err != nil {
		t.Fatal(err)
	}
	var back responsehub.Incident
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

func wantFault(t testing.TB, err error, kind responsehub.Kind, pointer string) {
	t.Helper()
	fault, ok := errors.AsType[*responsehub.Error](err)
	if !ok || fault.Kind != kind || fault.Pointer != pointer {
		t.Errorf("got %v (%s), want %s at %q", err, responsehub.KindOf(err), kind, pointer)
	}
}
