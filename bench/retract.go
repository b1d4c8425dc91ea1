package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"responsehub"
)

const (
	callTime   = 150 * time.Millisecond // of one request at Microsoft
	inFlight   = 64                     // the most that the hub has under way
	mostRatio  = 1.25                   // of the ideal, by fan-out
	mostTrace  = 5                      // s, by message trace
	mostMemory = 250                    // MB
	mostSlowed = 1.25                   // a lock's latency meanwhile, of the idle hub's
	lockCount  = 24                     // half of them idle
	kills      = 3
)

// retract measures the retraction of a phish from very many mailboxes through the whole
// hub: its API, its Redis, its client and real sockets, before a pretended Microsoft in
// another process that takes 150 ms for each call, answers one in fifty with 429, and
// enforces its limits of each mailbox.
func retract(ctx context.Context, o options, t *table) error {
	if err := retractFrom(ctx, 10_000, 100, t, []campaign{
		{name: "everywhere", everywhere: true, locks: lockCount}, {name: "by trace"}, {name: "everywhere, killed three times", everywhere: true, kills: kills},
	}); err != nil {
		return err
	}
	if !o.large {
		return nil
	}
	return retractFrom(ctx, 100_000, 1_000, t, []campaign{{name: "by trace"}, {name: "everywhere", everywhere: true}})
}

// campaign is one phish that is taken back.
type campaign struct {
	name       string
	everywhere bool
	locks      int // accounts locked before and meanwhile
	kills      int // of the hub on the way
}

// ideal is how long a client would take that has 64 requests under way from the first to
// the last and is never told to wait: one search of each mailbox, one move of each
// message, and what has to be known before, which is the first page of the list or the
// trace. Searches and moves overlap.
func ideal(mailboxes, hits int) time.Duration {
	return callTime + max(time.Duration(mailboxes+hits)*callTime/inFlight, 2*callTime)
}

// oneByOne is how long a client takes that makes one request at a time. It is a model.
func oneByOne(mailboxes, hits int) time.Duration {
	return callTime + time.Duration(mailboxes+hits)*callTime
}

// retractFrom takes the campaigns' phish back, one after the other.
func retractFrom(ctx context.Context, mailboxes, hits int, t *table, all []campaign) error {
	locks := 0
	for _, c := range all {
		locks += c.locks
	}
	s, err := settle(ctx, townOrders{Mailboxes: mailboxes, Hits: hits, Phish: len(all), Locks: locks, Latency: callTime, Throttled: 50})
	if err != nil {
		return err
	}
	defer s.stop()
	size := fmt.Sprintf("%d/%d", mailboxes, hits)
	var locked []lockSample
	for k, c := range all {
		took, samples, err := s.campaign(ctx, k, c)
		if err != nil {
			return fmt.Errorf("%s %s: %w", size, c.name, err)
		}
		locked = append(locked, samples...)
		searched := hits - crowd + 2 // some lie in one mailbox, and the victim's own is looked into
		if c.everywhere {
			searched = s.says.Mailboxes
		}
		what, best := size+" "+c.name, ideal(searched, hits)
		switch {
		case c.kills > 0:
			t.note("retract", what, "%.1f s", took.Seconds())
		case c.everywhere:
			t.most("retract", what+", of the ideal", took.Seconds()/best.Seconds(), mostRatio, "x")
		case mailboxes <= 10_000:
			t.most("retract", what, took.Seconds(), mostTrace, "s")
		default:
			t.note("retract", what, "%.1f s", took.Seconds())
		}
		t.note("retract", "  beside", "%.1f s; ideal %.1f s; one call at a time %.0f s, a model", took.Seconds(), best.Seconds(), oneByOne(searched, hits).Seconds())
	}
	return s.judge(t, size, all, hits, locked)
}

// campaign takes one phish back and returns how long that took.
func (s *scale) campaign(ctx context.Context, k int, c campaign) (time.Duration, []lockSample, error) {
	id, err := s.open(ctx, s.says.Alerts[k])
	if err != nil {
		return 0, nil, err
	}
	var samples []lockSample
	for n := range c.locks {
		incident, err := s.open(ctx, s.says.Locks[n])
		if err != nil {
			return 0, nil, err
		}
		samples = append(samples, lockSample{incident: incident, account: accountOf(s.says.Locks[n]), busy: n%2 == 1})
	}
	if err := s.lock(ctx, samples, false); err != nil {
		return 0, nil, err
	}
	if err := s.step(ctx, id, responsehub.Retract, fmt.Sprintf(`{"everywhere":%t}`, c.everywhere)); err != nil {
		return 0, nil, err
	}
	if c.locks > 0 && !wait(ctx, 2*time.Second) {
		return 0, nil, ctx.Err()
	}
	if err := s.lock(ctx, samples, true); err != nil {
		return 0, nil, err
	}
	for n := range c.kills {
		if err := s.killAt(ctx, id, (n+1)*s.says.Mailboxes/(c.kills+1)); err != nil {
			return 0, nil, err
		}
	}
	done, err := s.until(ctx, id, func(st shown) bool { return !st.State.Busy() })
	if err == nil && done.State != responsehub.Done {
		err = fmt.Errorf("the step is %s: %s", done.State, done.Reason)
	}
	return done.VerifiedAt.Sub(done.RequestedAt), samples, err
}

// killAt kills the hub once it has searched so many mailboxes, and starts another.
func (s *scale) killAt(ctx context.Context, id string, searched int) error {
	st, err := s.until(ctx, id, func(st shown) bool { return st.Progress != nil && st.Progress.Searched >= searched || !st.State.Busy() })
	if err != nil {
		return err
	}
	if !st.State.Busy() {
		return errors.New("it was over before it could be killed")
	}
	if err := s.count(); err != nil {
		return err
	}
	s.hub.kill()
	return s.raise()
}

// until looks at the retraction now and then.
func (s *scale) until(ctx context.Context, id string, ok func(shown) bool) (shown, error) {
	for range 6000 {
		st, err := s.look(ctx, id)
		if err != nil {
			return st, err
		}
		if ok(st) {
			return st, nil
		}
		if !wait(ctx, 200*time.Millisecond) {
			return st, ctx.Err()
		}
	}
	return shown{}, errors.New("the retraction does not get on")
}

// lockSample is one account that was locked, idle or meanwhile.
type lockSample struct {
	incident, account string
	busy              bool
	asked             time.Time
}

func accountOf(alert map[string]any) string {
	account, _ := alert["account"].(map[string]any)
	id, _ := account["object_id"].(string)
	return id
}

// lock asks for the locks of one kind, one after the other.
func (s *scale) lock(ctx context.Context, all []lockSample, busy bool) error {
	for i := range all {
		if all[i].busy != busy {
			continue
		}
		all[i].asked = time.Now()
		if err := s.step(ctx, all[i].incident, responsehub.Lock, "{}"); err != nil {
			return err
		}
		if !wait(ctx, time.Second) {
			return ctx.Err()
		}
	}
	return nil
}

// judge compares what the town's ledger says with what must be.
func (s *scale) judge(t *table, size string, all []campaign, hits int, locked []lockSample) error {
	var r townReport
	if err := s.town.ask("report", &r); err != nil {
		return err
	}
	if err := s.count(); err != nil {
		return err
	}
	missed, twice := 0, 0
	for k, p := range r.Phish {
		if p.Copies != hits {
			return fmt.Errorf("of %s there are %d copies, not %d", all[k].name, p.Copies, hits)
		}
		missed, twice = missed+p.Missed, twice+p.Twice
	}
	t.most("retract", fmt.Sprintf("%s copies missed, of %d", size, hits*len(all)), float64(missed), 0, "")
	t.most("retract", size+" copies moved twice", float64(twice), 0, "")
	t.most("retract", size+" innocent messages moved", float64(r.Innocent), 0, "")
	t.most("retract", size+" at once at one mailbox", float64(r.Peak.Mailbox), 4, "")
	t.most("retract", size+" at once at all mailboxes", float64(r.Peak.All), inFlight, "")
	t.most("retract", size+" memory of the hub, the program included", float64(s.used.Resident)/(1<<20), mostMemory, "MB")
	t.note("retract", "  cost", "%d requests at Graph, %d answered 429; the hub's CPU %.1f s", r.Requests, r.Throttled, float64(s.used.CPU)/1000)
	for _, u := range r.Unknown {
		t.note("retract", "  Microsoft would not know", "%s", u)
	}
	var idle, busy spread
	for _, l := range locked {
		at, ok := r.Disabled[l.account]
		if !ok {
			return fmt.Errorf("the account %s was not locked", l.account)
		}
		if l.busy {
			busy = append(busy, at.Sub(l.asked))
		} else {
			idle = append(idle, at.Sub(l.asked))
		}
	}
	if len(locked) > 0 {
		t.most("retract", size+" a lock meanwhile, of the idle hub's, p50", busy.at(.5)/idle.at(.5), mostSlowed, "x")
		t.note("retract", "  beside", "p50 %.0f ms idle, %.0f ms meanwhile; %s", idle.at(.5), busy.at(.5), busy.tail())
	}
	return nil
}
