package documents_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/audit"
	"responsehub/documents"
	"responsehub/remediation"
	"responsehub/report"
	"responsehub/store"
	"responsehub/store/storetest"
)

var ann = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Tenants: []string{"Contoso"}}

// start opens an incident on the real engine and works on it.
func start(t *testing.T) (*remediation.Engine, *documents.Office, *responsehub.Incident) {
	t.Helper()
	rdb, _ := storetest.Mini(t)
	log := slog.New(slog.DiscardHandler)
	s, dir := store.New(rdb), store.NewDirectory(rdb, log)
	const microsoft = "11111111-1111-4111-8111-111111111111"
	if err := dir.Apply(t.Context(), responsehub.Hub.By(), []responsehub.Tenant{{ID: "contoso", Name: "Contoso", MicrosoftTenantID: microsoft}}, nil); err != nil {
		t.Fatal(err)
	}
	engine, err := remediation.New(s, s, remediation.Config{Key: make([]byte, remediation.KeySize), Tenants: dir}, log)
	if err != nil {
		t.Fatal(err)
	}
	inc, _, err := engine.Open(t.Context(), responsehub.Delivery{Source: "petra", ID: "d"}, &responsehub.Alert{
		ID: "a", Title: "Account takeover", Severity: responsehub.High, DetectedAt: time.Now(), Tenant: responsehub.AlertTenant{MicrosoftTenantID: microsoft},
		Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"}, Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ask := range []struct {
		step responsehub.StepID
		r    responsehub.StepRequest
	}{{responsehub.Publish, responsehub.StepRequest{}}, {responsehub.Persistence, responsehub.StepRequest{Skip: true, Reason: "ours"}}} {
		if _, err := engine.Request(t.Context(), ann, inc.ID, ask.step, ask.r); err != nil {
			t.Fatal(err)
		}
	}
	office, err := documents.New(documents.Config{Brand: report.Brand{Name: "Desk"}, Secret: make([]byte, 32), Version: "1"}, engine)
	if err != nil {
		t.Fatal(err)
	}
	return engine, office, inc
}

// TestTheEnginesEvidenceVerifies holds what the engine records against the bundle's own
// check: the chain, and the state rebuilt from it.
func TestTheEnginesEvidenceVerifies(t *testing.T) {
	_, office, inc := start(t)
	f, err := office.Evidence(t.Context(), ann, inc.Ref)
	if err != nil {
		t.Fatal(err)
	}
	found, err := audit.Verify(f.Body, office.PublicKey())
	if err != nil || !found.Rebuilt || found.Ref != inc.Ref {
		t.Errorf("%+v (%v)", found, err)
	}
}

func TestNobodyGetsWhatHeMayNotSee(t *testing.T) {
	_, office, inc := start(t)
	eve := responsehub.Actor{ID: "person:eve", Name: "Eve", Role: responsehub.Admin, Tenants: []string{"Fabrikam"}}
	if _, err := office.Evidence(t.Context(), eve, inc.ID); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("evidence: %v", err)
	}
	if _, err := office.Incident(t.Context(), eve, inc.ID, "html"); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("report: %v", err)
	}
	f, err := office.Period(t.Context(), eve, "", time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "csv")
	if err != nil || strings.Contains(string(f.Body), inc.Ref) {
		t.Errorf("period: %v %s", err, f.Body)
	}
}

func TestFormsAndPeriods(t *testing.T) {
	_, office, inc := start(t)
	now := time.Now()
	for _, form := range report.Forms {
		f, err := office.Incident(t.Context(), ann, inc.Ref, form)
		if err != nil || len(f.Body) == 0 || f.Name != inc.Ref+"."+form {
			t.Errorf("%s: %s, %d bytes (%v)", form, f.Name, len(f.Body), err)
		}
	}
	f, err := office.Period(t.Context(), ann, "contoso", now.Add(-time.Hour), now.Add(time.Hour), "csv")
	if err != nil || !strings.Contains(string(f.Body), inc.Ref) {
		t.Errorf("%v: %s", err, f.Body)
	}
	for name, err := range map[string]error{
		"form": second(office.Incident(t.Context(), ann, inc.Ref, "doc")), "backwards": second(office.Period(t.Context(), ann, "", now, now, "csv")),
	} {
		if responsehub.KindOf(err) != responsehub.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ report.File, err error) error { return err }

// busy is an engine whose incident changes with every look.
type busy struct {
	documents.Engine
	n int64
}

func (b *busy) Incident(context.Context, responsehub.Actor, string) (*responsehub.Incident, error) {
	b.n++
	return &responsehub.Incident{ID: "x", Revision: b.n}, nil
}

func (b *busy) Events(context.Context, responsehub.Actor, string) ([]json.RawMessage, error) {
	return nil, nil
}

func TestAnIncidentThatDoesNotHoldStillIsNotHalfReported(t *testing.T) {
	office, err := documents.New(documents.Config{Secret: make([]byte, 32)}, &busy{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.Evidence(t.Context(), ann, "x"); responsehub.KindOf(err) != responsehub.Unavailable {
		t.Errorf("got %v", err)
	}
}
