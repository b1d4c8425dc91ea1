package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/console"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// stuck is an engine one of whose works was given up.
type stuck struct {
	*remediation.Engine
	lanes   []remediation.DeadLane
	revived string
}

func (s *stuck) DeadLanes(context.Context, responsehub.Actor) ([]remediation.DeadLane, error) {
	return s.lanes, nil
}

func (s *stuck) Revive(_ context.Context, _ responsehub.Actor, lane string) error {
	s.revived = lane
	return nil
}

// large serves a console for 2,000 tenants, each with a guest of its own.
func large(t *testing.T) (*hub, *stuck) {
	t.Helper()
	rdb, _ := storetest.Mini(t)
	log := slog.New(slog.DiscardHandler)
	s, dir := store.New(rdb), store.NewDirectory(rdb, log)
	var tenants []responsehub.Tenant
	var people []responsehub.Person
	for i := range 2000 {
		name := fmt.Sprintf("Customer %04d", i)
		tenants = append(tenants, responsehub.Tenant{ID: fmt.Sprint("c", i), Name: name, MicrosoftTenantID: fmt.Sprintf("10000000-0000-4000-8000-%012d", i)})
		people = append(people, responsehub.Person{ID: fmt.Sprint("guest", i), Name: fmt.Sprintf("Guest %04d", i), Role: responsehub.Guest, Tenants: []string{name}, Language: "de"})
	}
	if err := dir.Apply(t.Context(), responsehub.Hub.By(), tenants, people); err != nil {
		t.Fatal(err)
	}
	engine, err := remediation.New(s, s, remediation.Config{Key: make([]byte, remediation.KeySize), Tenants: dir}, log)
	if err != nil {
		t.Fatal(err)
	}
	h, e := &hub{engine: engine, dir: dir, holders: &holders{}}, &stuck{Engine: engine}
	c, err := console.New(console.Config{PublicURL: "http://127.0.0.1", Sessions: store.NewSessions(rdb), Keys: h.holders}, e, dir, http.DefaultClient, log)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(c)
	t.Cleanup(h.Close)
	return h, e
}

// TestPagesStaySmallWithManyTenants: no page lists thousands of anything, and what is
// typed in finds what a list would have.
func TestPagesStaySmallWithManyTenants(t *testing.T) {
	h, _ := large(t)
	b := h.in(t, adminKey)
	const most = 160 << 10
	for _, path := range []string{"/", "/?page=20", "/?q=customer+19", "/incidents", "/incidents?tenant=Customer+0007", "/reports", "/people", "/people?page=20", "/people?q=customer+1999", "/tenants/c7", "/keys", "/audit"} {
		began := time.Now()
		status, body, _ := h.get(t, b, path)
		if status != http.StatusOK || len(body) > most {
			t.Errorf("GET %s answered %d with %d KB", path, status, len(body)>>10)
		}
		if strings.Contains(body, "Customer 1500") {
			t.Errorf("GET %s lists every tenant", path)
		}
		if took := time.Since(began); took > 5*time.Second { // a page takes some milliseconds; the machine may be busy
			t.Errorf("GET %s took %s", path, took)
		}
	}
	for path, want := range map[string]string{
		"/?q=customer+1999": ">Customer 1999<", "/people?q=customer+1999": ">Guest 1999<", "/?page=20": "Page 20 of 20",
		"/incidents?tenant=customer+00": "100 tenants have “customer 00” in the name", "/incidents?tenant=0007": `value="Customer 0007"`,
	} {
		if _, body, _ := h.get(t, b, path); !strings.Contains(body, want) {
			t.Errorf("GET %s does not show %q:\n%.3000s", path, want, body)
		}
	}
	h.post(t, b, "/tenants/c0/settings/guards", url.Values{"mode": {"manual"}, "locks": {"3"}})
	h.post(t, b, "/tenants/c7/settings/copy", url.Values{"from": {"customer 000"}})
	if got, _ := h.dir.Tenant("c7"); got.PasswordMode != "" {
		t.Errorf("copied from one of ten: %+v", got)
	}
	if _, body, _ := h.get(t, b, "/tenants/c7"); !strings.Contains(body, "Not saved: 10 tenants have") {
		t.Error("who typed too little is not told")
	}
	h.post(t, b, "/tenants/c7/settings/copy", url.Values{"from": {"Customer 0000"}})
	if got, _ := h.dir.Tenant("c7"); got.PasswordMode != responsehub.PasswordManual {
		t.Errorf("copied %+v", got)
	}
}

// TestAPersonIsChangedAndKeepsTheRest: what the form does not show stays.
func TestAPersonIsChangedAndKeepsTheRest(t *testing.T) {
	h, _ := large(t)
	b := h.in(t, adminKey)
	h.post(t, b, "/people", url.Values{"id": {"guest7"}, "name": {"Gina"}, "role": {"guest"}, "tenants": {"Customer 0007"}})
	h.post(t, b, "/people", url.Values{"name": {"Ann Berg"}, "role": {"responder"}, "tenants": {"*"}})
	found := 0
	for _, p := range h.dir.People() {
		if p.ID == "guest7" && p.Name == "Gina" && p.Language == "de" || p.ID == "ann-berg" && p.Name == "Ann Berg" {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d of the two are as they should be", found)
	}
}

// TestWorkThatWasGivenUpIsNamedAndStartedAgain: by the incident and what it is, and by no id.
func TestWorkThatWasGivenUpIsNamedAndStartedAgain(t *testing.T) {
	h, e := large(t)
	inc, _, err := h.engine.Open(t.Context(), responsehub.Delivery{Source: "petra", ID: "d1", BodyHash: "x"}, &responsehub.Alert{
		Version: "1", ID: "a1", DetectedAt: time.Now(), Severity: responsehub.Critical, Title: "Account takeover",
		Tenant: responsehub.AlertTenant{MicrosoftTenantID: "10000000-0000-4000-8000-000000000007"}, Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.lanes = []remediation.DeadLane{{ID: inc.ID, Lane: responsehub.LaneTicket, Error: "The desk is gone " + hostile, Attempts: 9, DiedAt: time.Now()}, {ID: "of-nobody", Lane: "later"}}
	b := h.in(t, adminKey)
	_, page, _ := h.get(t, b, "/lanes")
	for _, want := range []string{inc.Ref + " pat@contoso.example</a>, Customer 0007: the ticket", "The desk is gone &lt;script", "9 attempts, given up", "Incident of-nobody: later"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%.2000s", want, page)
		}
	}
	if m := inline.FindString(strings.ReplaceAll(page, `<script src="/static/console.js" defer></script>`, "")); m != "" {
		t.Errorf("the page holds %q", m)
	}
	h.post(t, b, "/lanes/"+url.PathEscape(inc.ID+"|ticket"), url.Values{})
	if e.revived != inc.ID+"|ticket" {
		t.Errorf("started again: %q", e.revived)
	}
}

// TestARedrawLeavesTheSentenceToThePage: the script asks for the page while another is on
// its way; the sentence belongs to that one.
func TestARedrawLeavesTheSentenceToThePage(t *testing.T) {
	h := start(t)
	b := h.in(t, adminKey)
	h.post(t, b, "/tenants/contoso/response", url.Values{"on": {"true"}})
	const want = "Response is on for Contoso"
	if _, body, _ := h.do(t, b, http.MethodGet, "/", nil, http.Header{"X-Part": {"live"}}); strings.Contains(body, want) {
		t.Error("the redraw took the sentence")
	}
	if _, body, _ := h.get(t, b, "/"); !strings.Contains(body, want) {
		t.Error("the page does not show the sentence")
	}
}
