package hook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub"
)

// Sender delivers to an address. Its errors carry a [responsehub.Error]: Gone is a
// destination that wants nothing more, all others are tried again, after RetryAfter
// where the destination asked for that.
type Sender interface {
	// Webhook posts a body signed by Standard Webhooks under the id.
	Webhook(ctx context.Context, address, id string, at time.Time, body []byte) error
	// Chat posts a message to a Slack incoming webhook.
	Chat(ctx context.Context, address string, body []byte) error
}

// Config says for whom a follower delivers.
type Config struct {
	// Tenant finds a tenant as it is configured now.
	Tenant func(id string) (responsehub.Tenant, bool)
	// Record returns an incident's events in order.
	Record func(ctx context.Context, incident string) ([]responsehub.Event, error)
	// Link is an incident's page for people, or "".
	Link func(*responsehub.Incident) string
}

// Shares is into how many lanes destinations are spread, by their address: one that is
// slow can delay those of its own lane only.
const Shares = 4

const (
	// patience is how long a destination may be away.
	patience = 72 * time.Hour
	// seenAfter is the failed try after which people see it.
	seenAfter = 3
	// perTurn is how many events a destination is sent in one visit: a lane's lease and
	// the stop of the hub wait for no more.
	perTurn = 20
	// turnMost is after how long a visit begins no further delivery: the other
	// destinations of its lane wait until it ends.
	turnMost = 10 * time.Second
)

// pauses are the waits after failed tries; the last one holds from then on.
var pauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, 2 * time.Hour}

// Follower keeps one share of the destinations informed.
type Follower struct {
	cfg    Config
	share  int
	sender Sender
	log    *slog.Logger
}

var _ responsehub.Follower = (*Follower)(nil)

// Followers returns the followers of all lanes.
func Followers(cfg Config, sender Sender, log *slog.Logger) []responsehub.Follower {
	all := make([]responsehub.Follower, Shares)
	for n := range all {
		all[n] = &Follower{cfg: cfg, share: n, sender: sender, log: log}
	}
	return all
}

// Lane is the lane of the share.
func (f *Follower) Lane() responsehub.Lane {
	return responsehub.Lane(fmt.Sprintf("webhook-%d", f.share))
}

// Wake reports whether a destination of this share has something to be told.
func (f *Follower) Wake(inc *responsehub.Incident, events []responsehub.Event) bool {
	if len(events) == 0 {
		return false
	}
	told := slices.ContainsFunc(events, func(e responsehub.Event) bool { return notable(&e) || e.Kind == responsehub.EventLaneRetried })
	return slices.ContainsFunc(f.destinations(inc), func(d destination) bool { return !inc.Hooks[d.key].Dead && (told || !d.chat) })
}

// destination is one address.
type destination struct {
	key     string // under which it is kept
	address string
	host    string
	chat    bool
}

// destinations are those of the incident's tenant that belong to the share.
func (f *Follower) destinations(inc *responsehub.Incident) []destination {
	t, ok := f.cfg.Tenant(inc.Tenant.ID)
	if !ok {
		return nil
	}
	var all []destination
	add := func(addresses []string, chat bool) {
		for _, a := range addresses {
			sum := sha256.Sum256([]byte(a))
			d := destination{key: responsehub.AddressID(a), address: a, host: host(a), chat: chat}
			if int(sum[8])%Shares == f.share && !slices.ContainsFunc(all, func(o destination) bool { return o.key == d.key }) {
				all = append(all, d)
			}
		}
	}
	add(t.Notify.Webhooks, false)
	add(t.Notify.Slack, true)
	return all
}

// host is what people are shown of an address.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return noHost
}

// delivery is what became of one destination in a visit.
type delivery struct {
	destination
	ref    responsehub.HookRef
	failed *responsehub.Event // to be recorded
	more   bool               // there is more for it at once
}

// Follow delivers what is due.
func (f *Follower) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	inc, now := t.Incident, time.Now().UTC()
	var due []*delivery
	var lost []string // why which ones hear nothing more
	pause := time.Duration(0)
	for _, d := range f.destinations(inc) {
		ref := inc.Hooks[d.key]
		switch wait := ref.Again.Sub(now); {
		case ref.Dead:
			lost = append(lost, fmt.Sprintf(failed, d.host, ref.Failure))
		case wait > 0:
			pause = sooner(pause, wait)
		default:
			ref.Host, ref.Chat = d.host, d.chat
			due = append(due, &delivery{destination: d, ref: ref})
		}
	}
	if len(due) == 0 {
		return end(pause, lost, nil)
	}
	events, err := f.cfg.Record(ctx, inc.ID)
	if err != nil {
		return responsehub.TryAgain(err, nil)
	}
	var wg sync.WaitGroup
	for _, d := range due {
		wg.Go(func() { f.deliver(ctx, inc, d, events) })
	}
	wg.Wait()
	for _, d := range due {
		if wait := d.ref.Again.Sub(now); wait > 0 {
			pause = sooner(pause, wait)
		}
		if d.ref.Dead {
			lost = append(lost, fmt.Sprintf(failed, d.host, d.ref.Failure))
		}
		if d.more || d.failed != nil { // a turn is not woken by what it records itself, and the others of the lane are told of it
			pause = sooner(pause, time.Millisecond)
		}
	}
	return end(pause, lost, put(due))
}

// end ends a visit. A lane in which somebody was given up, and nobody waits, stands among
// the dead ones until a person starts it again; an event for the others of the lane brings
// it back for as long as they take.
func end(pause time.Duration, lost []string, edit responsehub.Edit) responsehub.Outcome {
	if pause > 0 || len(lost) == 0 {
		return responsehub.ComeBack(pause, edit)
	}
	out := responsehub.GiveUp(&responsehub.Error{Kind: responsehub.Gone, Message: strings.Join(lost, " ")}, edit)
	out.Quiet = true // the record says it of each
	return out
}

// Revive lets the destinations of the lane that were given up be tried again: what they
// missed is delivered in order.
func (f *Follower) Revive(inc *responsehub.Incident) {
	for _, d := range f.destinations(inc) {
		Retry(inc, d.key)
	}
}

// Retry lets one destination be tried again at once and reports whether it was waiting or
// given up.
func Retry(inc *responsehub.Incident, id string) bool {
	ref, ok := inc.Hooks[id]
	if !ok || !ref.Dead && ref.Tries == 0 {
		return false
	}
	ref.Dead, ref.Failure, ref.Since, ref.Tries, ref.Again = false, "", time.Time{}, 0, time.Time{}
	inc.Hooks = maps.Clone(inc.Hooks)
	inc.Hooks[id] = ref
	return true
}

func sooner(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

func put(due []*delivery) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		hooks := maps.Clone(inc.Hooks)
		if hooks == nil {
			hooks = map[string]responsehub.HookRef{}
		}
		for _, d := range due {
			hooks[d.key] = d.ref
			if d.failed != nil {
				inc.Record(*d.failed)
			}
		}
		inc.Hooks = hooks
		return nil
	}
}

// deliver sends a destination what it has not been sent yet.
func (f *Follower) deliver(ctx context.Context, inc *responsehub.Incident, d *delivery, events []responsehub.Event) {
	fresh := events[min(len(events), int(max(0, d.ref.Seq))):] // numbered from 1 without gaps
	if d.chat {
		f.chat(ctx, inc, d, fresh)
		return
	}
	begun := time.Now()
	for n := range fresh {
		if n == perTurn || time.Since(begun) >= turnMost {
			d.more = true
			return
		}
		e := &fresh[n]
		body, err := payload(inc, e, f.link(inc))
		if err == nil {
			err = f.sender.Webhook(ctx, d.address, fmt.Sprintf("evt_%s_%d", inc.ID, e.Seq), time.Now(), body)
		}
		if !f.note(ctx, inc, d, e.Seq, err) {
			return
		}
	}
}

// chat sends what people should notice of the events, in one message.
func (f *Follower) chat(ctx context.Context, inc *responsehub.Incident, d *delivery, fresh []responsehub.Event) {
	var said []responsehub.Event
	for _, e := range fresh {
		if notable(&e) {
			said = append(said, e)
		}
	}
	if len(said) == 0 {
		if len(fresh) > 0 {
			d.ref.Seq = fresh[len(fresh)-1].Seq
		}
		return
	}
	body, err := message(inc, said, d.ref.Sent == 0, f.link(inc))
	if err == nil {
		err = f.sender.Chat(ctx, d.address, body)
	}
	f.note(ctx, inc, d, fresh[len(fresh)-1].Seq, err)
}

func (f *Follower) link(inc *responsehub.Incident) string {
	if f.cfg.Link == nil {
		return ""
	}
	return f.cfg.Link(inc)
}

// note keeps what became of a delivery and reports whether to go on.
func (f *Follower) note(ctx context.Context, inc *responsehub.Incident, d *delivery, seq int64, err error) bool {
	now := time.Now().UTC()
	ref := &d.ref
	if err == nil {
		ref.Seq, ref.Sent, ref.At = seq, ref.Sent+1, now
		ref.Failure, ref.Since, ref.Tries, ref.Again = "", time.Time{}, 0, time.Time{}
		return true
	}
	if ctx.Err() != nil {
		return false // the hub stops: nothing is known against the destination
	}
	ref.Tries++
	ref.Since = cmp.Or(ref.Since, now)
	f.log.Warn("a webhook was not delivered", "incident", inc.ID, "host", d.host, "tries", ref.Tries, "error", err)
	pause := pauses[min(ref.Tries, len(pauses))-1]
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		pause = max(pause, e.RetryAfter)
	}
	ref.Again = now.Add(pause)
	sentence := responsehub.Sentence(err)
	gone := responsehub.KindOf(err) == responsehub.Gone
	if gone || now.Sub(ref.Since) >= patience {
		ref.Dead, ref.Again = true, time.Time{}
		sentence = fmt.Sprintf(gaveUp, sentence)
	}
	if ref.Dead || ref.Tries >= seenAfter {
		if ref.Failure != sentence && (ref.Failure == "" || ref.Dead) { // said once, and once more at the end
			d.failed = &responsehub.Event{At: now, Kind: responsehub.EventNoticeFailed, By: responsehub.Hub.By(), Text: fmt.Sprintf(failed, d.host, sentence)}
		}
		ref.Failure = sentence
	}
	return false
}
