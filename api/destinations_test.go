package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/hook"
	"responsehub/store"
	"responsehub/store/storetest"
)

// sunk is the id of contoso's outgoing webhook.
var sunk = responsehub.AddressID(contoso.Notify.Webhooks[0])

// post takes every delivery.
type post struct{}

func (post) Webhook(context.Context, string, string, time.Time, []byte) error { return nil }
func (post) Chat(context.Context, string, []byte) error                       { return nil }

// destinations are the real ones on a real list, in which incidents are one that sunk was
// given up for.
func destinations(t *testing.T) *hook.Destinations {
	rdb, _ := storetest.Mini(t)
	dir := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
	if err := dir.Apply(t.Context(), responsehub.Hub.By(), []responsehub.Tenant{contoso, fabrikam}, nil); err != nil {
		t.Fatal(err)
	}
	inc := &responsehub.Incident{ID: "i1", Hooks: map[string]responsehub.HookRef{sunk: {Tries: 9, Since: time.Now(), Failure: "It answered 410.", Dead: true}}}
	return hook.NewDestinations(hook.Office{
		Directory: dir, Sender: post{},
		Secret: func(string, int) responsehub.Secret { return "whsec_SHOWN-ONCE" },
		Incidents: func(context.Context, responsehub.Actor, string, int) ([]*responsehub.Incident, error) {
			return []*responsehub.Incident{inc}, nil
		},
		Amend: func(_ context.Context, _ string, edit responsehub.Edit) error { return edit(inc) },
	})
}

func TestAWebhooksSecretIsShownOnce(t *testing.T) {
	h := newHub(t, api.Config{Destinations: destinations(t)})
	got := h.ask("admin", "POST", "/v1/tenants/t1/destinations", `{"address":"https://new.test/HIDDEN"}`)
	var made api.SignedDestination
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != http.StatusCreated || made.Secret != "whsec_SHOWN-ONCE" {
		t.Fatalf("%d %s (%v)", got.status, got.body, err)
	}
	list := h.ask("admin", "GET", "/v1/tenants/t1/destinations", "")
	if !strings.Contains(list.body, made.ID) || !strings.Contains(list.body, `"failure":"It answered 410."`) || !strings.Contains(list.body, `"kind":"slack"`) {
		t.Errorf("the list is %s", list.body)
	}
	for _, hidden := range []string{"whsec_", "HIDDEN", "HOOK-SECRET", "SLACK-SECRET"} {
		if strings.Contains(list.body, hidden) {
			t.Errorf("the list tells %s: %s", hidden, list.body)
		}
	}
	for _, path := range []string{"rotate", "test", "retry"} {
		if got := h.ask("responder", "POST", "/v1/tenants/t1/destinations/"+sunk+"/"+path, ""); got.status != http.StatusForbidden {
			t.Errorf("a responder's %s: %d", path, got.status)
		}
		if got := h.ask("contoso admin", "POST", "/v1/tenants/t2/destinations/"+sunk+"/"+path, ""); got.status != http.StatusNotFound {
			t.Errorf("another tenant's administrator's %s: %d", path, got.status)
		}
	}
	if got := h.ask("contoso admin", "POST", "/v1/tenants/t1/destinations/"+sunk+"/retry", ""); !strings.Contains(got.body, `"incidents":1`) {
		t.Errorf("a retry: %s", got.body)
	}
}
