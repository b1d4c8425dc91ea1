package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"responsehub/connectors/twilio"
	"responsehub/oncall"
	"responsehub/store"
)

// buildPhone makes what calls and texts people, where Twilio is configured. Who would be
// called when is told without it too.
func (a *App) buildPhone(hc *http.Client, key []byte) error {
	t := a.cfg.Twilio
	book := store.NewPhones(a.rdb)
	cfg := oncall.Config{Book: book, Incidents: a.engine, Directory: a.directory, Fallback: a.cfg.Fallback.Phone}
	log := a.log.With("part", "oncall")
	if t == nil {
		a.pager = oncall.New(cfg, log)
		if len(a.cfg.Fallback.Phone) > 0 {
			a.log.Warn("twilio is not configured: nobody is called or texted")
		}
		return nil
	}
	var err error
	a.phone, err = twilio.New(twilio.Config{
		AccountSID: t.AccountSID, APIKey: t.APIKey, APISecret: t.APISecret, AuthTokens: t.AuthTokens,
		From: t.From, MessagingServiceSID: t.MessagingServiceSID, API: t.API, PublicURL: a.cfg.Server.PublicURL, Key: key,
		Line: line{store.NewLimits(a.rdb)}, Memory: answers{book}, CallsPerSecond: t.CallsPerSecond, TextsPerSecond: t.TextsPerSecond,
	}, hc, a.log.With("part", "twilio"))
	if err != nil {
		return fmt.Errorf("twilio: %w", err)
	}
	cfg.Phone, cfg.Own, cfg.Alarm = a.phone, []string{t.From}, a.alarm
	a.pager = oncall.New(cfg, log)
	a.engine.Follow(a.pager)
	return nil
}

// line lets calls and texts go in one order across all replicas.
type line struct{ limits *store.Limits }

func (l line) Next(ctx context.Context, name string, perSecond int, place string, rank float64) (time.Duration, error) {
	return l.limits.Next(ctx, name, store.Rate{N: perSecond, Per: time.Second}, place, rank)
}

func (l line) Leave(ctx context.Context, name, place string) error {
	return l.limits.Leave(ctx, name, place)
}

// buckets paces requests to ticket systems across all replicas.
type buckets struct{ limits *store.Limits }

func (b buckets) Take(ctx context.Context, name string, n int, per time.Duration) (time.Duration, error) {
	return b.TakeMany(ctx, name, 1, n, per)
}

func (b buckets) TakeMany(ctx context.Context, name string, tokens, n int, per time.Duration) (time.Duration, error) {
	return b.limits.AllowMany(ctx, name, tokens, store.Rate{N: n, Per: per})
}

// answers remembers what Twilio was answered, for all replicas.
type answers struct{ phones *store.Phones }

func (a answers) Recall(ctx context.Context, key string) (string, bool, error) {
	return a.phones.Recall(ctx, key)
}

func (a answers) Keep(ctx context.Context, key, answer string, span time.Duration) error {
	return a.phones.Remember(ctx, key, answer, span)
}
