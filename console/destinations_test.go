package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/console"
	"responsehub/hook"
	"responsehub/remediation"
)

// answers is a sender whose receiver answers as it is told.
type answers struct{ err error }

func (a *answers) Webhook(context.Context, string, string, time.Time, []byte) error { return a.err }
func (a *answers) Chat(context.Context, string, []byte) error                       { return a.err }

// hooked is a console with destinations on its own engine and directory.
func hooked(t *testing.T) (*hub, *answers) {
	sent := &answers{}
	h := startWith(t, func(h *hub, cfg *console.Config) {
		cfg.Destinations = hook.NewDestinations(hook.Office{
			Directory: h.dir, Sender: sent, Amend: h.engine.Amend,
			Secret: func(string, int) responsehub.Secret { return "whsec_SHOWN-ONCE" },
			Incidents: func(ctx context.Context, actor responsehub.Actor, tenant string, n int) ([]*responsehub.Incident, error) {
				page, err := h.engine.Incidents(ctx, actor, remediation.Query{Tenant: tenant, Limit: n})
				return page.Incidents, err
			},
		})
	})
	return h, sent
}

func TestAWebhookIsLookedAfterOnItsTenantsPage(t *testing.T) {
	h, sent := hooked(t)
	inc := h.open(t)
	b := h.in(t, adminKey)
	const tenant = "/tenants/contoso"
	id := responsehub.AddressID("https://sink.example/HIDDEN")
	at := tenant + "/destinations/" + id
	if status, page, _ := h.post(t, b, tenant+"/destinations", url.Values{"address": {"https://sink.example/HIDDEN"}}); status != http.StatusOK || !strings.Contains(page, "whsec_SHOWN-ONCE") || !strings.Contains(page, "sink.example") {
		t.Fatalf("%d %.2000s", status, page)
	}
	err := h.engine.Amend(t.Context(), inc.ID, func(inc *responsehub.Incident) error {
		inc.Hooks = map[string]responsehub.HookRef{id: {Host: "sink.example", Dead: true, Failure: "given up for this incident. It answered 410.", Tries: 1, Since: time.Now()}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := h.get(t, b, tenant)
	for _, want := range []string{"sink.example", "given up", "It answered 410.", "Nothing delivered yet.", "1 of the newest incidents wait"} {
		if !strings.Contains(page, want) {
			t.Errorf("the tenant's page does not say %q", want)
		}
	}
	for _, hidden := range []string{"whsec_", "HIDDEN"} {
		if strings.Contains(page, hidden) {
			t.Errorf("the tenant's page tells %s", hidden)
		}
	}
	said := func(do string) string {
		t.Helper()
		if status, page, _ := h.post(t, b, at+"/"+do, nil); status != http.StatusSeeOther {
			t.Fatalf("%s: %d %.500s", do, status, page)
		}
		_, page, _ := h.get(t, b, tenant)
		return page
	}
	sent.err = &responsehub.Error{Kind: responsehub.Unavailable, Message: "It answered 500."}
	if page := said("test"); !strings.Contains(page, "sink.example did not take the test event: It answered 500.") {
		t.Error("a refused test is not told")
	}
	sent.err = nil
	if page := said("test"); !strings.Contains(page, "sink.example took the test event") {
		t.Error("a test is not told")
	}
	if page := said("retry"); !strings.Contains(page, "It is tried again now on one incident.") || strings.Contains(page, "given up") {
		t.Error("a retry is not told, or shown as given up still")
	}
	if status, page, _ := h.post(t, b, at+"/rotate", nil); status != http.StatusOK || !strings.Contains(page, "whsec_SHOWN-ONCE") || !strings.Contains(page, "old secret too") {
		t.Errorf("%d %.1000s", status, page)
	}
	if page := said("remove"); !strings.Contains(page, "Nothing goes out by webhook.") {
		t.Error("it is removed and shown")
	}
}

func TestOnlyAdministratorsTouchWebhooks(t *testing.T) {
	h, _ := hooked(t)
	b := h.in(t, guestKey)
	for _, path := range []string{"/tenants/contoso/destinations", "/tenants/contoso/destinations/0/rotate", "/tenants/contoso/destinations/0/test", "/tenants/fabrikam/destinations/0/retry"} {
		if status, page, _ := h.post(t, b, path, url.Values{"address": {"https://sink.example/x"}}); status == http.StatusOK || status == http.StatusSeeOther || strings.Contains(page, "whsec_") {
			t.Errorf("%s: %d", path, status)
		}
	}
}
