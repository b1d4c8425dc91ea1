package twilio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"responsehub/sim/wire"
)

// Person is somebody with a phone.
type Person struct {
	Key    string `json:"key"` // short lower-case name by which Answer and the others call them
	Name   string `json:"name"`
	Number string `json:"number"` // E.164
	Script string `json:"script"` // what the phone does by itself, see the package comment
}

// Config is what a Service needs to know.
type Config struct {
	URL        string        // base address of the API as its client sees it, e.g. http://127.0.0.1:9900/twilio; required
	AccountSID string        // AC and 32 hexadecimal digits; required
	AuthToken  string        // signs webhooks, and is a password of the API; required
	APIKey     string        // SK and 32 hexadecimal digits; "" = there is none
	APISecret  string        // password of APIKey, letters and digits
	Numbers    []string      // the account's numbers; the first is where people call and write; required
	ServiceSID string        // a messaging service with all numbers, MG...; "" = there is none
	SMSURL     string        // where texts from people are posted; "" = nowhere
	VoiceURL   string        // where calls from people are posted; "" = nobody answers
	People     []Person      // the phones
	Log        *wire.Log     // ledger of effects and of the unexpected, scripted faults; nil makes its own
	Client     *http.Client  // posts webhooks; nil makes one that follows no redirect
	NoLimits   bool          // starts calls without the wait of one a second
	Speed      float64       // how many times faster than real the network and its people are; 0 = 1
	Timeout    time.Duration // how long Twilio waits for an answer to a webhook; 0 = 15 s
}

// Service is one account and the phones it can reach. It is safe for concurrent use.
type Service struct {
	cfg     Config
	client  *http.Client
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	stopped  bool
	phones   []*phone
	calls    []*call
	texts    []*text
	optedOut map[string]bool   // sender + " " + number
	sticky   map[string]string // number: the service's sender for it
	nextCall time.Time         // when the next call may start
	alerts   []Alert
	sent     []Delivery
}

var (
	accountShape = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	numberShape  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// New makes a Service. Stop must be called.
func New(cfg Config) (*Service, error) {
	var errs []error
	wrong := func(bad bool, what string) {
		if bad {
			errs = append(errs, errors.New("sim/twilio: "+what))
		}
	}
	wrong(cfg.URL == "", "Config.URL is empty")
	wrong(!accountShape.MatchString(cfg.AccountSID), "Config.AccountSID is no account SID")
	wrong(cfg.AuthToken == "", "Config.AuthToken is empty")
	wrong(len(cfg.Numbers) == 0, "Config.Numbers is empty")
	for _, n := range cfg.Numbers {
		wrong(!numberShape.MatchString(n), "a number of Config.Numbers is not E.164")
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	cfg.Timeout = cmp.Or(cfg.Timeout, 15*time.Second)
	cfg.Speed = cmp.Or(cfg.Speed, 1)
	if cfg.Log == nil {
		cfg.Log = wire.NewLog()
	}
	s := &Service{cfg: cfg, client: cfg.Client, optedOut: map[string]bool{}, sticky: map[string]string{}}
	if s.client == nil {
		s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	for _, p := range cfg.People {
		does, err := parseScript(p.Script)
		if err != nil {
			errs = append(errs, err)
		}
		wrong(!numberShape.MatchString(p.Number), fmt.Sprintf("the number of %q is not E.164", p.Key))
		s.phones = append(s.phones, &phone{Person: p, does: does, replied: map[string]bool{}})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Start goes on with calls and texts that Restore found under way.
func (s *Service) Start() {
	s.mu.Lock()
	calls, texts := append([]*call(nil), s.calls...), append([]*text(nil), s.texts...)
	for _, c := range calls {
		if c.Status == "queued" {
			s.reserve(c)
		}
	}
	s.mu.Unlock()
	for _, c := range calls {
		if !over(c.Status) {
			s.place(c)
		}
	}
	for _, t := range texts {
		if t.unsettled() {
			s.spawn(func() { s.carry(t) })
		}
	}
}

// Stop ends what goes on, without telling anybody, and waits for it. What was under way is saved as it is.
func (s *Service) Stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
}

// spawn runs f beside, unless the service has stopped.
func (s *Service) spawn(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.running.Go(f)
	}
}

// scaled is how long a wait of d takes here.
func (s *Service) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.cfg.Speed)
}

// pause waits for d of the network's time; false when ctx ended first.
func (s *Service) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(s.scaled(d))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
