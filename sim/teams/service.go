package teams

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"responsehub/sim/wire"
)

// Person is somebody with a Teams client in the bot's home tenant.
type Person struct {
	Key           string `json:"key"` // short lower-case name by which Click and the others call them
	Name          string `json:"name"`
	EntraID       string `json:"entra_object_id"`
	Mail          string `json:"mail"`
	ForeignTenant string `json:"-"` // when set, a tenant other than Config.TenantID that their activities name
}

// MRI is the person's id towards the bot, "29:" and an opaque word, different for each bot.
func (p Person) MRI() string { return "29:1" + strings.ReplaceAll(p.EntraID, "-", "") + "-" + p.Key }

// Channel is one channel of the team. The General channel has the team's id and no name in the
// connector's answers.
type Channel struct {
	ID   string `json:"id"` // 19:...@thread.tacv2
	Name string `json:"name"`
}

// Config is what a Service needs to know.
type Config struct {
	URL      string                    // base address of the connector as the bot sees it, e.g. http://127.0.0.1:9900/teams; required
	BotURL   string                    // the bot's messaging endpoint, e.g. http://127.0.0.1:8080/api/messages; required
	AppID    string                    // the bot's app id; required
	TenantID string                    // the home tenant; required
	Verify   func(bearer string) error // judges the bot's access token; nil refuses every token
	Log      *wire.Log                 // ledger of effects and of the unexpected; nil makes its own
	Client   *http.Client              // posts to the bot; nil makes one that follows no redirect
	People   []Person                  // who has a client; members of the team
	TeamID   string                    // id of the team and of its General channel
	TeamName string
	GroupID  string        // the team's Entra group
	Channels []Channel     // the first is the one selected at install; General is added when missing
	NoLimits bool          // lifts the rate limits per thread
	Timeout  time.Duration // how long a client waits for the answer to an invoke; 0 = 15 s
}

// Service is the connector and the clients' side of one bot in one team. It is safe for concurrent use.
type Service struct {
	cfg    Config
	client *http.Client
	keys   keyring
	limits limiter

	mu        sync.Mutex
	installed bool
	disabled  bool
	lastID    int64
	convs     map[string]*conversation // by id without ;messageid=
	messages  map[string]*message      // by activity id
	notices   map[string]Notice        // last banner by person
	sent      []Delivery
}

// New makes a Service whose bot is not yet installed.
func New(cfg Config) (*Service, error) {
	s, err := build(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.keys.roll(); err != nil {
		return nil, err
	}
	return s, nil
}

// build makes a Service without signing keys.
func build(cfg Config) (*Service, error) {
	var errs []error
	for _, f := range []struct{ name, value string }{
		{"URL", cfg.URL}, {"BotURL", cfg.BotURL}, {"AppID", cfg.AppID}, {"TenantID", cfg.TenantID}, {"TeamID", cfg.TeamID},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("sim/teams: Config.%s is empty", f.name))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	cfg.Timeout = cmp.Or(cfg.Timeout, 15*time.Second)
	cfg.TeamName = cmp.Or(cfg.TeamName, "Team")
	if cfg.Log == nil {
		cfg.Log = wire.NewLog()
	}
	if cfg.Verify == nil {
		cfg.Verify = func(string) error { return errors.New("no token is accepted") }
	}
	s := &Service{
		cfg: cfg, client: cfg.Client,
		convs: map[string]*conversation{}, messages: map[string]*message{}, notices: map[string]Notice{},
	}
	if s.client == nil {
		s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	s.limits.off = cfg.NoLimits
	hasGeneral := false
	for _, c := range cfg.Channels {
		hasGeneral = hasGeneral || c.ID == cfg.TeamID
		s.convs[c.ID] = &conversation{id: c.ID, name: c.Name, kind: "channel"}
	}
	if !hasGeneral {
		s.cfg.Channels = append(s.cfg.Channels, Channel{ID: cfg.TeamID, Name: "General"})
		s.convs[cfg.TeamID] = &conversation{id: cfg.TeamID, name: "General", kind: "channel"}
	}
	return s, nil
}

// ServiceURL is the address that activities name as serviceUrl.
func (s *Service) ServiceURL() string { return s.cfg.URL + "/" }

// OpenIDURL is the address of the metadata from which the bot finds the signing keys.
func (s *Service) OpenIDURL() string { return s.cfg.URL + "/v1/.well-known/openidconfiguration" }

// RollKeys makes a new signing key and signs with it from now on; the key before it stays published,
// the one before that is withdrawn.
func (s *Service) RollKeys() error { return s.keys.roll() }

// SetLimits switches the rate limits per thread on or off.
func (s *Service) SetLimits(on bool) { s.limits.set(on) }

// SetDisabled says whether an administrator has blocked the app; the connector then answers 403
// BotDisabledByAdmin.
func (s *Service) SetDisabled(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disabled = yes
}

// conversation is a channel or a chat between the bot and one person.
type conversation struct {
	id, name, kind string // kind: channel | personal
	person         string // key of the person of a personal chat
	order          []string
}

// message is one message of a conversation, by the bot or by a person.
type message struct {
	id, conv, root string // root is the id of the thread's first message, its own for a root
	from           string // "bot" or a person's key
	text, summary  string
	card           []byte // nil without one
	history        []Version
	views          map[string][]byte // the card in one person's window since their last click
	at             time.Time
	edits          []time.Time
	deleted        bool
}

// Version is a card as it was from a time on.
type Version struct {
	At   time.Time `json:"at"`
	Card []byte    `json:"-"`
}

func (m *message) cardFor(person string) []byte {
	if v, ok := m.views[person]; ok {
		return v
	}
	return m.card
}

// nextID makes a message id as Teams does: milliseconds since 1970, never twice. s.mu must be held.
func (s *Service) nextID() string {
	s.lastID = max(s.lastID+1, time.Now().UnixMilli())
	return strconv.FormatInt(s.lastID, 10)
}

// person finds one by key.
func (s *Service) person(key string) (Person, error) {
	for _, p := range s.cfg.People {
		if p.Key == key {
			return p, nil
		}
	}
	return Person{}, fmt.Errorf("there is nobody called %q in Teams", key)
}

// member finds a person by the bot's id for them or by Entra object id.
func (s *Service) member(id string) (Person, bool) {
	for _, p := range s.cfg.People {
		if p.MRI() == id || strings.EqualFold(p.EntraID, id) {
			return p, true
		}
	}
	return Person{}, false
}

// splitConversation parts "19:...;messageid=1" into channel and root message id.
func splitConversation(id string) (base, root string) {
	base, root, _ = strings.Cut(id, ";messageid=")
	return base, root
}
