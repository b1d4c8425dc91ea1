package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// TestOffer: once Response is on, what was open before is offered on the first page and on
// the tenant's, with a form that works without a script; it is run once, and the answer
// names what was started. Who may not run steps is not offered to.
func TestOffer(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := h.in(t, adminKey)
	const form = `method="post" action="/tenants/contoso/run-open"`
	for _, path := range []string{"/", "/tenants/contoso"} {
		if _, body, _ := h.get(t, b, path); strings.Contains(body, form) {
			t.Errorf("%s offers with Response off", path)
		}
	}
	if _, body, _ := h.post(t, b, "/tenants/contoso/run-open", nil); strings.Contains(body, "started") {
		t.Error("steps are run with Response off")
	}
	h.post(t, b, "/tenants/contoso/response", url.Values{"on": {"true"}})
	for _, path := range []string{"/", "/tenants/contoso"} {
		_, body, _ := h.get(t, b, path)
		if !strings.Contains(body, form) || !strings.Contains(body, "Response is on for Contoso. 1 incident is open") || !strings.Contains(body, "Run steps 1 to 3 on it now") {
			t.Errorf("%s offers nothing:\n%s", path, body)
		}
	}
	guest := h.in(t, guestKey)
	if status, _, _ := h.post(t, guest, "/tenants/contoso/run-open", nil); status != http.StatusNotFound {
		t.Errorf("a guest of another tenant: %d", status)
	}
	h.post(t, b, "/tenants/fabrikam/response", url.Values{"on": {"true"}})
	if status, _, _ := h.post(t, guest, "/tenants/fabrikam/run-open", nil); status != http.StatusForbidden {
		t.Errorf("a guest: %d", status)
	}
	status, body, _ := h.post(t, b, "/tenants/contoso/run-open", nil)
	if status != http.StatusOK || strings.Count(body, ">started<") != 3 || !strings.Contains(body, "3 steps started in 1 incident at Contoso.") || strings.Contains(body, hostile) {
		t.Errorf("%d:\n%s", status, body)
	}
	if _, body, _ := h.post(t, b, "/tenants/contoso/run-open", nil); strings.Contains(body, ">started<") || strings.Count(body, ">left<") != 3 || !strings.Contains(body, "was asked for by Ann") {
		t.Errorf("again:\n%s", body)
	}
	now, err := h.engine.Incident(t.Context(), responsehub.Hub, inc.ID)
	if err != nil || now.State != responsehub.Active || now.Step(responsehub.Lock).Round != 1 {
		t.Errorf("%+v, %v", now, err)
	}
	if _, body, _ := h.get(t, b, "/"); strings.Contains(body, form) {
		t.Error("it is offered although nothing is left")
	}
}

// TestFormerIncident: the page leads to the incident that the account had before, in the
// words of the card.
func TestFormerIncident(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	err := h.engine.Amend(t.Context(), inc.ID, func(inc *responsehub.Incident) error {
		inc.Follows(&responsehub.Former{ID: "01OLD", Ref: "RH-2B3C", State: responsehub.FalseAlarm, ClosedAt: time.Date(2026, 11, 21, 8, 51, 0, 0, time.UTC)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, body, _ := h.get(t, h.in(t, adminKey), "/incidents/"+inc.ID); !strings.Contains(body, `Before: <a href="/incidents/01OLD">RH-2B3C</a>, the same account, false alarm 21 Nov 2026 08:51:00 UTC`) {
		t.Error(body)
	}
}
