package halopsa

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// vendor is the name requests and effects are recorded under.
const vendor = "halopsa"

// Config is what a Service needs to know.
type Config struct {
	URL          string // base address as clients see it; required
	ClientID     string // of the hub's application; required
	ClientSecret string // required
	Tenant       string // of a hosted instance: who signs in names it; "" asks nobody
	Customers    []desk.Customer
	Log          *wire.Log     // nil makes its own
	Client       *http.Client  // posts webhooks; nil is a plain one
	Timeout      time.Duration // of a webhook; 0 = 10 s
	Speed        float64       // waits between webhooks are divided by it; 0 = 1
}

// Service is one instance. It is safe for concurrent use.
type Service struct {
	cfg    Config
	sender *desk.Sender

	mu      sync.Mutex
	tokens  map[string]time.Time // until when
	next    int
	tables  map[string][]desk.Record // by path
	deleted []desk.Record
}

// New makes a Service. Stop must be called.
func New(cfg Config) (*Service, error) {
	if cfg.URL == "" || cfg.ClientID == "" || cfg.ClientSecret == "" {
		return nil, errors.New("sim/halopsa: URL, ClientID and ClientSecret are required")
	}
	if cfg.Log == nil {
		cfg.Log = wire.NewLog()
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{}
	}
	s := &Service{cfg: cfg, tokens: map[string]time.Time{}, next: 2000, tables: seed(cfg)}
	s.sender = &desk.Sender{
		Vendor: "halopsa.callback", Log: cfg.Log, Client: cfg.Client, Timeout: cmp.Or(cfg.Timeout, 10*time.Second), Speed: cfg.Speed,
		Retry: func(attempt, _ int) (time.Duration, bool) {
			return time.Duration(attempt) * 10 * time.Second, attempt < 3
		},
	}
	s.sender.Start()
	return s, nil
}

// Stop ends what is being posted.
func (s *Service) Stop() { s.sender.Stop() }

type saved struct {
	Next    int                      `json:"next"`
	Tables  map[string][]desk.Record `json:"tables"`
	Deleted []desk.Record            `json:"deleted"`
}

// Save encodes everything but deliveries and tokens. It holds the passwords of webhooks.
func (s *Service) Save() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(saved{s.next, s.tables, s.deleted})
}

// Restore is New with the state that Save encoded; nothing encoded is a new one. Customers that came since are added.
func Restore(cfg Config, raw json.RawMessage) (*Service, error) {
	s, err := New(cfg)
	if err != nil || len(raw) == 0 {
		return s, err
	}
	var in saved
	if err := json.Unmarshal(raw, &in); err != nil {
		s.Stop()
		return nil, err
	}
	for _, table := range []string{"client", "users"} {
		for _, r := range s.tables[table] {
			if find(in.Tables[table], r.Int("id")) == nil {
				in.Tables[table] = append(in.Tables[table], r)
			}
		}
	}
	s.next, s.deleted = in.Next, in.Deleted
	maps.Copy(s.tables, in.Tables)
	return s, nil
}

func find(list []desk.Record, id int) desk.Record {
	i := slices.IndexFunc(list, func(r desk.Record) bool { return r.Int("id") == id })
	if i < 0 || id == 0 {
		return nil
	}
	return list[i]
}

// Handler is the instance below Config.URL. Requests are recorded with vendor "halopsa".
func (s *Service) Handler() http.Handler {
	return s.cfg.Log.Middleware(vendor, http.HandlerFunc(s.serve))
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(strings.ToLower(r.URL.Path), "/")
	if path == "auth/token" && r.Method == http.MethodPost {
		s.token(w, r)
		return
	}
	below, ok := strings.CutPrefix(path, "api/")
	if !ok {
		s.unexpected(r.Method + " " + r.URL.Path)
		http.NotFound(w, r)
		return
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	until, known := s.tokens[bearer]
	status, v := http.StatusUnauthorized, any(desk.Record{"error": "invalid_token"})
	if known && time.Now().Before(until) {
		status, v = s.route(r, strings.Split(below, "/"))
	}
	raw := desk.Compact(v) // before anybody changes what the answer shows
	s.mu.Unlock()
	answer(w, status, raw)
}

func answer(w http.ResponseWriter, status int, raw []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw) //nolint:gosec // JSON by its Content-Type: no browser draws it; whoever is gone is told nothing
}

func (s *Service) unexpected(what string) { s.cfg.Log.Unexpected(vendor, what) }

// tokenLife is how long a token is good.
const tokenLife = time.Hour

// token is OAuth 2 with client credentials.
func (s *Service) token(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16)) // half a form is a wrong one
	form, err := url.ParseQuery(string(raw))
	same := func(name, want string) bool {
		return subtle.ConstantTimeCompare([]byte(form.Get(name)), []byte(want)) == 1
	}
	switch {
	case s.cfg.Tenant != "" && r.URL.Query().Get("tenant") != s.cfg.Tenant:
		answer(w, http.StatusBadRequest, []byte(`{"error":"invalid_request","error_description":"The tenant is not known."}`))
	case err != nil || form.Get("grant_type") != "client_credentials":
		answer(w, http.StatusBadRequest, []byte(`{"error":"unsupported_grant_type"}`))
	case !same("client_id", s.cfg.ClientID) || !same("client_secret", s.cfg.ClientSecret):
		answer(w, http.StatusBadRequest, []byte(`{"error":"invalid_client","error_description":"The specified client credentials are invalid."}`))
	case form.Get("scope") == "":
		answer(w, http.StatusBadRequest, []byte(`{"error":"invalid_scope"}`))
	default:
		made := rand.Text() + rand.Text()
		s.mu.Lock()
		s.tokens[made] = time.Now().Add(tokenLife)
		s.mu.Unlock()
		answer(w, http.StatusOK, desk.Compact(desk.Record{"token_type": "Bearer", "access_token": made, "expires_in": int(tokenLife.Seconds()), "scope": form.Get("scope")}))
	}
}

func (s *Service) id() int {
	s.next++
	return s.next
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // no number is nothing
	return n
}
