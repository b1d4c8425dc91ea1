package autotask

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
const vendor = "autotask"

// Config is what a Service needs to know.
type Config struct {
	URL       string // base address as clients see it, before /ATServicesRest; required
	Username  string // of the API user; required
	Secret    string // required
	Code      string // tracking identifier; required
	Customers []desk.Customer
	Log       *wire.Log     // nil makes its own
	Client    *http.Client  // posts events; nil is a plain one
	Timeout   time.Duration // of an event; 0 = 10 s
	Speed     float64       // waits between events are divided by it; 0 = 1
	NoLimits  bool          // lifts the limits of threads and of calls an hour
	Threshold int           // calls in an hour; 0 = 10000
}

// Service is one Autotask database. It is safe for concurrent use.
type Service struct {
	cfg    Config
	sender *desk.Sender
	lists  map[string][]choice // picklists by field

	mu         sync.Mutex
	zone       string // path segment, "" at first
	missing404 bool
	next       int
	tables     map[string][]desk.Record // by entity
	deleted    []desk.Record
	sequence   int
	failures   map[int]int // events in a row, by webhook

	limits limits
}

// New makes a Service. Stop must be called.
func New(cfg Config) (*Service, error) {
	if cfg.URL == "" || cfg.Username == "" || cfg.Secret == "" || cfg.Code == "" {
		return nil, errors.New("sim/autotask: URL, Username, Secret and Code are required")
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	if cfg.Log == nil {
		cfg.Log = wire.NewLog()
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{}
	}
	cfg.Threshold = cmp.Or(cfg.Threshold, threshold)
	s := &Service{cfg: cfg, next: 128900, failures: map[int]int{}, lists: picklists(), tables: seed(cfg)}
	s.limits.running = map[string]int{}
	s.sender = &desk.Sender{
		Vendor: "autotask.callback", Log: cfg.Log, Client: cfg.Client, Timeout: cmp.Or(cfg.Timeout, hookTimeout), Speed: cfg.Speed,
		Retry: retry, Settled: s.settled,
	}
	s.sender.Start()
	return s, nil
}

// Stop ends what is being posted.
func (s *Service) Stop() { s.sender.Stop() }

// saved is a Service as Save writes it.
type saved struct {
	Zone     string                   `json:"zone"`
	Missing  bool                     `json:"missing_404"`
	Next     int                      `json:"next"`
	Tables   map[string][]desk.Record `json:"tables"`
	Deleted  []desk.Record            `json:"deleted"`
	Sequence int                      `json:"sequence"`
	Lists    map[string][]choice      `json:"lists"`
}

// Save encodes everything but deliveries and what counts against the limits. It holds the secrets of webhooks.
func (s *Service) Save() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(saved{s.zone, s.missing404, s.next, s.tables, s.deleted, s.sequence, s.lists})
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
	for _, entity := range []string{"Companies", "Contacts"} {
		for _, r := range s.tables[entity] {
			if find(in.Tables[entity], r.Int("id")) == nil {
				in.Tables[entity] = append(in.Tables[entity], r)
			}
		}
	}
	s.zone, s.missing404, s.next, s.deleted, s.sequence = in.Zone, in.Missing, in.Next, in.Deleted, in.Sequence
	maps.Copy(s.tables, in.Tables)
	maps.Copy(s.lists, in.Lists)
	return s, nil
}

func find(list []desk.Record, id int) desk.Record {
	i := slices.IndexFunc(list, func(r desk.Record) bool { return r.Int("id") == id })
	if i < 0 {
		return nil
	}
	return list[i]
}

func (s *Service) id() int {
	s.next++
	return s.next
}
