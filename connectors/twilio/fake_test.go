package twilio

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
)

const (
	accountSID = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	ourNumber  = "+15005550006"
	phone      = "+15005550009"
)

func testConfig(api string) Config {
	return Config{
		AccountSID: accountSID, APIKey: "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", APISecret: "secretOfTheKey",
		AuthTokens: []responsehub.Secret{token}, From: ourNumber, API: api, PublicURL: "https://hub.example.com",
		Key: []byte("0123456789abcdef0123456789abcdef"), CallsPerSecond: 1000, TextsPerSecond: 1000,
	}
}

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	hc, err := transport.New(transport.Config{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hc.CloseIdleConnections)
	c, err := New(cfg, hc, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// asked is a request as Twilio got it.
type asked struct {
	method, path string
	form         url.Values
	key, agent   string
}

// answering is a Twilio that gives the answers that it is told, one after the other, the
// last one for ever.
type answering struct {
	mu      sync.Mutex
	answers []func(w http.ResponseWriter)
	got     []asked
	conns   map[string]bool
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	if r.Method == http.MethodGet {
		form = r.URL.Query()
	}
	user, _, _ := r.BasicAuth()
	a.mu.Lock()
	a.got = append(a.got, asked{r.Method, r.URL.Path, form, user, r.UserAgent()})
	if a.conns == nil {
		a.conns = map[string]bool{}
	}
	a.conns[r.RemoteAddr] = true
	answer := a.answers[0]
	if len(a.answers) > 1 {
		a.answers = a.answers[1:]
	}
	a.mu.Unlock()
	answer(w)
}

func status(code int, body string, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// dropped breaks the connection without an answer.
func dropped(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func answers(t *testing.T, as ...func(http.ResponseWriter)) (*answering, string) {
	t.Helper()
	a := &answering{answers: as}
	srv := httptest.NewUnstartedServer(a)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	srv.Start()
	t.Cleanup(srv.Close)
	return a, srv.URL
}

func callJSON(status string, made time.Time) string {
	return fmt.Sprintf(`{"sid":"CA00000000000000000000000000000001","account_sid":%q,"to":%q,"from":%q,"status":%q,"date_created":%q,"queue_time":"0","answered_by":null}`,
		accountSID, phone, ourNumber, status, made.Format(time.RFC1123Z))
}

func textJSON(status, body string, made time.Time) string {
	return fmt.Sprintf(`{"sid":"SM00000000000000000000000000000001","account_sid":%q,"to":%q,"from":%q,"status":%q,"body":%q,"date_created":%q,"num_segments":"1","error_code":null}`,
		accountSID, phone, ourNumber, status, body, made.Format(time.RFC1123Z))
}
