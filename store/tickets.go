package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub/ticket"
)

// Tickets is what the followers of tickets share: which incident a ticket belongs to,
// and whose turn it is at a PSA connection.
type Tickets struct {
	rdb    redis.UniversalClient
	limits *Limits
}

var (
	_ ticket.Index = (*Tickets)(nil)
	_ ticket.Queue = (*Tickets)(nil)
)

// NewTickets returns it on a client, which the caller closes.
func NewTickets(rdb redis.UniversalClient) *Tickets {
	return &Tickets{rdb: rdb, limits: NewLimits(rdb)}
}

// ticketsKey is a HASH of incidents by ticket, one for each connection.
func ticketsKey(connection string) string { return limitTag("psa:"+connection) + "tickets" }

func desk(connection string) string { return "psa:" + connection }

// heardKey is a STRING, one for each connection: when its last event came, in milliseconds.
func heardKey(connection string) string { return limitTag(desk(connection)) + "heard" }

// Hear notes that an event of a connection came in now.
func (t *Tickets) Hear(ctx context.Context, connection string) error {
	if err := t.rdb.Set(ctx, heardKey(connection), time.Now().UnixMilli(), 0).Err(); err != nil {
		return fmt.Errorf("store: last event of %s: %w", connection, err)
	}
	return nil
}

// Heard returns when the last event of a connection came in, or the zero time.
func (t *Tickets) Heard(ctx context.Context, connection string) (time.Time, error) {
	ms, err := t.rdb.Get(ctx, heardKey(connection)).Int64()
	switch {
	case errors.Is(err, redis.Nil):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, fmt.Errorf("store: last event of %s: %w", connection, err)
	}
	return time.UnixMilli(ms).UTC(), nil
}

// PutTicket notes the incident of a ticket.
func (t *Tickets) PutTicket(ctx context.Context, connection, id, incident string) error {
	if err := t.rdb.HSet(ctx, ticketsKey(connection), id, incident).Err(); err != nil {
		return fmt.Errorf("store: incident of a ticket at %s: %w", connection, err)
	}
	return nil
}

// TicketOf returns the incident of a ticket, or "".
func (t *Tickets) TicketOf(ctx context.Context, connection, id string) (string, error) {
	incident, err := t.rdb.HGet(ctx, ticketsKey(connection), id).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("store: incident of a ticket at %s: %w", connection, err)
	}
	return incident, nil
}

const (
	// turnLease is how long a place is held at most: a visit of some calls. A process that
	// was killed gives it back then.
	turnLease = 90 * time.Second
	// turnSign is how long nobody may be silent who stands in the line.
	turnSign = 20 * time.Second
	// turnStep is how much longer those wait who have more of them before them.
	turnStep = 60 * time.Millisecond
	turnMost = 8 * time.Second
)

// Enter takes one of n places of a connection. The lowest ranks of those who ask go
// first, across all processes.
func (t *Tickets) Enter(ctx context.Context, connection string, n int, incident string, rank float64) (func(), time.Duration, error) {
	tag := limitTag(desk(connection))
	keys := []string{tag + "turns", tag + "line", tag + "seen"}
	before, err := takeTurn.Run(ctx, t.rdb, keys, n, milliseconds(turnLease), incident, fmt.Sprintf("%.0f", rank), milliseconds(turnSign)).Int()
	if err != nil {
		return nil, 0, fmt.Errorf("store: turn at %s: %w", connection, err)
	}
	if before > 0 {
		return nil, min(200*time.Millisecond+time.Duration(before)*turnStep, turnMost), nil
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = t.rdb.ZRem(ctx, keys[0], incident).Err() // its lease ends otherwise
	}, 0, nil
}

// Block bars a connection for everybody.
func (t *Tickets) Block(ctx context.Context, connection string, d time.Duration) error {
	return t.limits.Block(ctx, desk(connection), d)
}

// Free takes a connection's bar away before its time.
func (t *Tickets) Free(ctx context.Context, connection string) error {
	return t.limits.Free(ctx, desk(connection))
}

// Blocked returns for how long a connection is still barred.
func (t *Tickets) Blocked(ctx context.Context, connection string) (time.Duration, error) {
	return t.limits.Blocked(ctx, desk(connection))
}

// Once reports whether this is the first time within the period that a name is given to
// the list, and counts it.
func (t *Tickets) Once(ctx context.Context, list, name string, period time.Duration) (bool, error) {
	_, fresh, err := t.limits.Take(ctx, "psa:"+list, name, 1_000_000, period)
	return fresh, err
}

// Again takes a name off the list, as if it had not been given.
func (t *Tickets) Again(ctx context.Context, list, name string) error {
	return t.limits.Drop(ctx, "psa:"+list, name)
}
