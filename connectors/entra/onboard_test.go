package entra

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"responsehub"
	simlogin "responsehub/sim/login"
	simtenant "responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const backHere = "https://hub.test/onboard/back"

// visited is a sign-in service with two customers, and a browser that stops before the hub.
type visited struct {
	*httptest.Server
	world   *simtenant.World
	browser *http.Client
	login   *Login
}

const otherTenant = "33333333-3333-4333-8333-333333333333"

func newVisited(t *testing.T) *visited {
	t.Helper()
	w := simtenant.NewWorld()
	w.AddClient(simtenant.Client{ID: clientID, Name: "Hub", HomeTenant: "44444444-4444-4444-8444-444444444444", Secret: secret})
	for id, name := range map[string]string{tenantID: "Contoso", otherTenant: "Fabrikam"} {
		c := w.AddTenant(simtenant.Tenant{ID: id, Name: name, Domains: []simtenant.Domain{{Name: strings.ToLower(name) + ".example", AuthenticationType: "Managed"}}})
		c.AddUser(simtenant.Person{UPN: "admin@" + strings.ToLower(name) + ".example", Name: "Admin of " + name, Roles: []string{"Global Administrator"}})
	}
	service := simlogin.New(w, wire.NewLog())
	service.AllowBack(backHere)
	v := &visited{Server: httptest.NewTLSServer(service), world: w}
	t.Cleanup(v.Close)
	v.browser = v.Client()
	v.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var err error
	if v.login, err = New(Config{ClientID: clientID, ClientSecret: secret, Authority: v.URL}, v.Client()); err != nil {
		t.Fatal(err)
	}
	return v
}

// choose opens a page of the sign-in service, presses the button of a customer's
// administrator, and returns what the hub is sent.
func (v *visited) choose(t *testing.T, address, id string) url.Values {
	t.Helper()
	var user string
	v.world.Lock()
	for _, u := range simtenant.Find(v.world, id).Users {
		user = u.ID
	}
	v.world.Unlock()
	resp, err := v.browser.PostForm(address, url.Values{"tenant": {id}, "user": {user}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil || !strings.HasPrefix(to.String(), backHere) {
		t.Fatalf("%d to %v (%v)", resp.StatusCode, to, err)
	}
	return to.Query()
}

func (v *visited) signedIn(ctx context.Context, named, code, nonce, proof string) (Person, error) {
	return v.login.SignedIn(ctx, v.Client(), named, backHere, code, nonce, proof)
}

const aProof = "a-proof-of-at-least-forty-three-characters-is-what-the-rfc-wants"

func TestConsentAndVerifiedSignIn(t *testing.T) {
	v := newVisited(t)
	q := v.choose(t, v.login.OnboardLink("", backHere, "s1"), tenantID)
	if q.Get("admin_consent") != "True" || q.Get("state") != "s1" {
		t.Fatalf("consent came back as %v", q)
	}
	if _, err := v.login.Token(t.Context(), tenantID, "https://graph.microsoft.com"); err != nil {
		t.Errorf("the hub has no token after the consent: %v", err)
	}
	q = v.choose(t, v.login.SignInLink("", backHere, "s2", "n", aProof), tenantID)
	p, err := v.signedIn(t.Context(), "", q.Get("code"), "n", aProof)
	if err != nil || p.Tenant != tenantID || p.Name != "Admin of Contoso" {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := v.signedIn(t.Context(), "", q.Get("code"), "n", aProof); responsehub.KindOf(err) != responsehub.Unauthorized {
		t.Errorf("the same code again: %v", err)
	}
}

// TestWhoSignsInIsWhoTheTokenSays: whatever the hub asked for, the tenant is that of the
// account that signed in.
func TestWhoSignsInIsWhoTheTokenSays(t *testing.T) {
	v := newVisited(t)
	q := v.choose(t, v.login.SignInLink("", backHere, "s", "n", aProof), otherTenant)
	if p, err := v.signedIn(t.Context(), "", q.Get("code"), "n", aProof); err != nil || p.Tenant != otherTenant {
		t.Errorf("%+v %v", p, err)
	}
	for name, c := range map[string]struct{ nonce, proof string }{"another nonce": {"m", aProof}, "another proof": {"n", aProof + "x"}} {
		q := v.choose(t, v.login.SignInLink("", backHere, "s", "n", aProof), tenantID)
		_, err := v.signedIn(t.Context(), "", q.Get("code"), c.nonce, c.proof)
		if responsehub.KindOf(err) != responsehub.Unauthorized || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestATokenOfOtherKeysIsRefused: an id token that somebody else signed, in the name of a
// tenant, is held to the keys of that simtenant.
func TestATokenOfOtherKeysIsRefused(t *testing.T) {
	v, forger := newVisited(t), newVisited(t)
	q := forger.choose(t, forger.login.SignInLink("", backHere, "s", "n", aProof), tenantID)
	// The forger's service answers the code; discovery and keys are the real one's.
	mixed := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			u, _ := url.Parse(forger.URL)
			r = r.Clone(r.Context())
			r.URL.Host, r.Host = u.Host, strings.TrimPrefix(v.URL, "https://")
			return forger.Client().Transport.RoundTrip(r)
		}
		return v.Client().Transport.RoundTrip(r)
	})}
	if _, err := v.login.SignedIn(t.Context(), mixed, "", backHere, q.Get("code"), "n", aProof); responsehub.KindOf(err) != responsehub.Unauthorized || !strings.Contains(err.Error(), "verified") {
		t.Errorf("%v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNobodyIsSentElsewhere(t *testing.T) {
	v := newVisited(t)
	resp, err := v.browser.Get(v.login.OnboardLink(tenantID, "https://evil.test/back", "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("the sign-in service sends back to an address that is not registered: %d", resp.StatusCode)
	}
}
