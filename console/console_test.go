package console_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/audit"
	"responsehub/console"
	"responsehub/documents"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

const (
	adminKey  = "the-key-of-an-admin"
	guestKey  = "the-key-of-a-guest"
	readerKey = "the-key-of-a-reader"
	hostile   = `<script>alert(1)</script><img src=x onerror=alert(2)>`
)

// holders knows three keys. One that is gone is nobody's.
type holders struct{ gone string }

func (h *holders) Identify(key responsehub.Secret) (responsehub.Actor, error) {
	switch string(key) {
	case adminKey:
		return h.Holder("key:admin")
	case guestKey:
		return h.Holder("key:guest")
	case readerKey:
		return h.Holder("key:reader")
	}
	return responsehub.Actor{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "not known"}
}

func (h *holders) Holder(id string) (responsehub.Actor, error) {
	switch {
	case id == h.gone:
	case id == "key:admin":
		return responsehub.Actor{ID: id, Name: "Ann", Role: responsehub.Admin, Tenants: []string{"*"}}, nil
	case id == "key:reader":
		return responsehub.Actor{ID: id, Name: "Rea", Role: responsehub.Reader, Tenants: []string{"*"}}, nil
	case id == "key:guest":
		return responsehub.Actor{ID: id, Name: "Gil", Role: responsehub.Guest, Tenants: []string{"Fabrikam"}}, nil
	}
	return responsehub.Actor{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "removed"}
}

type hub struct {
	*httptest.Server
	engine  *remediation.Engine
	dir     *store.Directory
	holders *holders
}

// start serves a console on the real engine and a Redis of the test's own.
func start(t *testing.T) *hub { return startWith(t, func(*hub, *console.Config) {}) }

// startWith starts it with a configuration that was changed.
func startWith(t *testing.T, change func(*hub, *console.Config)) *hub {
	t.Helper()
	rdb, _ := storetest.Mini(t)
	log := slog.New(slog.DiscardHandler)
	s, dir := store.New(rdb), store.NewDirectory(rdb, log)
	err := dir.Apply(t.Context(), responsehub.Hub.By(), []responsehub.Tenant{
		{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111", Notify: responsehub.Notify{Teams: []string{"19:a@thread.tacv2"}}},
		{V: 1, ID: "fabrikam", Name: "Fabrikam", MicrosoftTenantID: "22222222-2222-4222-8222-222222222222"},
	}, []responsehub.Person{{V: 1, ID: "bob", Name: "Bob", Role: responsehub.Responder, Email: "bob@msp.example", Tenants: []string{"*"}}})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := remediation.New(s, s, remediation.Config{Key: make([]byte, remediation.KeySize), Tenants: dir}, log)
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{engine: engine, dir: dir, holders: &holders{}}
	office, err := documents.New(documents.Config{Secret: make([]byte, 32)}, engine)
	if err != nil {
		t.Fatal(err)
	}
	cfg := console.Config{PublicURL: "http://127.0.0.1", Sessions: store.NewSessions(rdb), Keys: h.holders, Documents: office}
	outside{}.config(&cfg)
	change(h, &cfg)
	c, err := console.New(cfg, engine, dir, http.DefaultClient, log)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(c)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done; h.CloseClientConnections(); h.Close() })
	return h
}

// open opens an incident at Contoso whose words are a stranger's.
func (h *hub) open(t *testing.T) *responsehub.Incident {
	t.Helper()
	inc, _, err := h.engine.Open(t.Context(), responsehub.Delivery{Source: "petra", ID: "d1", BodyHash: "x"}, &responsehub.Alert{
		Version: "1", ID: "a1", DetectedAt: time.Now(), Severity: responsehub.Critical, Title: "Account takeover " + hostile, Summary: hostile,
		Tenant:   responsehub.AlertTenant{MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"},
		Account:  responsehub.Account{UserPrincipalName: "pat@contoso.example", DisplayName: hostile},
		Evidence: []responsehub.Evidence{{Text: hostile}}, Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r1", Name: hostile}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return inc
}

// browser keeps cookies and does not follow.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (h *hub) get(t *testing.T, b *http.Client, path string) (int, string, http.Header) {
	t.Helper()
	return h.do(t, b, http.MethodGet, path, nil, nil)
}

func (h *hub) post(t *testing.T, b *http.Client, path string, form url.Values) (int, string, http.Header) {
	t.Helper()
	return h.do(t, b, http.MethodPost, path, form, nil)
}

func (h *hub) do(t *testing.T, b *http.Client, method, path string, form url.Values, extra http.Header) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range extra {
		req.Header[k] = v
	}
	resp, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// in signs somebody in.
func (h *hub) in(t *testing.T, key string) *http.Client {
	t.Helper()
	b := browser(t)
	if status, _, to := h.post(t, b, "/sign-in/key", url.Values{"key": {key}}); status != http.StatusSeeOther || to.Get("Location") != "/" {
		t.Fatalf("signing in answered %d to %q", status, to.Get("Location"))
	}
	return b
}

func TestStrangersAreSentToSignInAndBack(t *testing.T) {
	h := start(t)
	b := browser(t)
	status, _, header := h.get(t, b, "/incidents?status=active")
	if status != http.StatusSeeOther || header.Get("Location") != "/sign-in?back="+url.QueryEscape("/incidents?status=active") {
		t.Fatalf("answered %d to %q", status, header.Get("Location"))
	}
	h.get(t, b, header.Get("Location"))
	_, _, header = h.post(t, b, "/sign-in/key", url.Values{"key": {adminKey}})
	if got := header.Get("Location"); got != "/incidents?status=active" {
		t.Errorf("after signing in the browser is sent to %q", got)
	}
}

// TestThePageAskedForLastIsTheOneMeant: who asked for a page, and then for the front door.
func TestThePageAskedForLastIsTheOneMeant(t *testing.T) {
	h := start(t)
	b := browser(t)
	h.get(t, b, "/sign-in?back=/incidents")
	h.get(t, b, "/sign-in")
	_, _, header := h.post(t, b, "/sign-in/key", url.Values{"key": {adminKey}})
	if got := header.Get("Location"); got != "/" {
		t.Errorf("after signing in the browser is sent to %q", got)
	}
}

func TestNobodyIsSentToAnotherSite(t *testing.T) {
	h := start(t)
	for _, back := range []string{"//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "\\\\evil.example", "evil.example"} {
		b := browser(t)
		h.get(t, b, "/sign-in?back="+url.QueryEscape(back))
		_, _, header := h.post(t, b, "/sign-in/key", url.Values{"key": {adminKey}})
		if got := header.Get("Location"); got != "/" {
			t.Errorf("back=%q sends the browser to %q", back, got)
		}
	}
}

func TestNothingIsShownOrDoneWithoutSigningIn(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := browser(t)
	for _, path := range []string{"/", "/incidents", "/incidents/" + inc.ID, "/incidents/" + inc.ID + "/panel", "/incidents/" + inc.ID + "/live", "/live", "/lanes", "/tenants/contoso", "/people", "/keys", "/audit"} {
		status, body, _ := h.get(t, b, path)
		if status != http.StatusSeeOther && status != http.StatusUnauthorized {
			t.Errorf("GET %s answered %d", path, status)
		}
		if strings.Contains(body, inc.Ref) || strings.Contains(body, "Contoso") {
			t.Errorf("GET %s shows a stranger the incident", path)
		}
	}
	for _, path := range []string{"/tenants/contoso/response", "/incidents/" + inc.ID + "/steps/publish", "/incidents/" + inc.ID + "/acknowledge", "/incidents/" + inc.ID + "/password/reveal"} {
		if status, _, _ := h.post(t, b, path, url.Values{"on": {"true"}}); status != http.StatusUnauthorized {
			t.Errorf("POST %s answered %d", path, status)
		}
	}
	if now, err := h.engine.Incident(t.Context(), responsehub.Hub, inc.ID); err != nil || now.Revision != inc.Revision {
		t.Errorf("a stranger's form changed the incident (%v)", err)
	}
}

func TestASessionPlantedBeforehandIsWorthNothing(t *testing.T) {
	h := start(t)
	b := browser(t)
	h.get(t, b, "/sign-in?back=/incidents")
	at, _ := url.Parse(h.URL)
	before := b.Jar.Cookies(at)
	if len(before) != 1 {
		t.Fatalf("%d cookies before signing in", len(before))
	}
	h.post(t, b, "/sign-in/key", url.Values{"key": {adminKey}})
	if after := b.Jar.Cookies(at); after[0].Value == before[0].Value {
		t.Error("the session's token stayed the same")
	}
	old := browser(t)
	old.Jar.SetCookies(at, before)
	if status, _, _ := h.get(t, old, "/"); status != http.StatusSeeOther {
		t.Errorf("the old token lets in: %d", status)
	}
}

// TestAStrangersSessionIsBrief: anybody can begin one, and Redis must not fill up.
func TestAStrangersSessionIsBrief(t *testing.T) {
	h := start(t)
	b := browser(t)
	if _, _, header := h.get(t, b, "/sign-in"); header.Get("Set-Cookie") != "" {
		t.Error("a look at the sign-in page begins a session")
	}
	for what, header := range map[string]http.Header{
		"a way back":  third(h.get(t, b, "/sign-in?back=/incidents")),
		"a wrong key": third(h.post(t, browser(t), "/sign-in/key", url.Values{"key": {"wrong"}})),
	} {
		c, err := http.ParseSetCookie(header.Get("Set-Cookie"))
		if err != nil || c.MaxAge > 16*60 {
			t.Errorf("%s keeps a session for %d s (%v)", what, c.MaxAge, err)
		}
	}
	_, _, header := h.post(t, b, "/sign-in/key", url.Values{"key": {adminKey}})
	if c, err := http.ParseSetCookie(header.Get("Set-Cookie")); err != nil || c.MaxAge < 60*60 {
		t.Errorf("who signed in stays for %d s (%v)", c.MaxAge, err)
	}
}

func third(_ int, _ string, header http.Header) http.Header { return header }

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := h.in(t, adminKey)
	for name, header := range map[string]http.Header{
		"fetch metadata": {"Sec-Fetch-Site": {"cross-site"}}, "same site": {"Sec-Fetch-Site": {"same-site"}}, "origin": {"Origin": {"https://evil.example"}},
	} {
		status, _, _ := h.do(t, b, http.MethodPost, "/incidents/"+inc.ID+"/steps/publish", url.Values{}, header)
		if status != http.StatusForbidden {
			t.Errorf("%s: answered %d", name, status)
		}
	}
	if now, _ := h.engine.Incident(t.Context(), responsehub.Hub, inc.ID); now.State != responsehub.Unpublished {
		t.Error("a foreign form published the incident")
	}
}

var (
	inline   = regexp.MustCompile(`(?i)<script|<[a-z][^>]*\s(?:on[a-z]+|style)=|javascript:|<img src=x`)
	addresse = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
)

func TestPagesHoldNothingOfAStrangersAndNothingFromElsewhere(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := h.in(t, adminKey)
	for _, path := range []string{"/", "/incidents", "/incidents/" + inc.ID, "/incidents/" + inc.ID + "/panel", "/incidents/" + inc.ID + "?timeline=full", "/incidents/" + inc.ID + "/letters", "/lanes", "/tenants/contoso", "/people", "/people?id=bob", "/keys", "/audit", "/reports", "/sources", "/sign-in"} {
		who := b
		if path == "/sign-in" {
			who = browser(t)
		}
		status, body, header := h.get(t, who, path)
		if status != http.StatusOK {
			t.Fatalf("GET %s answered %d", path, status)
		}
		plain := strings.ReplaceAll(body, `<script src="/static/console.js" defer></script>`, "")
		if m := inline.FindString(plain); m != "" {
			t.Errorf("GET %s: the page holds %q", path, m)
		}
		for _, m := range addresse.FindAllStringSubmatch(body, -1) {
			if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "#") {
				t.Errorf("GET %s: the page points to %q", path, m[1])
			}
		}
		for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
			if !strings.Contains(header.Get(name), want) {
				t.Errorf("GET %s: %s is %q", path, name, header.Get(name))
			}
		}
	}
}

// TestRefusalsAreGuardedToo: what is refused, and what is not there, is no page to frame,
// and leads nobody to another site.
func TestRefusalsAreGuardedToo(t *testing.T) {
	h := start(t)
	b := h.in(t, adminKey)
	for _, path := range []string{"/nowhere", "/incidents/nothing", "/onboard/back?state=x", "/sign-in/back?state=x", "/static/nothing.css"} {
		status, body, header := h.do(t, b, http.MethodGet, path, nil, http.Header{"Referer": {"https://hub.example//evil.example/"}})
		if status < 400 || header.Get("X-Frame-Options") != "DENY" || !strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("GET %s answered %d with %v", path, status, header)
		}
		if strings.Contains(body, "evil.example") {
			t.Errorf("GET %s leads to where the browser says that it came from:\n%s", path, body)
		}
	}
	if _, _, header := h.do(t, b, http.MethodPost, "/tenants/contoso/response", url.Values{"on": {"true"}}, http.Header{"Referer": {"https://hub.example//evil.example/"}}); header.Get("Location") != "/" {
		t.Errorf("after the switch the browser is sent to %q", header.Get("Location"))
	}
}

func TestAGuestSeesHisTenantOnly(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := h.in(t, guestKey)
	_, home, _ := h.get(t, b, "/")
	if strings.Contains(home, "Contoso") || !strings.Contains(home, "Fabrikam") || strings.Contains(home, inc.Ref) {
		t.Error("the guest's list is not his tenant alone")
	}
	if status, body, _ := h.get(t, b, "/incidents/"+inc.ID); status != http.StatusNotFound || strings.Contains(body, "Contoso") {
		t.Errorf("another tenant's incident answers %d", status)
	}
	if status, _, _ := h.post(t, b, "/tenants/fabrikam/response", url.Values{"on": {"true"}}); status != http.StatusForbidden {
		t.Errorf("the guest's switch answered %d", status)
	}
	if tenant, _ := h.dir.Tenant("fabrikam"); tenant.Response {
		t.Error("a guest turned Response on")
	}
}

func TestSettingsOfATenant(t *testing.T) {
	h := start(t)
	b := h.in(t, adminKey)
	form := url.Values{"teams": {"19:a@thread.tacv2"}, "more-teams": {" 19:b@thread.tacv2 \r\n\r\n"}, "person": {"bob", "", ""}, "wait": {"120"}, "rounds": {"2"}, "mail": {"soc@msp.example"}, "slack": {"https://hooks.slack.test/secret"}}
	h.post(t, b, "/tenants/contoso/settings/told", form)
	tenant, _ := h.dir.Tenant("contoso")
	if n := tenant.Notify; len(n.Teams) != 2 || n.Phone == nil || n.Phone.Wait != 2*time.Minute || n.Phone.Rounds != 2 || !slices.Equal(n.Phone.Sequence, []string{"bob"}) || len(n.Slack) != 1 {
		t.Fatalf("stored %+v", n)
	}
	if _, body, _ := h.get(t, b, "/tenants/contoso"); strings.Contains(body, "hooks.slack.test") || !strings.Contains(body, "1 kept") {
		t.Error("the page shows the address of a webhook, which is a secret")
	}
	form.Set("mail", "not an address")
	h.post(t, b, "/tenants/contoso/settings/told", form)
	if _, body, _ := h.get(t, b, "/tenants/contoso"); !strings.Contains(body, "Not saved") || !strings.Contains(body, "is no mail address") {
		t.Error("a faulty address is not refused with a sentence")
	}
	h.post(t, b, "/tenants/contoso/settings/guards", url.Values{"mode": {"manual"}, "locks": {"3"}, "glass": {"glass@contoso.example"}, "second": {"admins"}})
	h.post(t, b, "/tenants/fabrikam/settings/copy", url.Values{"from": {"contoso"}})
	copied, _ := h.dir.Tenant("fabrikam")
	if copied.PasswordMode != responsehub.PasswordManual || copied.LocksPerHour() != 3 || len(copied.Notify.Mail) != 1 || len(copied.BreakGlass) != 0 {
		t.Errorf("copied %+v", copied)
	}
	if _, body, _ := h.get(t, b, "/audit"); !strings.Contains(body, "who is told") || !strings.Contains(body, "settings copied from Contoso") || !strings.Contains(body, "Ann") {
		t.Error("the record does not say who changed what")
	}
	h.post(t, b, "/tenants/fabrikam/remove", url.Values{"name": {"something else"}})
	if _, there := h.dir.Tenant("fabrikam"); !there {
		t.Error("a tenant was removed without its name being typed")
	}
	h.post(t, b, "/tenants/fabrikam/remove", url.Values{"name": {"Fabrikam"}})
	if _, there := h.dir.Tenant("fabrikam"); there {
		t.Error("the tenant is still there")
	}
}

func TestPeople(t *testing.T) {
	h := start(t)
	b := h.in(t, adminKey)
	h.post(t, b, "/people", url.Values{"id": {"eve"}, "name": {"Eve"}, "role": {"guest"}, "tenants": {"*"}})
	if _, body, _ := h.get(t, b, "/people"); !strings.Contains(body, "A guest sees named tenants only.") {
		t.Error("a guest for all tenants is not refused with a sentence")
	}
	h.post(t, b, "/people", url.Values{"id": {"eve"}, "name": {"Eve"}, "role": {"guest"}, "tenants": {"Fabrikam"}, "phone": {"+1 (555) 010-0199"}})
	if !slices.ContainsFunc(h.dir.People(), func(p responsehub.Person) bool { return p.ID == "eve" && p.Phone == "+15550100199" }) {
		t.Errorf("people are %+v", h.dir.People())
	}
	h.post(t, b, "/people/eve/remove", url.Values{})
	if len(h.dir.People()) != 1 {
		t.Error("the person is still there")
	}
	guest := h.in(t, guestKey)
	for _, path := range []string{"/people", "/keys", "/audit"} {
		if status, _, _ := h.get(t, guest, path); status != http.StatusForbidden {
			t.Errorf("a guest's GET %s answers %d", path, status)
		}
	}
	for _, path := range []string{"/people", "/people/bob/remove", "/keys", "/automatic", "/tenants/fabrikam/settings/guards", "/tenants/fabrikam/remove", "/lanes/x"} {
		if status, _, _ := h.post(t, guest, path, url.Values{"name": {"Fabrikam"}, "on": {"false"}}); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("a guest's POST %s answers %d", path, status)
		}
	}
	if len(h.dir.People()) != 1 || h.dir.Settings().Stopped != nil {
		t.Error("a guest's form did something")
	}
}

func TestDocumentsAreSaved(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := h.in(t, adminKey)
	for path, name := range map[string]string{
		"/incidents/" + inc.ID + "/report/pdf": inc.Ref + ".pdf", "/incidents/" + inc.ID + "/report/html": inc.Ref + ".html",
		"/incidents/" + inc.ID + "/evidence":                                     strings.ToLower(inc.Ref) + "-evidence.json",
		"/reports/period?tenant=contoso&from=2020-01-01&to=2100-01-01&form=xlsx": "incidents-2020-01-01-2100-01-01.xlsx",
	} {
		status, body, header := h.get(t, b, path)
		if status != http.StatusOK || body == "" || header.Get("Content-Disposition") != "attachment; filename="+name {
			t.Errorf("GET %s answered %d, %q", path, status, header.Get("Content-Disposition"))
		}
		if strings.HasSuffix(name, ".json") {
			if _, err := audit.Verify([]byte(body), nil); err != nil {
				t.Error(err)
			}
		}
	}
	guest := h.in(t, guestKey)
	for _, path := range []string{"/report/pdf", "/evidence"} {
		if status, _, _ := h.get(t, guest, "/incidents/"+inc.ID+path); status != http.StatusNotFound {
			t.Errorf("a guest's %s answers %d", path, status)
		}
	}
	for _, path := range []string{"/reports/period", "/reports/period?from=2020-01-01&to=2019-01-01&form=pdf", "/reports/period?from=2020-01-01&to=2021-01-01&form=doc"} {
		if status, _, _ := h.get(t, b, path); status != http.StatusBadRequest {
			t.Errorf("GET %s answered %d", path, status)
		}
	}
}

func TestWhoIsRemovedIsOutAtOnce(t *testing.T) {
	h := start(t)
	b := h.in(t, adminKey)
	h.holders.gone = "key:admin"
	if status, _, _ := h.get(t, b, "/"); status != http.StatusSeeOther {
		t.Errorf("answered %d", status)
	}
}

func TestPublishAndTheSentenceOfAShutGate(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := h.in(t, adminKey)
	page := "/incidents/" + inc.ID
	_, body, _ := h.get(t, b, page)
	if !strings.Contains(body, "Publish Incident") || strings.Contains(body, "1 Revoke sessions and lock account</button>") {
		t.Error("before Publish the page does not offer Publish alone")
	}
	h.post(t, b, page+"/steps/lock", url.Values{"command_id": {"c0"}})
	if _, body, _ = h.get(t, b, page); !strings.Contains(body, "Publish") || strings.Contains(body, "Revoke sessions and lock account: started.") {
		t.Error("a step before Publish is not refused with a sentence")
	}
	for range 2 { // the same form twice
		if status, _, _ := h.post(t, b, page+"/steps/publish", url.Values{"command_id": {"c1"}}); status != http.StatusSeeOther {
			t.Fatalf("answered %d", status)
		}
	}
	if _, body, _ = h.get(t, b, page); !strings.Contains(body, `class="prime">1 Revoke sessions and lock account`) {
		t.Error("after Publish the first step is not the red button")
	}
	h.post(t, b, page+"/steps/password", url.Values{"command_id": {"c2"}})
	if _, body, _ = h.get(t, b, page); !strings.Contains(body, "inbox rule") {
		t.Error("the shut gate's sentence does not name what is open")
	}
}

func TestAScreenSeesAChangeWithinASecond(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	b := h.in(t, adminKey)
	b.Timeout = 0
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/incidents/"+inc.ID+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	until(t, lines, "event: changed") // the first look
	changed := time.Now()
	if _, err := h.engine.Acknowledge(t.Context(), responsehub.Actor{ID: "person:bob", Name: "Bob", Role: responsehub.Responder, Tenants: []string{"*"}}, inc.ID, "a"); err != nil {
		t.Fatal(err)
	}
	until(t, lines, "event: changed")
	if took := time.Since(changed); took > 3*time.Second {
		t.Errorf("the screen was told after %s", took)
	}
	if _, body, _ := h.get(t, b, "/incidents/"+inc.ID+"/panel"); !strings.Contains(body, "Bob took it") {
		t.Error("the live part does not show who took it")
	}
}

func until(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	for line := range lines {
		if line == want {
			return
		}
	}
	t.Fatalf("the line ended before %q", want)
}

func TestTooMuchAndNonsenseIsAnsweredInWords(t *testing.T) {
	h := start(t)
	inc := h.open(t)
	if status, _, _ := h.get(t, browser(t), "/v2/nowhere"); status != http.StatusNotFound {
		t.Errorf("a stranger's mistyped address answered %d", status)
	}
	b := h.in(t, adminKey)
	for path, want := range map[string]int{
		"/incidents/nothing": http.StatusNotFound, "/incidents/%00": http.StatusNotFound, "/incidents?status=nonsense": http.StatusBadRequest, "/incidents?cursor=nonsense": http.StatusBadRequest,
		"/nowhere": http.StatusNotFound,
	} {
		if status, body, _ := h.get(t, b, path); status != want || strings.TrimSpace(body) == "" {
			t.Errorf("GET %s answered %d, want %d", path, status, want)
		}
	}
	status, _, _ := h.post(t, b, "/incidents/"+inc.ID+"/steps/publish", url.Values{"reason": {strings.Repeat("x", 1<<20)}})
	if !slices.Contains([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge}, status) {
		t.Errorf("a form of 1 MB answered %d", status)
	}
	if status, _, _ := h.post(t, b, "/incidents/"+inc.ID+"/steps/nonsense", url.Values{}); status != http.StatusNotFound {
		t.Errorf("an unknown step answered %d", status)
	}
}

var errNoSessions = errors.New("no sessions")

type noSessions struct{}

func (noSessions) Find(string) ([]byte, bool, error)      { return nil, false, errNoSessions }
func (noSessions) Commit(string, []byte, time.Time) error { return errNoSessions }
func (noSessions) Delete(string) error                    { return errNoSessions }

func TestWithoutTheStoreAPageSaysSo(t *testing.T) {
	h := start(t)
	c, err := console.New(console.Config{Sessions: noSessions{}}, h.engine, h.dir, http.DefaultClient, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "responsehub", Value: "x"})
	c.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "cannot reach its store") {
		t.Errorf("answered %d: %s", w.Code, w.Body)
	}
}
