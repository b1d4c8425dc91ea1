package intake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"responsehub"
)

// Limits that hold unless the [Config] says otherwise.
const (
	MaxBody    = 1 << 20
	ReadWithin = 10 * time.Second
	OpenWithin = 10 * time.Second
	MapWithin  = 200 * time.Millisecond
)

// Hub is what intake needs of the engine. Open returns only when the alert is durable;
// known says that it was there before. Conflict means the same delivery id with
// another body, Unavailable that the sender should try again.
type Hub interface {
	Open(ctx context.Context, d responsehub.Delivery, a *responsehub.Alert) (inc *responsehub.Incident, known bool, err error)
}

// Config says from whom alerts are taken.
type Config struct {
	Sources    []Source      // the detectors, names unique
	MaxBody    int64         // most bytes of one alert; 0: [MaxBody]
	ReadWithin time.Duration // a slower sender gets 408; 0: [ReadWithin]
	OpenWithin time.Duration // how long the hub may take; 0: [OpenWithin]
	MapWithin  time.Duration // how long a mapping may compute; 0: [MapWithin]
}

// Source is one detector.
type Source struct {
	Name    string               // the last part of its address
	Kind    Kind                 // how it proves who it is
	Secrets []responsehub.Secret // standard-webhooks: whsec_ keys, several during rotation
	Header  string               // header: name of the header with the token
	Token   responsehub.Secret   // header: the token
	Map     map[string]string    // jq by field for foreign JSON; empty: the native format
}

// Kind is how a source proves who it is.
type Kind string

// The kinds of sources.
const (
	StandardWebhooks Kind = "standard-webhooks"
	Header           Kind = "header"
)

// proof checks who sent a message. Both methods return the reason for the log only.
type proof interface {
	// early refuses by the headers alone, before a body is read.
	early(h http.Header) error
	// whole checks the message and returns the sender's id of it, or "".
	whole(h http.Header, body []byte) (id string, err error)
}

type source struct {
	name  string
	proof proof
	jq    *mapping // nil: native format
	log   *slog.Logger
}

// Intake takes alerts in. It is safe for concurrent use.
type Intake struct {
	cfg     Config
	sources map[string]*source
	hub     Hub
}

// New checks the sources and compiles their mappings; the error joins every fault and
// contains no secret. hub may be nil when only [Intake.Map] is used.
func New(cfg Config, hub Hub, log *slog.Logger) (*Intake, error) {
	cfg.MaxBody = cmp.Or(cfg.MaxBody, MaxBody)
	cfg.ReadWithin = cmp.Or(cfg.ReadWithin, ReadWithin)
	cfg.OpenWithin = cmp.Or(cfg.OpenWithin, OpenWithin)
	cfg.MapWithin = cmp.Or(cfg.MapWithin, MapWithin)
	i := &Intake{cfg: cfg, sources: make(map[string]*source), hub: hub}
	var faults []error
	for _, s := range cfg.Sources {
		src, err := open(s)
		if err == nil && i.sources[s.Name] != nil {
			err = errors.New("is named twice")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("source %q: %w", s.Name, err))
			continue
		}
		src.log = log.With("source", s.Name)
		i.sources[s.Name] = src
	}
	return i, errors.Join(faults...)
}

func open(s Source) (*source, error) {
	if s.Name == "" {
		return nil, errors.New("has no name")
	}
	src := &source{name: s.Name}
	var err error
	switch s.Kind {
	case StandardWebhooks:
		src.proof, err = newSigned(s.Secrets)
	case Header:
		src.proof, err = newToken(s.Header, s.Token)
	default:
		err = fmt.Errorf("kind %q is neither %s nor %s", s.Kind, StandardWebhooks, Header)
	}
	if err != nil {
		return nil, err
	}
	if len(s.Map) > 0 {
		src.jq, err = compile(s.Map)
	}
	return src, err
}

// ServeHTTP serves with the source named by the pattern's {source}.
func (i *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.Serve(w, r, r.PathValue("source"))
}

// Serve takes one alert of the named source and answers it.
func (i *Intake) Serve(w http.ResponseWriter, r *http.Request, name string) {
	// The deadline covers refused requests too: the server drains what is left of their body.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(i.cfg.ReadWithin)) // not supported by recorders in tests
	src, ok := i.sources[name]
	if !ok {
		answerProblem(w, unknownSource)
		return
	}
	log := src.log
	body, p := i.receive(w, r, src)
	if p != nil {
		answerProblem(w, *p)
		return
	}
	// The body is whole. A deadline that fires now would cancel the request's context.
	_ = rc.SetReadDeadline(time.Time{})
	id, err := src.proof.whole(r.Header, body)
	if err != nil {
		log.Warn("alert refused: sender not proven", "err", err)
		answerProblem(w, notProven)
		return
	}
	a, err := i.read(r.Context(), src, body)
	if err != nil {
		log.Warn("alert refused: cannot be used", "delivery", id, "err", err)
		p := problemOf(err)
		if src.jq != nil && !errors.Is(err, errNotJSON) && p.Status == http.StatusBadRequest {
			// Good JSON of its own kind out of which the mapping makes no alert: the message
			// or the mapping has to change, and the pointer is into the native format.
			p.Status = http.StatusUnprocessableEntity
			log.Error("the mapping makes no usable alert of a verified message: check it with `responsehub alert map`", "delivery", id, "err", err)
		}
		answerProblem(w, p)
		return
	}
	// From here the alert counts even if the sender hangs up.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(r.Context()), i.cfg.OpenWithin, errTooLong)
	defer cancel()
	sum := sha256.Sum256(body)
	inc, known, err := i.hub.Open(ctx, responsehub.Delivery{Source: name, ID: id, BodyHash: hex.EncodeToString(sum[:])}, a)
	if err != nil {
		log.Error("alert not taken", "delivery", id, "err", err)
		answerProblem(w, problemOf(err))
		return
	}
	log.LogAttrs(ctx, slog.LevelInfo, "alert taken", slog.String("delivery", id), slog.String("incident", inc.ID), slog.String("tenant", inc.Tenant.ID), slog.Bool("known", known))
	answerIncident(w, inc, known)
}

var errTooLong = errors.New("the hub took too long to store the alert")

// errNotJSON tells a body that cannot be read from one that a mapping makes nothing of.
var errNotJSON = errors.New("body cannot be read")

// Map reads a sample as an alert of the source, as Serve would, without asking for a
// signature and without telling the hub.
func (i *Intake) Map(name string, sample []byte) (*responsehub.Alert, error) {
	src, ok := i.sources[name]
	if !ok {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: unknownSource.Detail}
	}
	return i.read(context.Background(), src, sample)
}

// read turns a body into a valid alert.
func (i *Intake) read(ctx context.Context, src *source, body []byte) (*responsehub.Alert, error) {
	if src.jq == nil {
		if a, ok := straight(body); ok {
			return a, a.Validate()
		}
	}
	tree, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotJSON, err)
	}
	if src.jq != nil {
		ctx, cancel := context.WithTimeout(ctx, i.cfg.MapWithin)
		defer cancel()
		if tree, err = src.jq.apply(ctx, tree, time.Now()); err != nil {
			return nil, err
		}
	}
	a, err := decode(tree)
	if err != nil {
		return nil, err
	}
	return a, a.Validate()
}
