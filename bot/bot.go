package bot

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
	"responsehub/remediation"
)

const (
	maxBody    = 1 << 20                 // bytes of an activity
	budget     = 1400 * time.Millisecond // to believe a request, and again to act on it: together below three seconds
	laterLimit = 20 * time.Second        // of work that goes on after the answer
	laterMost  = 64                      // of them at once; more are dropped and logged
)

// Engine is what the bot asks of the engine. *remediation.Engine is one.
type Engine interface {
	Incident(ctx context.Context, actor responsehub.Actor, idOrRef string) (*responsehub.Incident, error)
	Incidents(ctx context.Context, actor responsehub.Actor, q remediation.Query) (remediation.IncidentPage, error)
	Request(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error)
	Undo(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.UndoRequest) (responsehub.Answer, error)
	FalseAlarm(ctx context.Context, actor responsehub.Actor, idOrRef, reason, command string) (responsehub.Answer, error)
	Acknowledge(ctx context.Context, actor responsehub.Actor, idOrRef, command string) (responsehub.Answer, error)
	Reveal(ctx context.Context, actor responsehub.Actor, idOrRef string) (remediation.Reveal, error)
	Tick(ctx context.Context, actor responsehub.Actor, idOrRef, todo, command string) (responsehub.Answer, error)
	Note(ctx context.Context, id string, ev responsehub.Event) error
}

var _ Engine = (*remediation.Engine)(nil)

// Bot answers POST /api/messages. Make it with New; Close waits for work that goes on
// after an answer.
type Bot struct {
	cfg       Config
	engine    Engine
	directory Directory
	log       *slog.Logger
	validator *validator
	client    *client

	mu     sync.Mutex
	closed bool
	tasks  sync.WaitGroup
	slots  chan struct{}
}

// New returns a bot. hc carries all its calls to Microsoft; its redirect policy is not
// used. The error names every fault of the configuration.
func New(cfg Config, engine Engine, directory Directory, hc *http.Client, log *slog.Logger) (*Bot, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Login = cmp.Or(cfg.Login, publicLogin)
	cfg.OpenID = cmp.Or(cfg.OpenID, publicOpenID)
	if cfg.Limits == nil {
		cfg.Limits = &ownLimits{}
	}
	h := newHosts(&cfg)
	keys := &keySet{metadata: cfg.OpenID, plain: cfg.AllowLoopback, http: hc, log: log}
	return &Bot{
		cfg: cfg, engine: engine, directory: directory, log: log,
		validator: newValidator(&cfg, keys, h),
		client:    newClient(hc, newTokens(&cfg, hc), h),
		slots:     make(chan struct{}, laterMost),
	}, nil
}

// Warm reads the signing keys ahead of the first click, which then need not wait for
// them. A failure is no reason not to start: they are read when they are needed.
func (b *Bot) Warm(ctx context.Context) error {
	if err := b.validator.keys.warm(ctx); err != nil {
		return fmt.Errorf("read the Bot Framework's signing keys: %w", err)
	}
	return nil
}

// Close refuses new work and waits for what is under way, until ctx ends.
func (b *Bot) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	done := make(chan struct{})
	go func() { b.tasks.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// later runs work that the sender must not wait for.
func (b *Bot) later(name string, work func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	select {
	case b.slots <- struct{}{}:
	default:
		b.log.Warn("too much at once, left out", "work", name)
		return
	}
	b.tasks.Go(func() {
		defer func() { <-b.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), laterLimit)
		defer cancel()
		if err := work(ctx); err != nil {
			b.log.Warn("teams work failed", "work", name, "error", err)
		}
	})
}

var errTime = errors.New("the time to answer Teams is over")

// ServeHTTP verifies, decodes, acts and answers. A sender that is not believed learns
// nothing but that.
func (b *Bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodPost:
	case http.MethodHead:
		return
	default:
		w.Header().Set("Allow", "POST, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if r.Header.Get("Authorization") == "" || len(r.Header.Values("Authorization")) > 1 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	// The library's decoder would take the first of several values and ignore the rest.
	if err != nil || !json.Valid(body) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), budget, errTime)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = io.NopCloser(bytes.NewReader(body))
	act, err := b.parse(r)
	if d, ok := errors.AsType[*denied](err); ok {
		b.log.Warn("teams request denied", "reason", d.reason)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if err != nil {
		b.log.Warn("teams request cannot be read", "error", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	// Once it is believed, a click goes through even when the sender hangs up.
	ctx, stop := context.WithTimeoutCause(context.WithoutCancel(ctx), budget, errTime)
	defer stop()
	status, answer := b.act(ctx, &act)
	b.log.Debug("teams activity", "type", act.Type, "name", act.Name, "activity", act.ID, "status", status)
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	out, err := encode(answer)
	if err != nil {
		b.log.Error("teams answer cannot be written", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out) // the sender is gone; there is nobody to tell
}

// act routes a verified activity. A nil answer is an empty body.
func (b *Bot) act(ctx context.Context, act *schema.Activity) (status int, answer any) {
	b.heard(ctx, act)
	switch act.Type {
	case schema.Invoke:
		return b.invoke(ctx, act)
	case schema.Message:
		if len(act.Value) > 0 {
			b.submitted(act)
		} else {
			b.message(act)
		}
	case schema.InstallationUpdate, schema.ConversationUpdate:
		if err := b.installed(ctx, act); err != nil {
			b.log.Error("teams channel cannot be kept", "error", err)
			return http.StatusServiceUnavailable, nil
		}
	}
	// Reactions, edits and whatever Teams adds are no business of this bot.
	return http.StatusOK, nil
}
