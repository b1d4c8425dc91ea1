package console_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/console"
	"responsehub/onboard"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

const northwind = "33333333-3333-4333-8333-333333333333"

// consented is a Microsoft whose administrator of Northwind consents and signs in.
type consented struct{}

func (consented) ConsentLink(_, _, state string) string { return "https://login.test/c?state=" + state }

func (consented) SignInLink(_, _, state, _, _ string) string {
	return "https://login.test/a?state=" + state
}

func (consented) SignedIn(context.Context, string, string, string, string, string) (onboard.Visitor, error) {
	return onboard.Visitor{Tenant: northwind}, nil
}

func (consented) Organization(context.Context, string) (string, error) { return northwind, nil }

// growing serves a console that takes tenants in; what it alarms about is in the channel.
func growing(t *testing.T, sub responsehub.Subscription) (*hub, chan string) {
	t.Helper()
	rdb, _ := storetest.Mini(t)
	log := slog.New(slog.DiscardHandler)
	s, dir := store.New(rdb), store.NewDirectory(rdb, log)
	if err := dir.Apply(t.Context(), responsehub.Hub.By(), []responsehub.Tenant{{ID: "contoso", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111", Response: true}}, nil); err != nil {
		t.Fatal(err)
	}
	engine, err := remediation.New(s, s, remediation.Config{Key: make([]byte, remediation.KeySize), Tenants: dir}, log)
	if err != nil {
		t.Fatal(err)
	}
	alarms := make(chan string, 10)
	h := &hub{engine: engine, dir: dir, holders: &holders{}}
	c, err := console.New(console.Config{
		PublicURL: "http://127.0.0.1", Sessions: store.NewSessions(rdb), Keys: h.holders, Subscription: sub,
		Onboarding: onboard.New(onboard.Config{Back: "http://127.0.0.1/onboard/back", Subscription: sub}, consented{}, s, dir, log),
		Alarm:      func(_ context.Context, a responsehub.Alarm) { alarms <- a.Words },
	}, engine, dir, http.DefaultClient, log)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(c)
	t.Cleanup(h.Close)
	return h, alarms
}

func stateIn(t *testing.T, text string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "state=")
	if !ok {
		t.Fatalf("there is no link:\n%s", text)
	}
	return rest[:strings.IndexAny(rest+"<", "<\"& ")]
}

func TestATenantIsOnboardedByALink(t *testing.T) {
	h, _ := growing(t, responsehub.Subscription{})
	_, page, _ := h.post(t, h.in(t, adminKey), "/onboard", url.Values{"name": {"Northwind"}})
	state := stateIn(t, page)
	customer := browser(t) // nobody that the hub knows
	status, _, to := h.get(t, customer, "/onboard/back?admin_consent=True&tenant=11111111-1111-4111-8111-111111111111&state="+state)
	if status != http.StatusSeeOther {
		t.Fatalf("after the consent: %d", status)
	}
	back := "/onboard/back?code=good&state=" + stateIn(t, to.Get("Location"))
	if status, _, _ := h.get(t, customer, back); status != http.StatusOK {
		t.Errorf("after the sign-in: %d", status)
	}
	if got, ok := h.dir.Tenant(northwind); !ok || got.Paused == nil {
		t.Errorf("on the list: %t %+v", ok, got)
	}
	for _, again := range []string{back, "/onboard/back?admin_consent=True&state=" + state} {
		if status, page, _ := h.get(t, browser(t), again); status != http.StatusGone || !strings.Contains(page, "Ask for a new one") {
			t.Errorf("%s again: %d", again, status)
		}
	}
}

func TestPauseAndProductOnTheTenantsPage(t *testing.T) {
	h, _ := growing(t, responsehub.Subscription{})
	b := h.in(t, adminKey)
	h.post(t, b, "/tenants/contoso/pause", url.Values{"on": {"true"}})
	if got, _ := h.dir.Tenant("contoso"); got.Paused == nil {
		t.Fatal("it is not paused")
	}
	if _, page, _ := h.get(t, b, "/tenants/contoso"); !strings.Contains(page, "Resume") {
		t.Error("the page does not offer to resume it")
	}
	h.post(t, b, "/tenants/contoso/pause", url.Values{"on": {"false"}})
	h.post(t, b, "/tenants/contoso/product", url.Values{"product": {"notify"}})
	if got, _ := h.dir.Tenant("contoso"); got.Paused != nil || got.Bought() != responsehub.ProductNotify || got.Response {
		t.Errorf("%+v", got)
	}
	for _, p := range []string{"pause", "product"} {
		if status, _, _ := h.post(t, h.in(t, guestKey), "/tenants/contoso/"+p, url.Values{"on": {"true"}, "product": {"response"}}); status != http.StatusNotFound {
			t.Errorf("a guest of another tenant: %s answered %d", p, status)
		}
	}
}

func TestAnEndedTrialIsSaid(t *testing.T) {
	h, _ := growing(t, responsehub.Subscription{TrialEnds: time.Now().Add(-time.Hour)})
	b := h.in(t, adminKey)
	if _, page, _ := h.get(t, b, "/onboard"); !strings.Contains(page, "so no tenant can be added") || strings.Contains(page, `name="microsoft"`) {
		t.Error("the page does not say why no tenant can be added, or lets one try")
	}
	for _, path := range []string{"/", "/incidents", "/tenants/contoso", "/nowhere"} {
		if _, page, _ := h.get(t, b, path); !strings.Contains(page, "The trial of this hub ended on") {
			t.Errorf("GET %s does not say that the trial ended", path)
		}
	}
	if _, page, _ := h.get(t, h.in(t, guestKey), "/"); strings.Contains(page, "The trial of this hub") {
		t.Error("a customer is told of the trial of the hub")
	}
	h.post(t, b, "/tenants/contoso/product", url.Values{"product": {"notify"}})
	if _, page, _ := h.get(t, b, "/tenants/contoso"); !strings.Contains(page, "Not switched: The trial of this hub ended") {
		t.Error("the page does not say why the product was not switched")
	}
	if got, _ := h.dir.Tenant("contoso"); got.Bought() != responsehub.ProductResponse || !got.Response {
		t.Errorf("%+v", got)
	}
}

func TestAKeysSignInAlarms(t *testing.T) {
	h, alarms := growing(t, responsehub.Subscription{})
	h.in(t, adminKey)
	select {
	case words := <-alarms:
		if !strings.Contains(words, "was used to sign in") {
			t.Error(words)
		}
	default:
		t.Error("nobody is told")
	}
	n, err := h.dir.JournalLength(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last, err := h.dir.Journal(t.Context(), n-1, 1)
	if err != nil || len(last) != 1 || !strings.Contains(string(last[0]), string(responsehub.EventKeySignIn)) {
		t.Errorf("the record ends with %s (%v)", last, err)
	}
	h.post(t, browser(t), "/sign-in/key", url.Values{"key": {"nonsense"}})
	if len(alarms) != 0 {
		t.Error("a key that is not known alarms")
	}
}
