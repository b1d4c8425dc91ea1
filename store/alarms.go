package store

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/operators"
)

// alarmKept is how long an alarm that was told and stays quiet is remembered: as long its
// end can still be told.
const alarmKept = 90 * 24 * time.Hour

// Alarms is the book of alarms to the operators.
type Alarms struct{ rdb redis.UniversalClient }

var _ operators.Book = (*Alarms)(nil)

// NewAlarms returns it on a client, which the caller closes.
func NewAlarms(rdb redis.UniversalClient) *Alarms { return &Alarms{rdb: rdb} }

// Raise writes the alarm and that it is due in one step, counts it to the open one of its
// subject, or notes the end of that.
func (s *Alarms) Raise(ctx context.Context, a responsehub.Alarm) error {
	name := hashed(a.Subject)
	keys := []string{alarmsDueKey, alarmKey(name)}
	var err error
	if a.Over {
		err = endAlarm.Run(ctx, s.rdb, keys, name, operators.NewID(), a.Words).Err()
	} else {
		err = raiseAlarm.Run(ctx, s.rdb, keys, name, operators.NewID(), a.Words, milliseconds(cmp.Or(a.Again, responsehub.AlarmAgain))).Err()
	}
	if err != nil {
		return fmt.Errorf("store: alarm: %w", err)
	}
	return nil
}

// Claim leases the alarm that has waited longest, by the clock of Redis.
func (s *Alarms) Claim(ctx context.Context, lease time.Duration) (*operators.Waiting, error) {
	got, err := claimAlarm.Run(ctx, s.rdb, []string{alarmsDueKey}, milliseconds(lease), alarmKey("")).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("store: claim an alarm: %w", err)
	}
	if len(got) < 10 {
		return nil, nil
	}
	number := func(i int) int64 { n, _ := strconv.ParseInt(got[i], 10, 64); return n }
	w := &operators.Waiting{
		Name: got[0], ID: got[1], Claim: number(2), Words: got[3], Over: got[4], Count: int(number(5)),
		First: time.UnixMilli(number(6)), Told: got[7] != "", Tries: int(number(8)),
	}
	if got[9] != "" {
		w.Reached = strings.Split(got[9], "\n")
	}
	return w, nil
}

// Hold keeps who was reached and makes the alarm due again after a time, in one step.
func (s *Alarms) Hold(ctx context.Context, w *operators.Waiting, after time.Duration) error {
	ours, err := holdAlarm.Run(ctx, s.rdb, []string{alarmsDueKey, alarmKey(w.Name)}, w.Name, w.Claim, milliseconds(after), w.Tries, strings.Join(w.Reached, "\n")).Bool()
	return alarmHeld("hold", ours, err)
}

// Settle ends this telling and, where nothing came up meanwhile, makes the alarm quiet.
func (s *Alarms) Settle(ctx context.Context, w *operators.Waiting) error {
	over := 0
	if w.Over != "" {
		over = 1
	}
	ours, err := settleAlarm.Run(ctx, s.rdb, []string{alarmsDueKey, alarmKey(w.Name)}, w.Name, w.Claim, w.Count, over, operators.NewID(), milliseconds(alarmKept)).Bool()
	return alarmHeld("settle", ours, err)
}

func alarmHeld(what string, ours bool, err error) error {
	if err != nil {
		return fmt.Errorf("store: %s an alarm: %w", what, err)
	}
	if !ours {
		return &responsehub.Error{Kind: responsehub.Conflict, Message: "Somebody else has this alarm."}
	}
	return nil
}
