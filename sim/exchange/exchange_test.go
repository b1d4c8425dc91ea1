package exchange_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/exchange"
	"responsehub/sim/login"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const hubID = "aaaaaaaa-0000-4000-8000-000000000001"

type stage struct {
	t     testing.TB
	world *tenant.World
	scene *tenant.Scene
	login *login.Server
	ex    *exchange.Server
	log   *wire.Log
	http  *httptest.Server
	token string
}

func newStage(t testing.TB) *stage {
	t.Helper()
	w := tenant.NewWorld()
	w.AddClient(tenant.Client{ID: hubID, Name: "Response", Secret: "s"})
	scene := tenant.Takeover(w, 1)
	scene.Tenant.ConsentAll(hubID)
	log := wire.NewLog()
	l := login.New(w, log)
	ex := exchange.New(w, l, log)
	ts := httptest.NewServer(ex)
	t.Cleanup(ts.Close)
	s := &stage{t: t, world: w, scene: scene, login: l, ex: ex, log: log, http: ts}
	s.newToken("https://outlook.office365.com/.default")
	return s
}

func (s *stage) newToken(scope string) {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {hubID}, "client_secret": {"s"}, "scope": {scope}}
	r := httptest.NewRequest(http.MethodPost, "/"+s.scene.Tenant.ID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	s.login.ServeHTTP(rec, r)
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || body.Token == "" {
		s.t.Fatalf("token: %d %s", rec.Code, rec.Body)
	}
	s.token = body.Token
}

type answer struct {
	status int
	Value  []map[string]any `json:"value"`
	Next   string           `json:"@odata.nextLink"`
	Error  struct {
		Code    string `json:"code"`
		Details []struct {
			Message string `json:"message"`
		} `json:"details"`
	} `json:"error"`
	exception string
}

// post sends a cmdlet to an address under X-CmdletName header.
func (s *stage) post(address, header, cmdlet string, params map[string]any, prefer string) answer {
	body, err := json.Marshal(map[string]any{"CmdletInput": map[string]any{"CmdletName": cmdlet, "Parameters": params}})
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, address, strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-CmdletName", header)
	r.Header.Set("Prefer", prefer)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Error(err)
		return answer{}
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	out := answer{status: resp.StatusCode, exception: resp.Header.Get("X-ExceptionType")}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			s.t.Errorf("%s: %v: %s", cmdlet, err, raw)
		}
	}
	return out
}

func (s *stage) run(cmdlet string, params map[string]any) answer {
	return s.post(s.http.URL+"/exchange/adminapi/beta/"+s.scene.Tenant.ID+"/InvokeCommand", cmdlet, cmdlet, params, "odata.maxpagesize=1000")
}

func (s *stage) ok(cmdlet string, params map[string]any) []map[string]any {
	s.t.Helper()
	a := s.run(cmdlet, params)
	if a.status != http.StatusOK {
		s.t.Errorf("%s %v: %d %+v", cmdlet, params, a.status, a.Error)
	}
	return a.Value
}

func names(rows []map[string]any) (out []string) {
	for _, r := range rows {
		out = append(out, fmt.Sprint(r["Name"]))
	}
	return out
}

func TestConnectorIsDisabledRemovedAndMadeAgain(t *testing.T) {
	s := newStage(t)
	id := s.scene.Connector.GUID
	if got, want := names(s.ok("Get-InboundConnector", nil)), []string{"Relay", "Inbound from contoso.example"}; !cmp.Equal(got, want) {
		t.Errorf("connectors %v, want %v", got, want)
	}
	before := s.ok("Get-InboundConnector", map[string]any{"Identity": id})[0]
	s.ok("Set-InboundConnector", map[string]any{"Identity": id, "Enabled": false})
	if row := s.ok("Get-InboundConnector", map[string]any{"Identity": id})[0]; row["Enabled"] != false {
		t.Errorf("after Set: %v", row)
	}
	s.ok("Remove-InboundConnector", map[string]any{"Identity": id, "Confirm": false})
	a := s.run("Remove-InboundConnector", map[string]any{"Identity": id, "Confirm": false})
	parts := strings.Split(a.Error.Details[0].Message, "|")
	if a.status != 404 || len(parts) != 3 || parts[1] != "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException" || a.exception != "ManagementObjectNotFoundException" {
		t.Errorf("second removal: %d %q %s", a.status, parts, a.exception)
	}
	s.ok("New-InboundConnector", map[string]any{"Name": before["Name"], "ConnectorType": before["ConnectorType"], "SenderDomains": before["SenderDomains"], "SenderIPAddresses": before["SenderIPAddresses"], "Enabled": true})
	var kinds []string
	for _, e := range s.log.Effects() {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"connector.disable", "connector.remove", "connector.create"}; !cmp.Equal(kinds, want) {
		t.Errorf("effects %v, want %v", kinds, want)
	}
}

func TestHiddenRuleOnlyWithIncludeHidden(t *testing.T) {
	s := newStage(t)
	pat := s.scene.Victim.UPN
	if got, want := names(s.ok("Get-InboxRule", map[string]any{"Mailbox": pat})), []string{"Newsletters", "."}; !cmp.Equal(got, want) {
		t.Errorf("visible %v, want %v", got, want)
	}
	rows := s.ok("Get-InboxRule", map[string]any{"Mailbox": pat, "IncludeHidden": true})
	if got, want := names(rows), []string{"Newsletters", ".", "..", "Junk E-Mail Rule"}; !cmp.Equal(got, want) {
		t.Fatalf("with hidden %v, want %v", got, want)
	}
	s.ok("Disable-InboxRule", map[string]any{"Mailbox": pat, "Identity": rows[2]["Identity"], "Confirm": false, "Force": true})
	s.ok("Remove-InboxRule", map[string]any{"Identity": rows[2]["Identity"], "Confirm": false})
	if a := s.run("Remove-InboxRule", map[string]any{"Mailbox": pat, "Identity": rows[2]["Identity"]}); a.status != 404 {
		t.Errorf("second removal: %d", a.status)
	}
	if a := s.run("Get-InboxRule", map[string]any{"Mailbox": s.scene.Guest.UPN}); a.status != 404 {
		t.Errorf("rules of a guest: %d", a.status)
	}
}

func TestForwardingIsCleared(t *testing.T) {
	s := newStage(t)
	s.scene.Victim.Forward("smtp:drop@evil.example", true)
	id := s.scene.Victim.ID
	if row := s.ok("Get-Mailbox", map[string]any{"Identity": id})[0]; row["ForwardingSmtpAddress"] != "smtp:drop@evil.example" {
		t.Errorf("%v", row)
	}
	s.ok("Set-Mailbox", map[string]any{"Identity": id, "ForwardingSmtpAddress": nil, "DeliverToMailboxAndForward": false})
	if row := s.ok("Get-Mailbox", map[string]any{"Identity": id})[0]; row["ForwardingSmtpAddress"] != nil {
		t.Errorf("%v", row)
	}
	if e := s.log.Effects(); len(e) != 1 || e[0].Kind != "forwarding.clear" {
		t.Errorf("effects %+v", e)
	}
}

func TestRefusals(t *testing.T) {
	cases := []struct {
		name       string
		before     func(*stage)
		header     string
		cmdlet     string
		params     map[string]any
		status     int
		text       string
		unexpected bool
	}{
		{"a Graph token", func(s *stage) { s.newToken("https://graph.microsoft.com/.default") }, "Get-InboundConnector", "Get-InboundConnector", nil, 401, "", false},
		{"no Exchange.ManageAsApp", func(s *stage) {
			s.scene.Tenant.RemoveRole(hubID, "Exchange.ManageAsApp")
			s.newToken("https://outlook.office365.com/.default")
		}, "Get-InboundConnector", "Get-InboundConnector", nil, 401, "", false},
		{"no directory role", func(s *stage) {
			s.scene.Tenant.RemoveRole(hubID, tenant.ExchangeAdministrator)
			s.newToken("https://outlook.office365.com/.default")
		}, "Get-InboundConnector", "Get-InboundConnector", nil, 403, "is not present in the role definition of the current user", false},
		{"consent withdrawn with a live token", func(s *stage) { s.scene.Tenant.WithdrawConsent(hubID) }, "Get-InboundConnector", "Get-InboundConnector", nil, 401, "", false},
		{"header names another cmdlet", nil, "Get-Mailbox", "Get-InboundConnector", nil, 400, "X-CmdletName", true},
		{"unknown cmdlet", nil, "Get-Everything", "Get-Everything", nil, 400, "CommandNotFoundException", true},
		{"unknown parameter", nil, "Get-Mailbox", "Get-Mailbox", map[string]any{"Colour": 1}, 400, "cannot be found that matches parameter name 'Colour'", true},
		{"no identity", nil, "Set-InboundConnector", "Set-InboundConnector", map[string]any{"Enabled": false}, 400, "missing mandatory parameters", false},
		{"a text for a boolean", nil, "Set-InboundConnector", "Set-InboundConnector", map[string]any{"Identity": "Relay", "Enabled": "no"}, 400, "argument transformation", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			if c.before != nil {
				c.before(s)
			}
			a := s.post(s.http.URL+"/exchange/adminapi/beta/"+s.scene.Tenant.ID+"/InvokeCommand", c.header, c.cmdlet, c.params, "")
			var text string
			if len(a.Error.Details) > 0 {
				text = a.Error.Details[0].Message
			}
			if a.status != c.status || !strings.Contains(text, c.text) {
				t.Errorf("got %d %q, want %d with %q", a.status, text, c.status, c.text)
			}
			if got := len(s.log.UnexpectedAll()) > 0; got != c.unexpected {
				t.Errorf("unexpected %q, want any: %v", s.log.UnexpectedAll(), c.unexpected)
			}
			if e := s.log.Effects(); len(e) > 0 {
				t.Errorf("a refused cmdlet had effects: %+v", e)
			}
		})
	}
}

func TestPagesByPostingAgain(t *testing.T) {
	s := newStage(t)
	for i := range 5 {
		s.scene.Tenant.AddConnector(tenant.Connector{Name: fmt.Sprintf("C%d", i)})
	}
	address := s.http.URL + "/exchange/adminapi/beta/" + s.scene.Tenant.ID + "/InvokeCommand?$select=Name,Guid"
	var got []string
	for pages := 0; address != "" && pages < 10; pages++ {
		a := s.post(address, "Get-InboundConnector", "Get-InboundConnector", nil, "odata.maxpagesize=3")
		if len(a.Value) > 3 || len(a.Value[0]) != 2 {
			t.Errorf("page %d: %v", pages, a.Value)
		}
		got = append(got, names(a.Value)...)
		address = a.Next
	}
	if want := []string{"Relay", "Inbound from contoso.example", "C0", "C1", "C2", "C3", "C4"}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTooManyAtOnce(t *testing.T) {
	s := newStage(t)
	s.ex.SetLatency(300 * time.Millisecond)
	var wg sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		wg.Go(func() { statuses[i] = s.run("Get-OrganizationConfig", nil).status })
	}
	wg.Wait()
	throttled := 0
	for _, st := range statuses {
		if st == http.StatusTooManyRequests {
			throttled++
		}
	}
	if throttled == 0 || throttled == len(statuses) {
		t.Errorf("statuses %v: some of eight at once should be 429", statuses)
	}
}
