package clients_test

import (
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/console"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// signInDesk is a console whose people sign in with a provider that is not ours.
type signInDesk struct {
	*httptest.Server
	dir      *store.Directory
	provider string
	say      func(limit time.Duration, say, answer any)
}

// newDesk starts a provider and a console. shift moves the provider's clock; issuer is a
// name that is not its address.
func newDesk(t *testing.T, shift int, issuer string) *signInDesk {
	t.Helper()
	return newDeskOf(t, shift, issuer, "")
}

// newDeskOf is newDesk for a console that takes roles from a claim.
func newDeskOf(t *testing.T, shift int, issuer, claim string) *signInDesk {
	t.Helper()
	d := &signInDesk{Server: httptest.NewUnstartedServer(nil)}
	at := "http://" + d.Listener.Addr().String()
	var started struct{ URL, Issuer, Error string }
	d.say = talk(t, "oidc.cjs")
	d.say(30*time.Second, map[string]any{"redirect": at + "/sign-in/back", "shift": shift, "issuer": issuer}, &started)
	if started.Error != "" {
		t.Fatal(started.Error)
	}
	d.provider = started.URL
	rdb, _ := storetest.Mini(t)
	log := slog.New(slog.DiscardHandler)
	s := store.New(rdb)
	d.dir = store.NewDirectory(rdb, log)
	err := d.dir.Apply(t.Context(), responsehub.Hub.By(), nil, []responsehub.Person{
		{ID: "ann", Name: "Ann", EntraObjectID: "aaaaaaaa-0000-4000-8000-000000000001", Role: responsehub.Admin, Tenants: []string{"*"}},
		{ID: "bob", Name: "Bob", Email: "bob@msp.example", Role: responsehub.Reader, Tenants: []string{"*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := remediation.New(s, s, remediation.Config{Key: make([]byte, remediation.KeySize), Tenants: d.dir}, log)
	if err != nil {
		t.Fatal(err)
	}
	c, err := console.New(console.Config{
		PublicURL: at, Sessions: store.NewSessions(rdb),
		OIDC:     &console.OIDC{Issuer: started.URL, ClientID: "console", ClientSecret: "secret-of-the-console", RolesClaim: claim, TenantsClaim: "customers"},
		Visitors: store.NewSessions(rdb),
	}, engine, d.dir, &http.Client{Timeout: 10 * time.Second}, log)
	if err != nil {
		t.Fatal(err)
	}
	d.Config.Handler = c
	d.Start()
	t.Cleanup(d.Close)
	return d
}

// walker follows a sign-in as a browser would, and can stop before the console.
type walker struct {
	*http.Client
	back string // the address with which the provider sends back
}

func (d *signInDesk) walker(t *testing.T) *walker {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &walker{}
	w.Client = &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), d.URL+"/sign-in/back") {
			w.back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return w
}

func (w *walker) read(t *testing.T, resp *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (w *walker) get(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := w.Get(address)
	return w.read(t, resp, err)
}

var formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)

// signIn goes through the provider's pages as a person, up to the way back.
func (w *walker) signIn(t *testing.T, start, who string) string {
	t.Helper()
	w.back = ""
	_, body := w.get(t, start)
	for range 3 {
		if w.back != "" {
			return w.back
		}
		action := formAction.FindStringSubmatch(body)
		if action == nil {
			t.Fatalf("the provider shows no form:\n%s", body)
		}
		form := url.Values{"prompt": {"consent"}}
		if strings.Contains(body, `name="login"`) {
			form = url.Values{"prompt": {"login"}, "login": {who}, "password": {"anything"}}
		}
		resp, err := w.PostForm(html.UnescapeString(action[1]), form)
		_, body = w.read(t, resp, err)
	}
	if w.back == "" {
		t.Fatalf("the provider does not send back:\n%s", body)
	}
	return w.back
}

func (d *signInDesk) signIn(t *testing.T, who string) (*walker, int, string) {
	t.Helper()
	w := d.walker(t)
	status, body := w.get(t, w.signIn(t, d.URL+"/sign-in/start", who))
	return w, status, body
}

func TestPeopleSignInWithAProviderThatIsNotOurs(t *testing.T) {
	d := newDesk(t, 0, "")
	ann, status, body := d.signIn(t, "ann")
	if status != http.StatusOK || !strings.Contains(body, "Ann, admin") {
		t.Fatalf("ann, by her object id: %d\n%s", status, body)
	}
	if _, status, body := d.signIn(t, "bob"); status != http.StatusOK || !strings.Contains(body, "Bob, reader") {
		t.Errorf("bob, by his verified address: %d\n%s", status, body)
	}
	for who, why := range map[string]string{"eve": "an address that the provider did not verify", "zoe": "somebody who is not on the list"} {
		_, status, body := d.signIn(t, who)
		if status != http.StatusForbidden || !strings.Contains(body, "not on this hub") {
			t.Errorf("%s: %d\n%s", why, status, body)
		}
		if who == "zoe" && !strings.Contains(body, "aaaaaaaa-0000-4000-8000-000000000009") {
			t.Error("who is not on the list does not learn the id to give to the administrator")
		}
	}
	if err := d.dir.RemovePerson(t.Context(), responsehub.Hub.By(), "ann"); err != nil {
		t.Fatal(err)
	}
	if _, body := ann.get(t, d.URL+"/"); strings.Contains(body, "Ann, admin") {
		t.Error("who was removed is still signed in")
	}
}

func TestRolesOfTheProvider(t *testing.T) {
	d := newDeskOf(t, 0, "", "roles")
	err := d.dir.Apply(t.Context(), responsehub.Hub.By(), []responsehub.Tenant{
		{ID: "contoso", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"},
		{ID: "fabrikam", Name: "Fabrikam", MicrosoftTenantID: "22222222-2222-4222-8222-222222222222"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	kim, status, body := d.signIn(t, "kim")
	if status != http.StatusOK || !strings.Contains(body, "Kim, responder") || !strings.Contains(body, "Fabrikam") {
		t.Fatalf("kim, by the strongest role of her claim: %d\n%s", status, body)
	}
	if _, status, body := d.signIn(t, "gus"); status != http.StatusOK || !strings.Contains(body, "Gus, guest") || !strings.Contains(body, "Contoso") || strings.Contains(body, "Fabrikam") {
		t.Errorf("gus, a guest of one customer whatever else he names: %d\n%s", status, body)
	}
	for who, why := range map[string]string{"guy": "a guest of nobody", "zoe": "somebody without the claim"} {
		if _, status, _ := d.signIn(t, who); status != http.StatusForbidden {
			t.Errorf("%s: %d", why, status)
		}
	}
	if _, status, body := d.signIn(t, "ann"); status != http.StatusOK || !strings.Contains(body, "Ann, admin") {
		t.Errorf("ann, who is on the list: %d\n%s", status, body)
	}
	// Her role is taken away: at the next sign-in she is refused, and the session of before
	// is over too, though it is in another browser.
	d.say(10*time.Second, map[string]any{"who": "kim", "roles": []string{}}, &struct{}{})
	if _, body := kim.get(t, d.URL+"/"); !strings.Contains(body, "Kim, responder") {
		t.Error("a session ended before anybody signed in anew")
	}
	if _, status, _ := d.signIn(t, "kim"); status != http.StatusForbidden {
		t.Errorf("kim without her role: %d", status)
	}
	if _, body := kim.get(t, d.URL+"/"); strings.Contains(body, "Kim, responder") {
		t.Error("the session of before goes on")
	}
}

func TestRolesCountOnlyWhereTheConfigurationNamesTheClaim(t *testing.T) {
	d := newDesk(t, 0, "")
	if _, status, body := d.signIn(t, "kim"); status != http.StatusForbidden || !strings.Contains(body, "not on this hub") {
		t.Errorf("%d\n%s", status, body)
	}
}

func TestSignInsThatAreNotOursAreRefused(t *testing.T) {
	d := newDesk(t, 0, "")
	w := d.walker(t)
	back := w.signIn(t, d.URL+"/sign-in/start", "ann")

	stranger := d.walker(t)
	if status, _ := stranger.get(t, back); status != http.StatusBadRequest {
		t.Errorf("the way back in another browser: %d", status)
	}
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("state", "another")
	u.RawQuery = q.Encode()
	other := d.walker(t)
	_ = other.signIn(t, d.URL+"/sign-in/start", "ann")
	if status, _ := other.get(t, u.String()); status != http.StatusBadRequest {
		t.Errorf("another state: %d", status)
	}
	if status, body := w.get(t, back); status != http.StatusOK || !strings.Contains(body, "Ann, admin") {
		t.Fatalf("the right way back: %d\n%s", status, body)
	}
	if status, _ := w.get(t, back); status != http.StatusBadRequest {
		t.Errorf("the same code again: %d", status)
	}

	// A code of somebody else's sign-in, put into ours: the proof of who began it differs.
	mine, theirs := d.walker(t), d.walker(t)
	foreign, err := url.Parse(theirs.signIn(t, d.URL+"/sign-in/start", "ann"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse(mine.signIn(t, d.URL+"/sign-in/start", "bob"))
	if err != nil {
		t.Fatal(err)
	}
	q = own.Query()
	q.Set("code", foreign.Query().Get("code"))
	own.RawQuery = q.Encode()
	if status, body := mine.get(t, own.String()); status != http.StatusUnauthorized || strings.Contains(body, "Ann, admin") {
		t.Errorf("a foreign code: %d\n%s", status, body)
	}
}

func TestATokenForAnotherNonceIsRefused(t *testing.T) {
	d := newDesk(t, 0, "")
	w := d.walker(t)
	follow := w.CheckRedirect
	var asked *url.URL
	w.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), d.provider) && r.URL.Query().Get("nonce") != "" && asked == nil {
			asked = r.URL
			return http.ErrUseLastResponse
		}
		return follow(r, via)
	}
	w.get(t, d.URL+"/sign-in/start")
	q := asked.Query()
	q.Set("nonce", "somebody-elses")
	asked.RawQuery = q.Encode()
	if status, body := w.get(t, w.signIn(t, asked.String(), "ann")); status != http.StatusBadRequest || strings.Contains(body, "Ann, admin") {
		t.Errorf("%d\n%s", status, body)
	}
}

func TestATokenThatExpiredIsRefused(t *testing.T) {
	d := newDesk(t, -7*3600, "")
	if _, status, body := d.signIn(t, "ann"); status != http.StatusUnauthorized {
		t.Errorf("%d\n%s", status, body)
	}
}

func TestAnIssuerUnderAnotherNameIsRefused(t *testing.T) {
	d := newDesk(t, 0, "https://login.elsewhere.example")
	w := d.walker(t)
	if status, body := w.get(t, d.URL+"/sign-in/start"); status != http.StatusServiceUnavailable || !strings.Contains(body, "cannot be reached") {
		t.Errorf("%d\n%s", status, body)
	}
}
