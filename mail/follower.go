package mail

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub"
)

// Config says for whom the follower writes.
type Config struct {
	From      string   // the sender's address; its domain stands in Message-IDs and List-Ids
	PublicURL string   // links begin with it; empty: no links
	Fallback  []string // addresses for incidents of unknown tenants, where nobody answers, and where no mail of a tenant's can be sent
	// Tenant finds a tenant as it is configured now.
	Tenant func(id string) (responsehub.Tenant, bool)
	// Before names the incident that the account had before, or returns nil; nil: nothing is
	// looked for.
	Before func(ctx context.Context, inc *responsehub.Incident) *responsehub.Former
}

const (
	// every is the shortest pause between two mails to one recipient about one incident.
	every = time.Minute
	// patience is how long a mail is tried.
	patience = 48 * time.Hour
	// atOnce is how many mails of one incident are handed over at the same time.
	atOnce = 4
)

// pauses are the waits after failed tries; the last one holds from then on.
var pauses = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute}

// seenAfter is the failed try after which people see that a mail does not get out.
const seenAfter = 3

// Follower keeps an incident's recipients informed.
type Follower struct {
	cfg    Config
	domain string
	sender Sender
	log    *slog.Logger
}

var _ responsehub.Follower = (*Follower)(nil)

// NewFollower returns the follower of the mail lane.
func NewFollower(cfg Config, sender Sender, log *slog.Logger) *Follower {
	_, domain, _ := strings.Cut(address(cfg.From), "@")
	return &Follower{cfg: cfg, domain: cmp.Or(domain, "responsehub.invalid"), sender: sender, log: log}
}

// Lane is the mail lane.
func (f *Follower) Lane() responsehub.Lane { return responsehub.LaneMail }

// Wake reports whether some recipient has something to be told.
func (f *Follower) Wake(inc *responsehub.Incident, _ []responsehub.Event) bool {
	says := newsOf(inc)
	return slices.ContainsFunc(f.recipients(inc), func(to string) bool {
		ref := inc.Mails[to]
		return ref.Next != "" || len(says.since(ref.Told)) > 0
	})
}

// address is the bare address of one that may have a name, or "".
func address(s string) string {
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return ""
	}
	return a.Address
}

// recipients are the addresses that are written to, each once. One that is no address is
// among them as it stands, so that people see that it is none.
func (f *Follower) recipients(inc *responsehub.Incident) []string {
	var all []string
	tenant, known := responsehub.Tenant{}, false
	if inc.Tenant.ID != "" && f.cfg.Tenant != nil {
		tenant, known = f.cfg.Tenant(inc.Tenant.ID)
	}
	all = append(all, tenant.Notify.Mail...)
	unanswered := inc.Page != nil && inc.Page.State == responsehub.PageExhausted
	refused := len(all) > 0 && !slices.ContainsFunc(all, func(to string) bool { return inc.Mails[plain(to)].Failure == "" })
	if !known || unanswered || refused {
		all = append(all, f.cfg.Fallback...)
	}
	// Who was told that it began is told how it ends.
	for to := range inc.Mails {
		if slices.ContainsFunc(f.cfg.Fallback, func(s string) bool { return plain(s) == to }) {
			all = append(all, to)
		}
	}
	var out []string
	for _, s := range all {
		if to := plain(s); to != "" && !slices.Contains(out, to) {
			out = append(out, to)
		}
	}
	return out
}

// plain is the form of an address under which it is kept.
func plain(s string) string {
	return strings.ToLower(cmp.Or(address(s), strings.TrimSpace(oneLine(s, 320))))
}

// plan is one mail that is due.
type plan struct {
	to  string
	ref responsehub.MailRef
}

// Follow sends what is due.
func (f *Follower) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	now := time.Now().UTC()
	due, fresh, pause := f.due(t.Incident, now)
	if len(due) == 0 {
		return responsehub.ComeBack(pause, nil)
	}
	if fresh {
		// What a mail says is saved before it is sent: if the hub dies in between, the
		// repetition is the same mail, and what is new by then goes into the next one.
		if err := t.Save(ctx, f.begin(ctx, t.Incident, due)); err != nil {
			return responsehub.TryAgain(err, nil)
		}
	}
	edit := f.send(ctx, t.Incident, due)
	// The edit may make something due: the lane asks again, as it would after a restart.
	return responsehub.ComeBack(cmp.Or(pause, time.Second), edit)
}

// due are the mails to be sent now, whether any of them was not begun yet, and how long
// until the next one is.
func (f *Follower) due(inc *responsehub.Incident, now time.Time) (due []plan, fresh bool, pause time.Duration) {
	says := newsOf(inc)
	for _, to := range f.recipients(inc) {
		ref := inc.Mails[to]
		at := ref.Again
		if ref.Next == "" {
			unsaid := says.since(ref.Told)
			if len(unsaid) == 0 {
				continue
			}
			if at = ref.At.Add(every); ref.At.IsZero() || !at.After(now) {
				ref.Next, ref.Begun, ref.Tries, ref.Again = unsaid.String(), now, 0, time.Time{}
				fresh, at = true, time.Time{}
			}
		}
		if wait := at.Sub(now); wait > 0 {
			if pause == 0 || wait < pause {
				pause = wait
			}
			continue
		}
		due = append(due, plan{to, ref})
	}
	return due, fresh, pause
}

// begin saves what is due. With the first mail it also notes which incident the account had
// before.
func (f *Follower) begin(ctx context.Context, inc *responsehub.Incident, due []plan) responsehub.Edit {
	save := put(due)
	if len(inc.Mails) > 0 || inc.Former != nil || f.cfg.Before == nil {
		return save
	}
	former := f.cfg.Before(ctx, inc)
	return func(inc *responsehub.Incident) error {
		inc.Follows(former)
		return save(inc)
	}
}

func put(plans []plan) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		mails := maps.Clone(inc.Mails)
		if mails == nil {
			mails = map[string]responsehub.MailRef{}
		}
		for _, p := range plans {
			mails[p.to] = p.ref
		}
		inc.Mails = mails
		return nil
	}
}

// send hands the mails over and returns what became of them.
func (f *Follower) send(ctx context.Context, inc *responsehub.Incident, due []plan) responsehub.Edit {
	events := make([]*responsehub.Event, len(due))
	var wg sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for i := range due {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			due[i].ref, events[i] = f.one(ctx, inc, due[i])
		})
	}
	wg.Wait()
	save := put(due)
	return func(inc *responsehub.Incident) error {
		if err := save(inc); err != nil {
			return err
		}
		for _, e := range events {
			if e != nil {
				inc.Record(*e)
			}
		}
		return nil
	}
}

// one hands one mail over.
func (f *Follower) one(ctx context.Context, inc *responsehub.Incident, p plan) (responsehub.MailRef, *responsehub.Event) {
	ref := p.ref
	err := f.hand(ctx, inc, p)
	now := time.Now().UTC()
	if err == nil {
		if ref.Sent == 0 {
			ref.MessageID = messageID(inc.ID, p.to, 0, f.domain)
		}
		ref.Sent, ref.Failure = ref.Sent+1, ""
		return f.over(ref, now), event(responsehub.EventNoticeSent, now, sentWords(p.to, parse(ref.Next)))
	}
	if ctx.Err() != nil {
		return ref, nil // the hub stops: nothing is known against the mail
	}
	f.log.Warn("a mail was not handed over", "incident", inc.ID, "tries", ref.Tries+1, "error", err)
	sentence := responsehub.Sentence(err)
	old := now.Sub(ref.Begun) >= patience
	if old {
		sentence = gaveUp + sentence
	}
	if old || responsehub.KindOf(err) == responsehub.Permanent {
		ref.Failure = sentence
		return f.over(ref, now), event(responsehub.EventNoticeFailed, now, failedWords(p.to, sentence))
	}
	ref.Tries++
	pause := pauses[min(ref.Tries, len(pauses))-1]
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		pause = max(pause, e.RetryAfter)
	}
	ref.Again = now.Add(pause)
	if ref.Tries != seenAfter {
		return ref, nil
	}
	ref.Failure = sentence
	return ref, event(responsehub.EventNoticeFailed, now, failedWords(p.to, sentence))
}

// over ends a mail, whether it was sent or refused: what it was to say is not tried again.
func (f *Follower) over(ref responsehub.MailRef, now time.Time) responsehub.MailRef {
	told := parse(ref.Told)
	for _, w := range parse(ref.Next) {
		if !slices.Contains(told, w) {
			told = append(told, w)
		}
	}
	ref.Told, ref.At = told.String(), now
	ref.Next, ref.Begun, ref.Tries, ref.Again = "", time.Time{}, 0, time.Time{}
	return ref
}

func event(kind responsehub.EventKind, now time.Time, text string) *responsehub.Event {
	return &responsehub.Event{At: now, Kind: kind, By: responsehub.Hub.By(), Text: text}
}

func (f *Follower) hand(ctx context.Context, inc *responsehub.Incident, p plan) error {
	if address(p.to) != p.to {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: badAddress}
	}
	says := parse(p.ref.Next)
	plainText, page, err := reportOf(inc, says, f.cfg.PublicURL).write()
	if err != nil {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "The mail could not be written.", Err: err}
	}
	n := p.ref.Sent
	return f.sender.Send(ctx, Letter{
		To: p.to, Subject: subject(inc, n > 0), MessageID: messageID(inc.ID, p.to, n, f.domain), References: thread(inc.ID, p.to, n, f.domain),
		ListID: "incidents.responsehub." + f.domain, Urgent: urgent(inc, says), Text: plainText, HTML: page,
	})
}

// urgent reports whether a mail program should make it stand out.
func urgent(inc *responsehub.Incident, says news) bool {
	return !inc.State.Closed() && slices.ContainsFunc(says, func(w string) bool {
		kind, _, _ := strings.Cut(w, ":")
		return kind == saysNeeds || kind == saysNobody || kind == saysOpened && (!inc.Response || inc.Severity == responsehub.Critical)
	})
}
