package sim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hub is a stand-in that remembers what Teams posted and answers clicks with a card.
type hub struct {
	*httptest.Server
	mu  sync.Mutex
	got []map[string]any
}

func newHub(t *testing.T) *hub {
	h := &hub{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var a map[string]any
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		h.mu.Lock()
		h.got = append(h.got, a)
		h.mu.Unlock()
		if a["type"] == "invoke" {
			io.WriteString(rw, `{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":"Ann was first."}`)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hub) types() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.got {
		out = append(out, a["type"].(string))
	}
	return out
}

// start serves a world of its own on free ports.
func start(t *testing.T) (*World, *hub) {
	t.Helper()
	h := newHub(t)
	w, err := New(Options{Listen: "127.0.0.1:0", HubURL: h.URL, NoInstall: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(); http.DefaultClient.CloseIdleConnections() })
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.Teams.Install(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w, h
}

func call(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(got)
}

// botToken asks the sign-in service for one as the hub's bot would.
func botToken(t *testing.T, w *World) string {
	t.Helper()
	return token(t, w, HomeTenantID, BotAppID, w.secrets.bot, "https://api.botframework.com/.default")
}

func token(t *testing.T, w *World, tenant, client, secret, scope string) string {
	t.Helper()
	pem, err := os.ReadFile(w.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the CA file holds no certificate")
	}
	https := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer https.CloseIdleConnections()
	resp, err := https.PostForm(w.LoginURL()+"/"+tenant+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}, "scope": {scope},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	body, _ := io.ReadAll(resp.Body)
	if err := json.Unmarshal(body, &got); err != nil || got.Token == "" {
		t.Fatalf("token: %d %s %v", resp.StatusCode, body, err)
	}
	return got.Token
}

const card = `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"Pat"}],"actions":[{"type":"Action.Execute","title":"Lock","verb":"lock","data":{"incident":"1"}}]}`

func postCard(t *testing.T, w *World) {
	t.Helper()
	body := `{"isGroup":true,"bot":{"id":"28:` + BotAppID + `"},"tenantId":"` + HomeTenantID + `","channelData":{"channel":{"id":"` + ChannelID + `"}},` +
		`"activity":{"type":"message","summary":"Pat","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":` + card + `}]}}`
	status, answer := call(t, "POST", w.URL()+"/teams/v3/conversations", body, "Authorization", "Bearer "+botToken(t, w), "Content-Type", "application/json")
	if status != 201 {
		t.Fatalf("create conversation: %d %s", status, answer)
	}
}

func TestBotPostsWithATokenOfTheSignInAndAPersonClicks(t *testing.T) {
	t.Parallel()
	w, h := start(t)
	if diff := cmp.Diff([]string{"installationUpdate", "conversationUpdate"}, h.types()); diff != "" {
		t.Errorf("at install the hub got (-want +got):\n%s", diff)
	}
	postCard(t, w)
	status, answer := call(t, "POST", w.URL()+"/_act", `{"do":"click","person":"ann","verb":"lock"}`)
	if status != 200 || !strings.Contains(answer, "Ann was first.") {
		t.Errorf("click: %d %s", status, answer)
	}
	status, answer = call(t, "GET", w.URL()+"/_world", "")
	var world struct {
		Scenes    []SceneState
		Microsoft struct {
			Tenants []struct{ ID string }
		}
		Teams struct {
			Channels []struct{ Messages []struct{ ID string } }
		}
		Effects    []struct{ Kind string }
		Unexpected []string
	}
	if err := json.Unmarshal([]byte(answer), &world); err != nil || status != 200 {
		t.Fatalf("world: %d %v", status, err)
	}
	if len(world.Scenes) != 2 || len(world.Microsoft.Tenants) != 3 || len(world.Teams.Channels[0].Messages) != 1 || len(world.Unexpected) != 0 {
		t.Errorf("world %+v", world)
	}
	kinds := []string{}
	for _, e := range world.Effects {
		kinds = append(kinds, e.Kind)
	}
	if diff := cmp.Diff([]string{"card.post", "click"}, kinds); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	for _, secret := range []string{w.secrets.bot, w.secrets.client, w.secrets.hubKey, w.secrets.webhook} {
		_, requests := call(t, "GET", w.URL()+"/_requests", "")
		if strings.Contains(answer, secret) || strings.Contains(requests, secret) {
			t.Error("a secret is shown by /_world or /_requests")
		}
	}
}

func TestGraphAndExchangeStandAtTheirPrefixes(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	scene := w.Scenes[1]
	graph := token(t, w, scene.Tenant.ID, HubClientID, w.secrets.client, "https://graph.microsoft.com/.default")
	status, answer := call(t, "GET", w.URL()+"/graph/v1.0/users/"+scene.Victim.ID+"?$select=id,accountEnabled", "", "Authorization", "Bearer "+graph)
	if status != 200 || !strings.Contains(answer, scene.Victim.ID) {
		t.Errorf("graph: %d %s", status, answer)
	}
	if status, answer := call(t, "POST", w.URL()+"/exchange/adminapi/beta/"+scene.Tenant.ID+"/InvokeCommand", `{}`); status != 401 {
		t.Errorf("exchange without a token: %d %s", status, answer)
	}
	if u := w.Wire.UnexpectedAll(); len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
}

func TestForeignTokensAreRefused(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	for _, header := range []string{"", "Bearer x", "Basic " + botToken(t, w)} {
		if status, answer := call(t, "GET", w.URL()+"/teams/v3/teams/"+url.PathEscape(TeamID), "", "Authorization", header); status != 401 {
			t.Errorf("%q: %d %s", header, status, answer)
		}
	}
}

func TestActsInMicrosoft(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	scene := w.Scenes[0]
	rules, mails := len(scene.Victim.Rules()), len(scene.Sam.Messages("inbox"))
	for _, tt := range []struct {
		act    string
		status int
		want   string
	}{
		{`{"do":"recreate_rule"}`, 200, "Done."},
		{`{"do":"switch_app_on"}`, 200, "Done."},
		{`{"do":"add_forwarding"}`, 200, "Done."},
		{`{"do":"add_method"}`, 200, "Done."},
		{`{"do":"add_device"}`, 200, "Done."},
		{`{"do":"add_owner"}`, 200, "Done."},
		{`{"do":"approve_sign_in"}`, 409, "nobody waits for the code"},
		{`{"do":"deliver"}`, 200, "Sam Lee"},
		{`{"do":"deliver","tenant":"Fabrikam","user":"kiosk@fabrikam.example"}`, 409, "no mailbox"},
		{`{"do":"microsoft","action":"user.disable","user":"` + scene.Hybrid.UPN + `"}`, 200, "Done."},
		{`{"do":"sync_directory","tenant":"Contoso"}`, 200, "1 accounts changed"},
		{`{"do":"sync_directory","tenant":"Nowhere"}`, 409, "no customer"},
		{`{"do":"roll_keys"}`, 200, "new key"},
		{`{"do":"limits","on":false}`, 200, "Done."},
		{`{"do":"fly"}`, 409, "nobody here can"},
		{`{"do":"click","person":"ann","verb":"lock"}`, 409, "sees no button"},
		{`{"do":"click","preson":"ann"}`, 400, "unknown field"},
		{`{}{}`, 400, "more than one value"},
	} {
		if status, answer := call(t, "POST", w.URL()+"/_act", tt.act); status != tt.status || !strings.Contains(answer, tt.want) {
			t.Errorf("%s: %d %s, want %d %q", tt.act, status, answer, tt.status, tt.want)
		}
	}
	if len(scene.Victim.Rules()) != rules+1 || len(scene.Sam.Messages("inbox")) != mails+1 {
		t.Errorf("%d rules, %d mails; before %d and %d", len(scene.Victim.Rules()), len(scene.Sam.Messages("inbox")), rules, mails)
	}
	if !scene.Hybrid.Enabled() {
		t.Error("the directory sync did not enable the account again")
	}
}

func TestFaultsAreScriptedAndStrict(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	if status, answer := call(t, "POST", w.URL()+"/_faults", `[{"vendor":"teams","match":"/v3/","status":503,"times":1},{"vendor":"login","delay_ms":1}]`); status != 200 {
		t.Fatalf("faults: %d %s", status, answer)
	}
	if status, _ := call(t, "GET", w.URL()+"/teams/v3/teams/x", "", "Authorization", "Bearer x"); status != 503 {
		t.Errorf("with a fault: %d", status)
	}
	if status, _ := call(t, "GET", w.URL()+"/teams/v3/teams/x", "", "Authorization", "Bearer x"); status != 401 {
		t.Errorf("after the fault: %d", status)
	}
	_, requests := call(t, "GET", w.URL()+"/_requests?vendor=teams&since=0", "")
	if !strings.Contains(requests, `"fault":"status 503"`) {
		t.Errorf("requests %s", requests)
	}
	if status, _ := call(t, "POST", w.URL()+"/_faults", `{"vendor":"teams","staus":500}`); status != 400 {
		t.Errorf("misspelt fault: %d", status)
	}
	if status, _ := call(t, "DELETE", w.URL()+"/_faults", ""); status != 204 || len(w.Wire.Faults()) != 0 {
		t.Errorf("delete: %d, left %v", status, w.Wire.Faults())
	}
}
