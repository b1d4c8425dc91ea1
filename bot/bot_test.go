package bot

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"responsehub"
	"responsehub/remediation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appID   = "aaaaaaaa-0000-4000-8000-000000000001"
	tenant  = "bbbbbbbb-0000-4000-8000-000000000002"
	service = "https://smba.trafficmanager.net/emea/"
	general = "19:general@thread.tacv2"
	annID   = "cccccccc-0000-4000-8000-000000000003"
	bobID   = "cccccccc-0000-4000-8000-000000000004"
	ritaID  = "cccccccc-0000-4000-8000-000000000005"
	guestID = "cccccccc-0000-4000-8000-000000000006"
)

// signer holds a key of the pretend Bot Framework.
type signer struct {
	id      string
	private *rsa.PrivateKey
}

var newSigner = func() func(id string) signer {
	var mu sync.Mutex
	made := map[string]signer{}
	return func(id string) signer {
		mu.Lock()
		defer mu.Unlock()
		if s, ok := made[id]; ok {
			return s
		}
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		made[id] = signer{id, k}
		return made[id]
	}
}()

func (s signer) jwk(endorsements ...string) map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "kid": s.id, "endorsements": endorsements,
		"n": base64.RawURLEncoding.EncodeToString(s.private.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.private.E)).Bytes()),
	}
}

func goodClaims() jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": "https://api.botframework.com", "aud": appID, "serviceurl": service,
		"nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

func (s signer) sign(t testing.TB, c jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(jwt.SigningMethodRS256, c)
	tok.Header["kid"] = s.id
	out, err := tok.SignedString(s.private)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + out
}

// world is Microsoft as the bot sees it: keys and connector behind one RoundTripper,
// without sockets, so that it works in a bubble.
type world struct {
	mu      sync.Mutex
	keys    []map[string]any
	loads   int
	down    bool
	calls   []call
	serial  int
	respond func(call) (status int, header http.Header, body string) // nil status 0: as it should be
}

type call struct {
	Method, Host, Path, Token string
	Body                      map[string]any
	At                        time.Time
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	w.serve(rec, r)
	res := rec.Result()
	res.Request = r
	return res, r.Context().Err()
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.URL.Host == "login.botframework.com" {
		switch {
		case w.down:
			rw.WriteHeader(http.StatusBadGateway)
		case strings.HasSuffix(r.URL.Path, "openidconfiguration"):
			w.loads++
			fmt.Fprint(rw, `{"jwks_uri":"https://login.botframework.com/keys"}`)
		default:
			_ = json.NewEncoder(rw).Encode(map[string]any{"keys": w.keys})
		}
		return
	}
	c := call{Method: r.Method, Host: r.URL.Host, Path: r.URL.EscapedPath(), Token: r.Header.Get("Authorization"), At: time.Now()}
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(b, &c.Body)
	}
	w.calls = append(w.calls, c)
	if w.respond != nil {
		respond := w.respond
		w.mu.Unlock()
		status, header, body := respond(c)
		w.mu.Lock()
		if status != 0 {
			for k, v := range header {
				rw.Header()[k] = v
			}
			rw.WriteHeader(status)
			fmt.Fprint(rw, body)
			return
		}
	}
	w.serial++
	switch {
	case r.Method == http.MethodPut:
		fmt.Fprint(rw, `{"id":"x"}`)
	case r.Method == http.MethodGet:
		fmt.Fprint(rw, `{"conversations":[{"id":"19:general@thread.tacv2","name":null},{"id":"19:second@thread.tacv2","name":"Second"}]}`)
	case strings.HasSuffix(c.Path, "/conversations") && c.Body["isGroup"] == true:
		ch := text(c.Body, "channelData", "channel", "id")
		rw.WriteHeader(http.StatusCreated)
		fmt.Fprintf(rw, `{"id":"%s;messageid=%d","activityId":"%d"}`, ch, 1700000000000+w.serial, 1700000000000+w.serial)
	case strings.HasSuffix(c.Path, "/conversations"):
		rw.WriteHeader(http.StatusCreated)
		fmt.Fprint(rw, `{"id":"a:personal"}`)
	default:
		rw.WriteHeader(http.StatusCreated)
		fmt.Fprintf(rw, `{"id":"%d"}`, 1800000000000+w.serial)
	}
}

func (w *world) seen(method string) []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []call
	for _, c := range w.calls {
		if method == "" || c.Method == method {
			out = append(out, c)
		}
	}
	return out
}

// credential hands out numbered tokens.
type credential struct {
	mu sync.Mutex
	n  int
}

func (c *credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return azcore.AccessToken{Token: fmt.Sprintf("bot-token-%d", c.n), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// directory is the tenants, people and channels in memory.
type directory struct {
	mu       sync.Mutex
	tenants  []responsehub.Tenant
	people   []responsehub.Person
	channels map[string]responsehub.Channel
	puts     int
}

func (d *directory) Tenants() []responsehub.Tenant { return d.tenants }
func (d *directory) People() []responsehub.Person  { return d.people }
func (d *directory) Tenant(id string) (responsehub.Tenant, bool) {
	for _, t := range d.tenants {
		if t.Known(id) {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}
func (d *directory) PersonByEntra(id string) (responsehub.Person, bool) {
	for _, p := range d.people {
		if strings.EqualFold(p.EntraObjectID, id) {
			return p, true
		}
	}
	return responsehub.Person{}, false
}
func (d *directory) Channel(id string) (responsehub.Channel, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ch, ok := d.channels[id]
	return ch, ok
}
func (d *directory) Channels() (out []responsehub.Channel) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, ch := range d.channels {
		out = append(out, ch)
	}
	return out
}
func (d *directory) PutChannel(_ context.Context, ch responsehub.Channel) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.puts++
	d.channels[ch.ID] = ch
	return nil
}

// engine keeps incidents in memory and answers by the rules of the root package.
type engine struct {
	mu       sync.Mutex
	incs     map[string]*responsehub.Incident
	answers  map[string]responsehub.Answer
	asked    []responsehub.StepRequest
	noted    []responsehub.Event
	password responsehub.Secret
	slow     time.Duration
}

func clone(inc *responsehub.Incident) *responsehub.Incident {
	b, _ := json.Marshal(inc)
	var out responsehub.Incident
	_ = json.Unmarshal(b, &out)
	return &out
}

func (e *engine) find(id string) (*responsehub.Incident, error) {
	for _, inc := range e.incs {
		if inc.ID == id || strings.EqualFold(inc.Ref, id) {
			return clone(inc), nil
		}
	}
	return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no incident " + id + "."}
}

func (e *engine) Incident(ctx context.Context, actor responsehub.Actor, id string) (*responsehub.Incident, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inc, err := e.find(id)
	if err != nil {
		return nil, err
	}
	return inc, actor.May(responsehub.See, inc.Tenant)
}

func (e *engine) Incidents(_ context.Context, actor responsehub.Actor, q remediation.Query) (remediation.IncidentPage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var page remediation.IncidentPage
	if actor.Role == "" {
		return page, actor.May(responsehub.See, responsehub.TenantRef{})
	}
	for _, inc := range e.incs {
		if inc.State == q.State && actor.Sees(inc.Tenant) {
			page.Incidents = append(page.Incidents, clone(inc))
		}
	}
	return page, nil
}

func (e *engine) Undo(_ context.Context, actor responsehub.Actor, id string, step responsehub.StepID, r responsehub.UndoRequest) (responsehub.Answer, error) {
	return e.change(actor, id, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.AskUndo(step, actor, r, time.Now())
	})
}

func (e *engine) FalseAlarm(_ context.Context, actor responsehub.Actor, id, reason, _ string) (responsehub.Answer, error) {
	return e.change(actor, id, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.FalseAlarm(actor, reason, time.Now())
	})
}

func (e *engine) change(actor responsehub.Actor, id string, do func(*responsehub.Incident) (responsehub.Answer, error)) (responsehub.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inc, err := e.find(id)
	if err != nil {
		return responsehub.Answer{}, err
	}
	if err := actor.May(responsehub.Act, inc.Tenant); err != nil {
		return responsehub.Answer{}, err
	}
	a, err := do(inc)
	if err != nil {
		return responsehub.Answer{}, err
	}
	e.incs[inc.ID] = inc
	a.Incident = clone(inc)
	return a, nil
}

func (e *engine) Request(ctx context.Context, actor responsehub.Actor, id string, step responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error) {
	if e.slow > 0 {
		select {
		case <-time.After(e.slow):
		case <-ctx.Done():
			return responsehub.Answer{}, ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, r)
	if a, ok := e.answers[r.CommandID]; ok {
		return a, nil
	}
	inc, err := e.find(id)
	if err != nil {
		return responsehub.Answer{}, err
	}
	if err := actor.May(responsehub.Act, inc.Tenant); err != nil {
		return responsehub.Answer{}, err
	}
	a, err := inc.Ask(step, actor, r, time.Now())
	if err != nil {
		return responsehub.Answer{}, err
	}
	e.incs[inc.ID] = inc
	a.Incident = clone(inc)
	e.answers[r.CommandID] = a
	return a, nil
}

func (e *engine) Acknowledge(_ context.Context, actor responsehub.Actor, id, _ string) (responsehub.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inc, err := e.find(id)
	if err != nil {
		return responsehub.Answer{}, err
	}
	a := inc.Acknowledge(actor, time.Now())
	e.incs[inc.ID] = inc
	a.Incident = clone(inc)
	return a, nil
}

func (e *engine) Tick(_ context.Context, actor responsehub.Actor, id, todo, _ string) (responsehub.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inc, err := e.find(id)
	if err == nil {
		err = actor.May(responsehub.Act, inc.Tenant)
	}
	if err != nil {
		return responsehub.Answer{}, err
	}
	a, err := inc.Tick(actor, todo, time.Now())
	a.Incident = inc
	if err == nil {
		e.incs[inc.ID] = inc
	}
	return a, err
}

func (e *engine) Reveal(_ context.Context, actor responsehub.Actor, id string) (remediation.Reveal, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case actor.ID != "person:ann":
		return remediation.Reveal{}, &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only Ann, who asked for the reset, can see the password."}
	case e.password == "":
		return remediation.Reveal{}, &responsehub.Error{Kind: responsehub.Gone, Message: "The password was shown already or has expired."}
	}
	r := remediation.Reveal{Password: e.password, For: "pat@contoso.example", Advice: "Tell it by phone."}
	e.password = ""
	return r, nil
}

func (e *engine) Note(_ context.Context, id string, ev responsehub.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.find(id); err != nil {
		return err
	}
	e.noted = append(e.noted, ev)
	return nil
}

// harness is a bot with its world around it.
type harness struct {
	*testing.T
	bot    *Bot
	world  *world
	dir    *directory
	engine *engine
	cred   *credential
	key    signer
	log    *bytes.Buffer
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{T: t, key: newSigner("k1"), cred: &credential{}, log: &bytes.Buffer{}}
	h.world = &world{keys: []map[string]any{h.key.jwk("msteams")}}
	h.dir = &directory{
		tenants: []responsehub.Tenant{{ID: "t1", Name: "Contoso", Notify: responsehub.Notify{Teams: []string{general}, Phone: &responsehub.OnCall{Sequence: []string{"ann", "bob"}}}}, {ID: "t2", Name: "Fabrikam"}},
		people: []responsehub.Person{
			{ID: "ann", Name: "Ann", EntraObjectID: annID, Role: responsehub.Responder, Tenants: []string{"*"}},
			{ID: "bob", Name: "Bob", EntraObjectID: bobID, Role: responsehub.Responder, Tenants: []string{"Contoso"}},
			{ID: "rita", Name: "Rita", EntraObjectID: ritaID, Role: responsehub.Reader, Tenants: []string{"*"}},
			{ID: "gus", Name: "Gus", EntraObjectID: guestID, Role: responsehub.Guest, Tenants: []string{"Fabrikam"}},
		},
		channels: map[string]responsehub.Channel{general: {V: 1, ID: general, Name: "General", TeamID: general, TeamName: "SOC", TenantID: tenant, ServiceURL: service, BotID: "28:" + appID, Installed: true, SeenAt: time.Now()}},
	}
	h.engine = &engine{incs: map[string]*responsehub.Incident{}, answers: map[string]responsehub.Answer{}}
	b, err := New(Config{AppID: appID, TenantID: tenant, Credential: h.cred}, h.engine, h.dir, &http.Client{Transport: h.world}, slog.New(slog.NewTextHandler(h.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	h.bot = b
	return h
}

// incident opens one with a card in the general channel.
func (h *harness) incident(response bool) *responsehub.Incident {
	inc := responsehub.NewIncident("01JD0000000000000000000000", "RH-7K2M", time.Now(), "petra", &responsehub.Alert{
		ID: "det-1", DetectedAt: time.Now(), Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"}, Severity: responsehub.High, Title: "Account takeover",
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r1", Name: "."}, {Kind: responsehub.InboxRule, ID: "r2", Name: ".."}},
	}, responsehub.TenantRef{ID: "t1", Name: "Contoso"}, response)
	inc.Cards = map[string]responsehub.CardRef{general: {Conversation: general + ";messageid=17", Activity: "17", Drawn: "old"}}
	h.engine.incs[inc.ID] = inc
	return inc
}

// send posts an activity with a good token and returns what came back.
func (h *harness) send(act map[string]any) *httptest.ResponseRecorder {
	h.Helper()
	b, err := json.Marshal(act)
	if err != nil {
		h.Fatal(err)
	}
	return h.post(string(b), h.key.sign(h, goodClaims()))
}

func (h *harness) post(body, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/api/messages", strings.NewReader(body))
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.bot.ServeHTTP(w, r)
	return w
}

// settle waits for work that went on after an answer.
func (h *harness) settle() { h.bot.tasks.Wait() }

func activity(kind, from string) map[string]any {
	return map[string]any{
		"type": kind, "id": "act-1", "channelId": "msteams", "serviceUrl": service,
		"timestamp":    time.Now().UTC().Format(time.RFC3339Nano),
		"from":         map[string]any{"id": "29:" + from, "name": "Someone", "aadObjectId": from},
		"recipient":    map[string]any{"id": "28:" + appID},
		"conversation": map[string]any{"id": general + ";messageid=17", "conversationType": "channel", "tenantId": tenant, "isGroup": true},
		"channelData":  map[string]any{"tenant": map[string]any{"id": tenant}, "channel": map[string]any{"id": general}, "team": map[string]any{"id": general}},
	}
}

func press(from, id, verb string, data map[string]any) map[string]any {
	a := activity("invoke", from)
	a["id"], a["name"], a["replyToId"] = id, "adaptiveCard/action", "17"
	a["value"] = map[string]any{"action": map[string]any{"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"}
	return a
}

func about(inc *responsehub.Incident) map[string]any {
	return map[string]any{"incident": inc.ID}
}
