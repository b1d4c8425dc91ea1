package api_test

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/report"
)

// clerk hands out the simplest documents.
type clerk struct{}

func (clerk) Incident(_ context.Context, _ responsehub.Actor, id, form string) (report.File, error) {
	return report.File{Type: "text/" + form + "; charset=utf-8", Name: id + "." + form, Body: []byte("<b>report</b>")}, nil
}

func (clerk) Period(context.Context, responsehub.Actor, string, time.Time, time.Time, string) (report.File, error) {
	return report.File{Type: "text/html; charset=utf-8", Name: "period.html"}, nil
}

func (clerk) Evidence(context.Context, responsehub.Actor, string) (report.File, error) {
	return report.File{Type: "application/json", Name: "e.json", Body: []byte("{}")}, nil
}

func (clerk) PublicKey() ed25519.PublicKey { return make(ed25519.PublicKey, ed25519.PublicKeySize) }

// TestDocumentsAreSavedAndRunNothing holds for HTML too: what is in it came from strangers.
func TestDocumentsAreSavedAndRunNothing(t *testing.T) {
	h := newHub(t, api.Config{Documents: clerk{}})
	got := h.ask("reader", "GET", "/v1/incidents/i1/report?form=html", "")
	if got.status != http.StatusOK || got.body != "<b>report</b>" || got.header.Get("Content-Disposition") != "attachment; filename=i1.html" || !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %q %v", got.status, got.body, got.header)
	}
	none := newHub(t, api.Config{})
	for _, path := range []string{"/v1/incidents/i1/report", "/v1/incidents/i1/evidence", "/v1/reports", "/v1/audit/key"} {
		if got := none.ask("reader", "GET", path, ""); got.status != http.StatusNotFound {
			t.Errorf("a hub without documents answers %d to %s", got.status, path)
		}
	}
}
