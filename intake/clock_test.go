package intake

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// ahead is a source that found something in the year 2199.
type ahead struct{ alert responsehub.Alert }

func (a ahead) Found(context.Context, time.Time) ([]Finding, bool, error) {
	return []Finding{{ID: a.alert.ID, MadeAt: a.alert.DetectedAt, Alert: &a.alert}}, false, nil
}

// forgetful keeps no mark: every turn is the first.
type forgetful struct{}

func (forgetful) Turn(context.Context, string, time.Duration) (bool, error) { return true, nil }
func (forgetful) LoadMark(context.Context, string) ([]byte, error)          { return nil, nil }
func (forgetful) SaveMark(context.Context, string, []byte) error            { return nil }

// TestAClockAhead: whichever way an alert of the year 2199 comes in, it is taken, and its
// incident was detected when it came in.
func TestAClockAhead(t *testing.T) {
	const day = "2199-01-02T03:04:05Z"
	at, err := time.Parse(time.RFC3339, day)
	if err != nil {
		t.Fatal(err)
	}
	for name, send := range map[string]func(t *testing.T, e *engine){
		"native": func(t *testing.T, e *engine) {
			if w := post(t, newIntake(t, e), "petra", nil, strings.Replace(native, "2026-11-23T09:40:00Z", day, 1)); w.Code != http.StatusAccepted {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		},
		"mapped": func(t *testing.T, e *engine) {
			body := `{"incident":{"id":"7","at":"` + day + `"},"org":{"tenant":"11111111-1111-4111-8111-111111111111"},"user":{"upn":"pat@contoso.example"}}`
			if w := post(t, newIntake(t, e), "custom", http.Header{"X-Token": {"a-long-enough-token"}, "Content-Type": {"application/json"}}, body); w.Code != http.StatusAccepted {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		},
		"mapped from seconds": func(t *testing.T, e *engine) {
			body := `{"incident":{"id":"7","at":7226679845},"org":{"tenant":"11111111-1111-4111-8111-111111111111"},"user":{"upn":"pat@contoso.example"}}`
			if w := post(t, newIntake(t, e), "custom", http.Header{"X-Token": {"a-long-enough-token"}, "Content-Type": {"application/json"}}, body); w.Code != http.StatusAccepted {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		},
		"found by asking": func(t *testing.T, e *engine) {
			a := responsehub.Alert{Version: "1", ID: "7", DetectedAt: at, Tenant: responsehub.AlertTenant{SourceTenantID: "o"},
				Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"}, Severity: responsehub.Critical, Title: "Account takeover"}
			p := &Poll{Source: "petra", Detector: ahead{a}, Hub: e, Marks: forgetful{}, Log: slog.New(slog.DiscardHandler),
				Alarm: func(_ context.Context, a responsehub.Alarm) { t.Errorf("the operators hear %q", a.Words) }}
			if err := p.ask(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &engine{}
			send(t, e)
			if e.alert == nil || e.alert.DetectedAt.Year() != 2199 {
				t.Fatalf("the alert %+v", e.alert)
			}
			now := time.Now()
			inc := responsehub.NewIncident("01INC", "RH-7K2M", now, "petra", e.alert, responsehub.TenantRef{}, true)
			if !inc.DetectedAt.Equal(now) {
				t.Errorf("detected at %s", inc.DetectedAt)
			}
		})
	}
}
