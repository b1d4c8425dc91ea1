package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"responsehub"
	"responsehub/console"
)

// TestEveryPageAsksWhoItIs goes through all pages there are: a stranger is shown none, and
// neither a stranger nor somebody who may only read changes anything.
func TestEveryPageAsksWhoItIs(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	stranger, reader := browser(t), h.in(t, readerKey)
	journal, err := h.dir.JournalLength(t.Context()) // with the sign-in
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"on": {"true"}, "name": {"Contoso"}, "reason": {"because"}, "role": {"admin"}, "tenants": {"Contoso"}, "mode": {"manual"}, "locks": {"7"}, "product": {"notify"}}
	posts := 0
	for _, pattern := range h.Config.Handler.(*console.Console).Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		id := map[string]string{"incidents": inc.ID, "tenants": "contoso", "people": "bob", "keys": "k", "lanes": "l"}[strings.Split(path, "/")[1]]
		path = strings.NewReplacer("{$}", "", "{id}", id, "{step}", "publish", "{form}", "guards", "{todo}", "ad", "{destination}", "d", "{do}", "remove").Replace(path)
		if method == http.MethodGet {
			if status, body, header := h.get(t, stranger, path); status != http.StatusUnauthorized && (status != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/sign-in")) || strings.Contains(body, inc.Ref) || strings.Contains(body, "Contoso") {
				t.Errorf("a stranger's %s answers %d", pattern, status)
			}
			continue
		}
		posts++
		if status, _, _ := h.post(t, stranger, path, form); status != http.StatusUnauthorized {
			t.Errorf("a stranger's %s answers %d", pattern, status)
		}
		if status, _, _ := h.post(t, reader, path, form); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("a reader's %s answers %d", pattern, status)
		}
	}
	if posts < 20 {
		t.Errorf("only %d forms were tried", posts)
	}
	if now, err := h.engine.Incident(t.Context(), responsehub.Hub, inc.ID); err != nil || now.Revision != inc.Revision {
		t.Errorf("a form changed the incident (%v)", err)
	}
	if now, err := h.dir.JournalLength(t.Context()); err != nil || now != journal {
		t.Errorf("a form changed %d things (%v)", now-journal, err)
	}
}

// TestAPersonOfAScheduleIsNotRemoved: whom a schedule has on call is called too.
func TestAPersonOfAScheduleIsNotRemoved(t *testing.T) {
	h := start(t)
	_, err := h.dir.ChangeTenant(t.Context(), responsehub.Hub.By(), "who is told", "contoso", func(t *responsehub.Tenant) error {
		t.Notify.Phone = &responsehub.OnCall{Sequence: []string{"nights"}, Schedules: []responsehub.Schedule{{ID: "nights", Layers: []responsehub.Layer{{People: []string{"bob"}}}}}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := h.in(t, adminKey)
	h.post(t, b, "/people/bob/remove", url.Values{})
	if _, body, _ := h.get(t, b, "/people"); !strings.Contains(body, "Contoso would call this person") || len(h.dir.People()) != 1 {
		t.Errorf("%d people, and the page says\n%s", len(h.dir.People()), body)
	}
}

// TestAKeyIsForTenantsThatAreThere, by name or by either id, as over the API.
func TestAKeyIsForTenantsThatAreThere(t *testing.T) {
	h := startWith(t, func(_ *hub, c *console.Config) {
		c.NewKey = func(name string, role responsehub.Role, tenants []string) (responsehub.Secret, responsehub.APIKey, error) {
			return "rh_k1_secret", responsehub.APIKey{V: 1, ID: "k1", Name: name, Role: role, Tenants: tenants, Hash: "h"}, nil
		}
	})
	b := h.in(t, adminKey)
	ask := func(tenants string) (int, string) {
		status, body, _ := h.post(t, b, "/keys", url.Values{"name": {"robot"}, "role": {"reader"}, "tenants": {tenants}})
		return status, body
	}
	if status, _ := ask("Contoso\nContosso"); status != http.StatusSeeOther || len(h.dir.Keys()) != 0 {
		t.Errorf("a tenant that is not there: %d, %d keys", status, len(h.dir.Keys()))
	}
	if _, body, _ := h.get(t, b, "/keys"); !strings.Contains(body, "Not made: there is no tenant &#34;Contosso&#34;.") {
		t.Errorf("the page does not name the tenant:\n%s", body)
	}
	if status, body := ask("contoso, 22222222-2222-4222-8222-222222222222"); status != http.StatusOK || !strings.Contains(body, "rh_") || len(h.dir.Keys()) != 1 {
		t.Errorf("two that are there: %d, %d keys\n%s", status, len(h.dir.Keys()), body)
	}
}

// TestASwitchThatIsNotPartOfTheProductSaysSo, and not that it may be tried again.
func TestASwitchThatIsNotPartOfTheProductSaysSo(t *testing.T) {
	h := start(t)
	_, err := h.dir.ChangeTenant(t.Context(), responsehub.Hub.By(), "product", "contoso", func(t *responsehub.Tenant) error {
		t.Switch(responsehub.ProductNotify)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := h.post(t, h.in(t, adminKey), "/tenants/contoso/response", url.Values{"on": {"true"}}); status != http.StatusConflict || !strings.Contains(body, "Switch the product first") {
		t.Errorf("%d\n%s", status, body)
	}
}
