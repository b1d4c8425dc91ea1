package connectwise

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// vendor is the name requests and effects are recorded under.
const vendor = "connectwise"

// Config is what a Service needs to know.
type Config struct {
	URL        string // base address as clients see it, https, without the codebase; required
	Company    string // login company; required
	PublicKey  string // of the hub's API member; required
	PrivateKey string // required
	ClientID   string // required in the clientId header; required
	Customers  []desk.Customer
	Log        *wire.Log     // nil makes its own
	Client     *http.Client  // posts callbacks; nil is a plain one
	Timeout    time.Duration // of a callback; 0 = 5 s
	Speed      float64       // waits between callbacks are divided by it; 0 = 1
}

// Service is one company's ConnectWise. It is safe for concurrent use.
type Service struct {
	cfg    Config
	sender *desk.Sender

	mu       sync.Mutex
	codebase string
	next     int
	tables   map[string][]desk.Record // by path below apis/3.0, for what is looked up only
	tickets  []desk.Record            // oldest first
	deleted  []desk.Record
	notes    map[int][]desk.Record // by ticket
	hooks    []desk.Record
	failing  map[int][]string // days without one delivery, by callback
	keys     []key
}

// New makes a Service. Stop must be called.
func New(cfg Config) (*Service, error) {
	if cfg.URL == "" || cfg.Company == "" || cfg.PublicKey == "" || cfg.PrivateKey == "" || cfg.ClientID == "" {
		return nil, errors.New("sim/connectwise: URL, Company, PublicKey, PrivateKey and ClientID are required")
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	if cfg.Log == nil {
		cfg.Log = wire.NewLog()
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{}
	}
	s := &Service{cfg: cfg, codebase: "v2025_1/", next: 4700, notes: map[int][]desk.Record{}, failing: map[int][]string{}}
	s.tables = seed(cfg)
	s.keys = []key{newKey()}
	s.sender = &desk.Sender{
		Vendor: "connectwise.callback", Log: cfg.Log, Client: cfg.Client, Timeout: cmp.Or(cfg.Timeout, 5*time.Second), Speed: cfg.Speed,
		Retry: retry, Settled: s.settled,
	}
	s.sender.Start()
	return s, nil
}

// Stop ends what is being posted.
func (s *Service) Stop() { s.sender.Stop() }

// saved is a Service as Save writes it.
type saved struct {
	Codebase string                   `json:"codebase"`
	Next     int                      `json:"next"`
	Tables   map[string][]desk.Record `json:"tables"`
	Tickets  []desk.Record            `json:"tickets"`
	Deleted  []desk.Record            `json:"deleted"`
	Notes    map[int][]desk.Record    `json:"notes"`
	Hooks    []desk.Record            `json:"hooks"`
	Keys     []key                    `json:"keys"`
}

// Save encodes everything but the deliveries. It holds the keys of callbacks.
func (s *Service) Save() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(saved{s.codebase, s.next, s.tables, s.tickets, s.deleted, s.notes, s.hooks, s.keys})
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
	for _, path := range []string{"company/companies", "company/contacts"} {
		for _, r := range s.tables[path] {
			if !slices.ContainsFunc(in.Tables[path], func(k desk.Record) bool { return k.Int("id") == r.Int("id") }) {
				in.Tables[path] = append(in.Tables[path], r)
			}
		}
	}
	s.codebase, s.next, s.tickets, s.deleted, s.hooks = in.Codebase, in.Next, in.Tickets, in.Deleted, in.Hooks
	maps.Copy(s.tables, in.Tables)
	if in.Notes != nil {
		s.notes = in.Notes
	}
	if len(in.Keys) > 0 {
		s.keys = in.Keys
	}
	return s, nil
}

// find returns the record with the id, nil when there is none.
func find(list []desk.Record, id int) desk.Record {
	for _, r := range list {
		if r.Int("id") == id {
			return r
		}
	}
	return nil
}

// named returns the record whose name (or identifier) is this.
func named(list []desk.Record, name string) desk.Record {
	for _, r := range list {
		if name != "" && (desk.Same(r.Text("name"), name) || desk.Same(r.Text("identifier"), name)) {
			return r
		}
	}
	return nil
}

func (s *Service) id() int {
	s.next++
	return s.next
}
