package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"responsehub"
	"responsehub/connectors/connectortest"
	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	userID   = "33333333-3333-4333-8333-333333333333"
	secret   = "s3cret-of-the-hub"
)

var pat = steps.Target{Tenant: tenantID, User: userID, UPN: "pat@contoso.com"}

// command is what Exchange got to see.
type command struct {
	Name       string
	Parameters map[string]any
	Header     http.Header
	Path       string
}

// world is a login and an Exchange behind the client.
type world struct {
	answer func(w http.ResponseWriter, c command)
	refuse string // body of a refused token

	mu     sync.Mutex
	seen   []command
	tokens int
}

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	if resp := w.login(req); resp != nil {
		return resp, nil
	}
	var body struct {
		CmdletInput struct {
			CmdletName string
			Parameters map[string]any
		}
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return nil, err
	}
	c := command{body.CmdletInput.CmdletName, body.CmdletInput.Parameters, req.Header.Clone(), req.URL.RequestURI()}
	w.mu.Lock()
	w.seen = append(w.seen, c)
	w.mu.Unlock()
	rec := httptest.NewRecorder()
	rec.Header().Set("request-id", "req-1")
	rec.Header().Set("Content-Type", "application/json")
	w.answer(rec, c)
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

func (w *world) login(req *http.Request) *http.Response {
	if req.URL.Host != "login.test" {
		return nil
	}
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	base := "https://login.test/" + tenantID
	switch {
	case strings.HasSuffix(req.URL.Path, "openid-configuration"):
		fmt.Fprintf(rec, `{"token_endpoint":"%s/oauth2/v2.0/token","authorization_endpoint":"%s/a","issuer":"%s/v2.0"}`, base, base, base)
	case w.refuse != "":
		rec.WriteHeader(400)
		_, _ = io.WriteString(rec, w.refuse)
	default:
		w.mu.Lock()
		w.tokens++
		fmt.Fprintf(rec, `{"token_type":"Bearer","expires_in":3600,"access_token":"opaque-%d"}`, w.tokens)
		w.mu.Unlock()
	}
	return rec.Result()
}

func (w *world) names() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.seen {
		out = append(out, c.Name)
	}
	return out
}

func over(t *testing.T, client *http.Client) *Client {
	t.Helper()
	login, err := entra.New(entra.Config{ClientID: "c", ClientSecret: secret, Authority: "https://login.test"}, client)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Exchange: "https://exchange.test"}, login, client, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newWorld(t *testing.T, answer func(w http.ResponseWriter, c command)) (*Client, *world) {
	t.Helper()
	w := &world{answer: answer}
	return over(t, transport.Client(transport.Over(w))), w
}

// values answers each command by its name; others have an empty result.
func values(table map[string]string) func(http.ResponseWriter, command) {
	return func(w http.ResponseWriter, c command) {
		name := c.Name
		if c.Parameters["IncludeHidden"] == true {
			name += " hidden"
		}
		_, _ = io.WriteString(w, `{"value":[`+table[name]+`],"@adminapi.warnings":[]}`)
	}
}

func fault(w http.ResponseWriter, status int, detail string) {
	w.WriteHeader(status)
	b, _ := json.Marshal(map[string]any{"error": map[string]any{"code": "BadRequest", "message": "Error executing cmdlet",
		"details": []any{map[string]string{"code": "Context", "target": "", "message": detail}}}})
	_, _ = w.Write(b)
}

const plain = `{"Identity":"Evil","Guid":"g-1","Name":"Evil","Enabled":true,"CloudServicesMailEnabled":false,"WhenCreatedUTC":"2026-11-23T09:10:00Z"}`

func TestWire(t *testing.T) {
	c, w := newWorld(t, values(map[string]string{"Get-InboundConnector": plain}))
	if _, err := c.Connectors().Neutralise(t.Context(), pat, &responsehub.Item{Object: "g-1"}, ""); err != nil {
		t.Fatal(err)
	}
	got := w.seen[1]
	if got.Path != "/adminapi/beta/"+tenantID+"/InvokeCommand" || got.Name != "Set-InboundConnector" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(map[string]any{"Identity": "g-1", "Enabled": false}, got.Parameters); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer opaque-1", "X-CmdletName": "Set-InboundConnector", "Prefer": "odata.maxpagesize=1000", "Content-Encoding": "",
		"X-AnchorMailbox": "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@" + tenantID,
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
}

func TestConnectors(t *testing.T) {
	named := func(extra string) string {
		return `{"Guid":"g-1","Name":"Inbound","Enabled":true` + extra + `}`
	}
	for _, tc := range []struct {
		name, connector string
		action          responsehub.Action
		guarded         bool
		want            []string
	}{
		{"disable", plain, "", false, []string{"Get-InboundConnector", "Set-InboundConnector"}},
		{"remove", plain, responsehub.Remove, false, []string{"Get-InboundConnector", "Remove-InboundConnector"}},
		{"hybrid by flag", named(`,"CloudServicesMailEnabled":true`), responsehub.Remove, true, []string{"Get-InboundConnector"}},
		{"hybrid by source", named(`,"ConnectorSource":"HybridWizard"`), "", true, []string{"Get-InboundConnector"}},
		{"hybrid by name", `{"Guid":"g-1","Name":"Inbound from 8f2e3d4a-0000-4000-8000-123456789abc","Enabled":true}`, "", true, []string{"Get-InboundConnector"}},
		{"flags as text", named(`,"CloudServicesMailEnabled":"True"`), "", true, []string{"Get-InboundConnector"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, values(map[string]string{"Get-InboundConnector": tc.connector}))
			_, err := c.Connectors().Neutralise(t.Context(), pat, &responsehub.Item{Object: "g-1"}, tc.action)
			if tc.guarded != (responsehub.KindOf(err) == responsehub.Refused && err != nil) || !tc.guarded && err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tc.want, w.names()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			reading, err := c.Connectors().Read(t.Context(), pat, &responsehub.Item{Object: "g-1"})
			if err != nil || !reading.Active || (reading.Guard != "") != tc.guarded || string(reading.Snapshot) != tc.connector {
				t.Errorf("%v %+v", err, reading)
			}
		})
	}
	c, _ := newWorld(t, func(w http.ResponseWriter, _ command) {
		fault(w, 404, "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed")
	})
	if _, err := c.Connectors().Read(t.Context(), pat, &responsehub.Item{Object: "x"}); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("gone: %v", err)
	}
	if r, err := c.Connectors().Neutralise(t.Context(), pat, &responsehub.Item{Object: "x"}, responsehub.Remove); err != nil || r.At.IsZero() {
		t.Errorf("removing what is gone: %v", err)
	}
}

const (
	seen    = `{"Identity":"pat\\1","RuleIdentity":1,"Name":"Newsletters","Enabled":true}`
	hiddenR = `{"Identity":"pat\\9","RuleIdentity":9511027293310296065,"Name":"","Enabled":true}`
	off     = `{"Identity":"pat\\8","RuleIdentity":8,"Name":"x","Enabled":false}`
	outlook = `{"Identity":"pat\\2","Name":"Junk E-mail Rule","Enabled":true},{"Identity":"pat\\3","Name":"Microsoft.Exchange.OOF.KnownExternalSenders.Global","Enabled":true},{"Identity":"pat\\4","Name":"Delegate Rule -2305843009213693952","Enabled":true}`
)

func TestHiddenRules(t *testing.T) {
	table := values(map[string]string{"Get-InboxRule": seen, "Get-InboxRule hidden": strings.Join([]string{seen, hiddenR, off, outlook}, ",")})
	c, w := newWorld(t, table)
	item := &responsehub.Item{Kind: responsehub.InboxRule, Object: "9511027293310296065", Hidden: true}
	if r, err := c.HiddenRules().Read(t.Context(), pat, item); err != nil || !r.Active || r.Guard != "" {
		t.Errorf("a number keeps all its digits: %v %+v", err, r)
	}
	for object, active := range map[string]bool{`pat\9`: true, `pat\8`: false} {
		if r, err := c.HiddenRules().Read(t.Context(), pat, &responsehub.Item{Object: object}); err != nil || r.Active != active {
			t.Errorf("%s: %v %+v", object, err, r)
		}
	}
	for _, object := range []string{`pat\2`, `pat\3`, `pat\4`} {
		if r, err := c.HiddenRules().Read(t.Context(), pat, &responsehub.Item{Object: object}); err != nil || r.Guard == "" {
			t.Errorf("%s is Outlook's own: %v %+v", object, err, r)
		}
		if _, err := c.HiddenRules().Neutralise(t.Context(), pat, &responsehub.Item{Object: object}, ""); responsehub.KindOf(err) != responsehub.Refused {
			t.Errorf("%s: %v", object, err)
		}
	}
	for action, name := range map[responsehub.Action]string{"": "Disable-InboxRule", responsehub.Delete: "Remove-InboxRule"} {
		if _, err := c.HiddenRules().Neutralise(t.Context(), pat, item, action); err != nil {
			t.Fatal(err)
		}
		got := w.seen[len(w.seen)-1]
		if diff := cmp.Diff(map[string]any{"Identity": `pat\9`, "Mailbox": "pat@contoso.com", "Force": true, "Confirm": false}, got.Parameters); diff != "" || got.Name != name {
			t.Errorf("%s (-want +got):\n%s", got.Name, diff)
		}
		if got.Header.Get("X-AnchorMailbox") != "UPN:pat@contoso.com" {
			t.Errorf("anchor %q", got.Header.Get("X-AnchorMailbox"))
		}
	}
	if _, err := c.HiddenRules().Read(t.Context(), pat, &responsehub.Item{Object: "gone"}); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("gone: %v", err)
	}
}

func TestScan(t *testing.T) {
	since := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c, _ := newWorld(t, values(map[string]string{
		"Get-InboxRule": seen, "Get-InboxRule hidden": strings.Join([]string{seen, hiddenR, off, outlook}, ","),
		"Get-Mailbox": `{"ForwardingSmtpAddress":"smtp:thief@evil.test","ForwardingAddress":null,"DeliverToMailboxAndForward":true}`,
		"Get-InboundConnector": plain + `,{"Guid":"g-2","Name":"Old","Enabled":true,"WhenCreatedUTC":"2020-01-01T00:00:00"},
			{"Guid":"g-3","Name":"Hybrid","Enabled":true,"CloudServicesMailEnabled":true,"WhenCreatedUTC":"2026-11-23T09:10:00Z"},{"Guid":"g-4","Name":"Off","Enabled":false,"WhenCreatedUTC":"2026-11-23T09:10:00Z"}`,
	}))
	items, err := c.Scan(t.Context(), pat, since)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range items {
		got = append(got, fmt.Sprintf("%s %s %t", i.Kind, i.Object, i.Hidden))
		if i.Why == "" || i.ID == "" {
			t.Errorf("%+v", i)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"forwarding " + userID + ">thief@evil.test false", "inbound_connector g-1 false", `inbox_rule pat\9 true`}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPages(t *testing.T) {
	c, w := newWorld(t, func(w http.ResponseWriter, c command) {
		if strings.Contains(c.Path, "skiptoken") {
			_, _ = io.WriteString(w, `{"value":[`+hiddenR+`]}`)
			return
		}
		_, _ = io.WriteString(w, `{"value":[`+seen+`],"@odata.nextLink":"https://exchange.test/adminapi/beta/`+tenantID+`/InvokeCommand?$skiptoken=2"}`)
	})
	if _, err := c.HiddenRules().Read(t.Context(), pat, &responsehub.Item{Object: `pat\9`}); err != nil {
		t.Fatal(err)
	}
	if len(w.seen) != 2 || w.seen[1].Name != "Get-InboxRule" || w.seen[1].Parameters["Mailbox"] != "pat@contoso.com" {
		t.Errorf("the next page is had by the same command: %+v", w.seen)
	}
	c, w = newWorld(t, func(w http.ResponseWriter, _ command) {
		_, _ = io.WriteString(w, `{"value":[],"@odata.nextLink":"https://evil.test/adminapi"}`)
	})
	if _, err := c.HiddenRules().Read(t.Context(), pat, &responsehub.Item{Object: "x"}); responsehub.KindOf(err) != responsehub.Unavailable || len(w.seen) != 1 {
		t.Errorf("a link that leads elsewhere: %v after %d requests", err, len(w.seen))
	}
}

func TestFailures(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(w http.ResponseWriter, c command)
		class  Class
		kind   responsehub.Kind
		says   string
		after  time.Duration
	}{
		{"no role", func(w http.ResponseWriter, _ command) {
			fault(w, 403, "Get-InboundConnector isn't present in the role definition of the current user")
		}, Permission, responsehub.Forbidden, "Exchange Administrator", 0},
		{"no role, as 400", func(w http.ResponseWriter, _ command) {
			fault(w, 400, "Ex1|System.Exception|The cmdlet is not present in the role definition of the current user")
		}, Permission, responsehub.Forbidden, "Exchange Administrator", 0},
		{"401 without a body", func(w http.ResponseWriter, _ command) { w.WriteHeader(401) }, Auth, responsehub.Forbidden, "Exchange.ManageAsApp", 0},
		{"429", func(w http.ResponseWriter, _ command) { w.Header().Set("Retry-After", "9"); w.WriteHeader(429) }, Throttled, responsehub.Throttled, "slow down", 9 * time.Second},
		{"429 with a reset", func(w http.ResponseWriter, _ command) { w.Header().Set("Rate-Limit-Reset", "12"); w.WriteHeader(429) }, Throttled, responsehub.Throttled, "slow down", 12 * time.Second},
		{"throttled as 400", func(w http.ResponseWriter, _ command) {
			fault(w, 400, "You have reached the maximum number of concurrent requests per tenant. Please wait and try again")
		}, Throttled, responsehub.Throttled, "slow down", 0},
		{"gone by the header", func(w http.ResponseWriter, _ command) {
			w.Header().Set("X-ExceptionType", "ManagementObjectNotFoundException")
			w.WriteHeader(400)
		}, NotFound, responsehub.NotFound, "not there", 0},
		{"gone by the inner exception", func(w http.ResponseWriter, _ command) {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"error":{"code":"x","message":"m","innererror":{"internalException":{"message":"E|A.B.ManagementObjectNotFoundException|t"}}}}`)
		}, NotFound, responsehub.NotFound, "not there", 0},
		{"surface not there", func(w http.ResponseWriter, _ command) { w.WriteHeader(404) }, Unsupported, responsehub.Permanent, "does not offer", 0},
		{"wrong", func(w http.ResponseWriter, _ command) { fault(w, 400, "E|A.ParameterBindingException|text") }, BadRequest, responsehub.Permanent, "Get-InboundConnector", 0},
		{"HTML 502", func(w http.ResponseWriter, _ command) { w.WriteHeader(502); _, _ = io.WriteString(w, "<html>") }, Transient, responsehub.Unavailable, "fault", 0},
		{"HTML 200", func(w http.ResponseWriter, _ command) { _, _ = io.WriteString(w, "<html>") }, Transient, responsehub.Unavailable, "fault", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := newWorld(t, tc.answer)
			_, err := c.Connectors().Read(t.Context(), pat, &responsehub.Item{Object: "x"})
			e, ok := errors.AsType[*responsehub.Error](err)
			if !ok || ClassOf(err) != tc.class || e.Kind != tc.kind || !strings.Contains(e.Message, tc.says) || e.RetryAfter != tc.after {
				t.Errorf("%s %v", ClassOf(err), err)
			}
		})
	}
}

func TestNoExchangeHere(t *testing.T) {
	c, w := newWorld(t, values(nil))
	w.refuse = `{"error":"invalid_resource","error_codes":[500011]}`
	items, err := c.Scan(t.Context(), pat, time.Time{})
	if len(items) != 0 || responsehub.KindOf(err) != responsehub.NotFound || entra.ClassOf(err) != entra.ResourceMissing || !strings.Contains(responsehub.Sentence(err), "Exchange Online") {
		t.Errorf("%v", err)
	}
}

func TestContract(t *testing.T) {
	w := &world{}
	connectortest.Run(t, connectortest.Subject{
		New: func(t *testing.T, client *http.Client) connectortest.Calls {
			c := over(t, client)
			return connectortest.Calls{
				Read: func(ctx context.Context) error {
					_, err := c.Connectors().Read(ctx, pat, &responsehub.Item{Object: "x"})
					return err
				},
				Write: func(ctx context.Context) error {
					_, err := c.run(ctx, cmdlet{name: "Set-InboundConnector", tenant: tenantID, op: "disable the inbound connector"})
					return err
				},
			}
		},
		Side: w.login, Secrets: []string{secret, "opaque-"},
	})
}

// FuzzFault gives whatever Exchange may say to what makes the sentence of it.
func FuzzFault(f *testing.F) {
	for _, s := range []string{"", "{}", "<html>", `{"error":{"details":[{"message":"a|b.C|d"}]}}`, `{"error":{"details":[{"message":"||"}],"message":5}}`, `{"error":{"innererror":{"internalException":{"message":"x"}}}}`} {
		f.Add(400, s, "12")
	}
	f.Fuzz(func(t *testing.T, status int, body, header string) {
		h := http.Header{"X-Exceptiontype": {header}, "Rate-Limit-Reset": {header}}
		k := cmdlet{name: "Get-Mailbox", op: "do it"}
		err := (&Client{}).fault(k, entra.Token{}, h, &transport.Error{Status: status, Body: []byte(body), Sent: true})
		e, ok := errors.AsType[*responsehub.Error](err)
		if !ok || e.Message == "" || e.Kind == "" || e.RetryAfter < 0 || e.RetryAfter > transport.MaxRetryAfter || len(err.Error()) > 1000 {
			t.Errorf("%#v", err)
		}
	})
}
