package receiver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub/sim/wire"
)

// Config is what a Service needs to know.
type Config struct {
	Log      *wire.Log // ledger of effects and of the unexpected, scripted faults; nil makes its own
	NoLimits bool      // Slack takes any number of messages a second
}

// Event is one delivery that verified.
type Event struct {
	ID     string    `json:"id"` // webhook-id
	At     time.Time `json:"at"`
	Type   string    `json:"type"`
	Ref    string    `json:"ref,omitempty"` // of the incident
	Seq    int64     `json:"seq,omitempty"` // in the incident's record
	Text   string    `json:"text,omitempty"`
	Copies int       `json:"copies"` // how often it came after the first time
	Body   string    `json:"body"`
}

// Refused is a delivery that was turned down.
type Refused struct {
	At  time.Time `json:"at"`
	ID  string    `json:"id"`
	Why string    `json:"why"`
}

// Endpoint is one address with what came there, oldest first.
type Endpoint struct {
	Name    string    `json:"name"`
	Secrets []string  `json:"secrets,omitempty"` // never in a Snapshot
	Events  []Event   `json:"events"`
	Refused []Refused `json:"refused"`
}

// Message is one message in the Slack channel.
type Message struct {
	At     time.Time `json:"at"`
	Text   string    `json:"text"`
	Blocks int       `json:"blocks"`
	Raw    string    `json:"raw"`
}

// State is everything that came.
type State struct {
	Hooks []Endpoint `json:"hooks"` // by name
	Slack []Message  `json:"slack"`
}

// Service is the receiver. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu     sync.Mutex
	hooks  map[string]*Endpoint
	slack  []Message
	posted []time.Time // the latest posts to Slack
}

// New returns a Service to which nothing came yet.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = wire.NewLog()
	}
	return &Service{cfg: cfg, hooks: map[string]*Endpoint{}}
}

// Handler answers below /receiver: /hook/NAME for Standard Webhooks, /slack/services/T/B/X for Slack.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /receiver/hook/{name}", s.cfg.Log.Middleware("receiver", http.HandlerFunc(s.hook)))
	mux.Handle("/receiver/slack/", s.cfg.Log.Middleware("slack", http.HandlerFunc(s.chat)))
	mux.HandleFunc("/receiver/elsewhere", func(rw http.ResponseWriter, r *http.Request) {
		s.cfg.Log.Unexpected("receiver", "a redirect was followed to "+r.URL.Path)
	})
	return mux
}

// Trust says with which secrets deliveries to an endpoint are signed from now on: several while one
// is rotated. Without any, everything is refused.
func (s *Service) Trust(name string, secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoint(name).Secrets = slices.Clone(secrets)
}

func (s *Service) endpoint(name string) *Endpoint {
	e := s.hooks[name]
	if e == nil {
		e = &Endpoint{Name: name, Events: []Event{}, Refused: []Refused{}}
		s.hooks[name] = e
	}
	return e
}

// Snapshot copies what came. Secrets are not in it.
func (s *Service) Snapshot() State { return s.copy(false) }

// Page is what a page shows: the latest, without their bodies.
func (s State) Page() State {
	const shown = 20
	out := State{Slack: slices.Clone(s.Slack[max(0, len(s.Slack)-shown):])}
	for i := range out.Slack {
		out.Slack[i].Raw = ""
	}
	for _, e := range s.Hooks {
		e.Events, e.Refused = slices.Clone(e.Events[max(0, len(e.Events)-shown):]), e.Refused[max(0, len(e.Refused)-shown):]
		for i := range e.Events {
			e.Events[i].Body = ""
		}
		out.Hooks = append(out.Hooks, e)
	}
	return out
}

func (s *Service) copy(secrets bool) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := State{Hooks: []Endpoint{}, Slack: append([]Message{}, s.slack...)}
	for _, e := range s.hooks {
		c := *e
		c.Events, c.Refused = append([]Event{}, e.Events...), append([]Refused{}, e.Refused...)
		if c.Secrets = nil; secrets {
			c.Secrets = slices.Clone(e.Secrets)
		}
		out.Hooks = append(out.Hooks, c)
	}
	slices.SortFunc(out.Hooks, func(a, b Endpoint) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Save encodes the state, with its secrets.
func (s *Service) Save() (json.RawMessage, error) {
	raw, err := json.Marshal(s.copy(true))
	if err != nil {
		return nil, fmt.Errorf("sim/receiver: save: %w", err)
	}
	return raw, nil
}

// Restore is New with the state that Save encoded; nothing encoded is a new one.
func Restore(cfg Config, raw json.RawMessage) (*Service, error) {
	s := New(cfg)
	if len(raw) == 0 {
		return s, nil
	}
	var in State
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("sim/receiver: restore: %w", err)
	}
	s.slack = in.Slack
	for _, e := range in.Hooks {
		s.hooks[e.Name] = &e
	}
	return s, nil
}

// say answers in plain text, as these services do.
func say(rw http.ResponseWriter, status int, word string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, word) // the client is gone: nobody to tell
}
