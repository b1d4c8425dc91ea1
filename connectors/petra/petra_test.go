package petra_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"responsehub"
	"responsehub/connectors/petra"
	"responsehub/connectors/transport"
	"responsehub/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "petra_key_that_nobody_may_read"

// served answers every request alike and returns what it was asked.
func served(t *testing.T, status int, header map[string]string, body string) (*petra.Client, *http.Request) {
	t.Helper()
	asked := &http.Request{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = *r.Clone(t.Context())
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	hc, err := transport.New(transport.Config{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hc.CloseIdleConnections)
	c, err := petra.New(petra.Config{URL: srv.URL + "/", Key: key}, hc)
	if err != nil {
		t.Fatal(err)
	}
	return c, asked
}

// entry is one of the list, in the form of Petra's own example.
func entry(change ...string) string {
	return strings.NewReplacer(change...).Replace(`{"id":"48f3708e-45c1-4902-9e3b-26165bf3d76a","url":"https://app.petrasecurity.com/tenant/ZZk90t/incidents/48f3708e",
"createdAt":"2026-02-06T03:55:06.050Z","occurredAt":"2026-02-04T22:14:12.000Z","remediationStatus":"OPEN","isLive":false,"dwellTimeMinutes":1918.65,
"tenant":{"petraTenantId":"ZZk90t","name":"Acme Corp.","microsoftTenantId":"a1b2c3d4-5e6f-7890-abcd-ef1234567890"},
"user":{"id":"2e8c5169-af3d-447b-9c4f-82d516b9fe34","userPrincipalName":"pat@acme.example","mail":"pat@acme.example","displayName":"Pat","accountEnabled":true,"lastPasswordChangeDateTime":null}}`)
}

var (
	made  = time.Date(2026, 2, 6, 3, 55, 6, 50_000_000, time.UTC)
	alert = responsehub.Alert{
		Version: "1", ID: "48f3708e-45c1-4902-9e3b-26165bf3d76a", DetectedAt: made,
		Tenant:   responsehub.AlertTenant{MicrosoftTenantID: "a1b2c3d4-5e6f-7890-abcd-ef1234567890", SourceTenantID: "ZZk90t"},
		Account:  responsehub.Account{ObjectID: "2e8c5169-af3d-447b-9c4f-82d516b9fe34", UserPrincipalName: "pat@acme.example", DisplayName: "Pat"},
		Severity: responsehub.Critical, Title: "Account takeover", Summary: "Read from Petra's list of incidents. The link leads to what Petra saw.",
		Link:     "https://app.petrasecurity.com/tenant/ZZk90t/incidents/48f3708e",
		Evidence: []responsehub.Evidence{{At: time.Date(2026, 2, 4, 22, 14, 12, 0, time.UTC), Kind: "sign_in", Text: "The takeover began, by Petra's account."}},
	}
)

func TestFound(t *testing.T) {
	with := func(change func(*responsehub.Alert)) *responsehub.Alert {
		a := alert
		change(&a)
		return &a
	}
	id := alert.ID
	for _, tt := range []struct {
		name    string
		entry   string
		want    intake.Finding
		unusual string // the sentence of its fault
	}{
		{"as documented", entry(), intake.Finding{ID: id, MadeAt: made, Alert: &alert}, ""},
		{"dealt with", entry("OPEN", "Remediated"), intake.Finding{ID: id, MadeAt: made, Settled: true, Alert: &alert}, ""},
		{"link that is none", entry("https://app", "javascript:app"), intake.Finding{ID: id, MadeAt: made, Alert: with(func(a *responsehub.Alert) { a.Link = "" })}, ""},
		{"object id of another kind", entry("2e8c5169-af3d-447b-9c4f-82d516b9fe34", "user-id-1"), intake.Finding{ID: id, MadeAt: made, Alert: with(func(a *responsehub.Alert) { a.Account.ObjectID = "" })}, ""},
		{"name that is none", entry(`"pat@acme.example","mail"`, `"pat","mail"`), intake.Finding{ID: id, MadeAt: made, Alert: with(func(a *responsehub.Alert) { a.Account.UserPrincipalName = "" })}, ""},
		{"tenant without Microsoft's id", entry("a1b2c3d4-5e6f-7890-abcd-ef1234567890", "ghij"), intake.Finding{ID: id, MadeAt: made, Alert: with(func(a *responsehub.Alert) { a.Tenant.MicrosoftTenantID = "" })}, ""},
		{"no time of the attack", entry("2026-02-04T22:14:12.000Z", "soon"), intake.Finding{ID: id, MadeAt: made, Alert: with(func(a *responsehub.Alert) { a.Evidence = nil })}, ""},
		{"no time", entry("2026-02-06T03:55:06.050Z", "soon"), intake.Finding{ID: id}, "The time at which it was made cannot be read."},
		{"no object", `[1]`, intake.Finding{}, "Its entry in the list cannot be read."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The faulty one stands between two good ones, which it must not take with it.
			c, asked := served(t, 200, nil, `{"incidents":[`+entry()+","+tt.entry+","+entry()+`],"more":1}`)
			found, cut, err := c.Found(t.Context(), made.Add(-time.Hour))
			if err != nil || cut || len(found) != 3 {
				t.Fatalf("%d findings, cut %t: %v", len(found), cut, err)
			}
			got := found[1]
			if tt.unusual != "" && (got.Fault == nil || responsehub.Sentence(got.Fault) != tt.unusual) {
				t.Errorf("fault %v, want %q", got.Fault, tt.unusual)
			}
			got.Fault = nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if got := asked.URL.String(); asked.Method != "GET" || got != "/v1/incidents?limit=500&startDate=2026-02-06T02%3A55%3A06.050Z" {
				t.Errorf("asked %s %s", asked.Method, got)
			}
			if h := asked.Header; h.Get("Authorization") != "Bearer "+key || h.Get("User-Agent") == "" {
				t.Errorf("headers %v", h)
			}
		})
	}
}

func TestMoreThanPetraLists(t *testing.T) {
	c, _ := served(t, 200, nil, `{"incidents":[`+strings.Repeat(entry()+",", 499)+entry()+`]}`)
	if found, cut, err := c.Found(t.Context(), made); err != nil || !cut || len(found) != 500 {
		t.Errorf("%d findings, cut %t: %v", len(found), cut, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		kind   responsehub.Kind
		after  time.Duration
	}{
		{"key deleted", 401, nil, `{"error":"Unauthorized"}`, responsehub.Unauthorized, 0},
		{"forbidden", 403, nil, "", responsehub.Forbidden, 0},
		{"too often, Petra's header", 429, map[string]string{"Retry-After-public-api": "42"}, "", responsehub.Throttled, 42 * time.Second},
		{"too often, both headers", 429, map[string]string{"Retry-After-public-api": "2", "Retry-After": "7"}, "", responsehub.Throttled, 7 * time.Second},
		{"too often, none", 429, nil, "", responsehub.Throttled, time.Minute},
		{"down", 502, nil, "<html>", responsehub.Unavailable, 0},
		{"another service", 200, nil, "<html>", responsehub.Permanent, 0},
		{"another JSON", 200, nil, `{"data":[]}`, responsehub.Permanent, 0},
		{"a redirect", 302, map[string]string{"Location": "https://evil.example"}, "", responsehub.Unavailable, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := served(t, tt.status, tt.header, tt.body)
			_, _, err := c.Found(t.Context(), made)
			if responsehub.KindOf(err) != tt.kind || err == nil {
				t.Fatalf("got %v, want %s", err, tt.kind)
			}
			if after, _ := transport.Retryable(err); tt.kind == responsehub.Throttled && after != tt.after {
				t.Errorf("after %s, want %s", after, tt.after)
			}
			if strings.Contains(err.Error()+responsehub.Sentence(err), key) {
				t.Errorf("the key stands in %v", err)
			}
		})
	}
}

func FuzzFound(f *testing.F) {
	f.Add(`{"incidents":[` + entry() + `]}`)
	f.Add(`{"incidents":[{"id":5}]}`)
	f.Add(`{"incidents":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := petra.New(petra.Config{URL: "http://petra.test", Key: key}, &http.Client{Transport: canned(body)})
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := c.Found(t.Context(), made)
		if err != nil {
			return
		}
		for _, x := range found {
			if (x.Alert == nil) == (x.Fault == nil) {
				t.Errorf("neither alert nor fault, or both: %+v", x)
			}
		}
	})
}

// canned answers every request with the same body.
type canned string

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	_, _ = w.WriteString(string(c))
	resp := w.Result()
	resp.Request = r
	return resp, nil
}
