package responsehub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Watch is how the hub looks after a lock that was read back: for accounts from
// on-premises AD the next directory sync may undo it, and a person may by mistake. It
// begins with the verified lock and ends when somebody asks for step 5 or sets it aside,
// when the lock is asked for anew, and when the incident is closed.
type Watch struct {
	Since     time.Time  `json:"since"`                        // the verified lock
	Synced    bool       `json:"synced,omitempty"`             // the account comes from on-premises AD
	Sessions  time.Time  `json:"sessions_valid_from,omitzero"` // as read back with the lock: an earlier time means it was undone
	Roles     []string   `json:"roles,omitempty"`              // directory roles of the account
	CheckedAt time.Time  `json:"checked_at,omitzero"`          // last look that got an answer
	TriedAt   time.Time  `json:"tried_at,omitzero"`            // last look
	Checks    int        `json:"checks,omitempty"`             // looks that got an answer
	Failure   string     `json:"failure,omitempty"`            // why the last look got none
	Unseen    string     `json:"sign_ins_unread,omitempty"`    // why the sign-ins since the lock could not be read
	Relock    *Relock    `json:"relock,omitempty"`             // under way
	Reversals []Reversal `json:"reversals,omitempty"`          // the latest of them
	Reversed  int        `json:"reversed,omitempty"`           // how many there were in all
	EndedAt   time.Time  `json:"ended_at,omitzero"`
}

// Relock is a lock that was seen undone and has to be done again.
type Relock struct {
	SeenAt   time.Time `json:"seen_at"`
	Sessions time.Time `json:"sessions_valid_from,omitzero"` // as seen then: the new revocation is later
	Why      string    `json:"why"`                          // who undid it, as a sentence without its end
	Session  bool      `json:"session,omitempty"`            // somebody signed in: only a later revocation ends that
	At       time.Time `json:"at,omitzero"`                  // since when requests may be under way; zero: none are
	Failed   string    `json:"failed,omitempty"`             // why the last try did not work
}

// Reversal is a lock that was undone and done again.
type Reversal struct {
	SeenAt   time.Time `json:"seen_at"`   // the look that saw it
	LockedAt time.Time `json:"locked_at"` // read back
	Why      string    `json:"why"`
}

// Session is a sign-in that Microsoft let through.
type Session struct {
	At  time.Time
	App string // the app that was signed in to
	IP  string // where from
}

// String says when it began, and where.
func (s Session) String() string {
	where := strings.Trim(s.App+", "+s.IP, ", ")
	if where == "" {
		return clock(s.At)
	}
	return clock(s.At) + " (" + where + ")"
}

// maxReversals bounds how many reversals are kept; the record has them all.
const maxReversals = 20

// RelockTime is how long the requests of one relock may take at most. Nobody needs to
// wait longer for a watch whose worker was killed at it.
const RelockTime = 45 * time.Second

// WatchSchedule says when a lock is looked at. The zero value is the real schedule.
type WatchSchedule struct {
	Looks []time.Duration // after the lock; nil is 1, 5, 35 and 65 minutes: past one and two syncs
	Every time.Duration   // after the last of them; 0 is 30 minutes, the usual pause of directory sync
}

// Next is the first look after last of a lock that was read back at from.
func (s WatchSchedule) Next(from, last time.Time) time.Time {
	looks, every := s.Looks, s.Every
	if looks == nil {
		looks = []time.Duration{time.Minute, 5 * time.Minute, 35 * time.Minute, 65 * time.Minute}
	}
	if every <= 0 {
		every = 30 * time.Minute
	}
	end := from
	for _, d := range looks {
		if end = from.Add(d); end.After(last) {
			return end
		}
	}
	return end.Add(every * (last.Sub(end)/every + 1))
}

// Due is when the lock has to be looked at next. After a reversal the schedule begins
// again: what undid the lock once may do so at its next cycle.
func (w *Watch) Due(s WatchSchedule) time.Time {
	if w.Relock != nil && w.Relock.Failed == "" {
		return w.Relock.SeenAt
	}
	from := w.Since
	if n := len(w.Reversals); n > 0 && w.Reversals[n-1].LockedAt.After(from) {
		from = w.Reversals[n-1].LockedAt
	}
	last := from
	if w.TriedAt.After(last) {
		last = w.TriedAt
	}
	return s.Next(from, last)
}

// Active reports whether the watch is on.
func (w *Watch) Active() bool { return w != nil && w.EndedAt.IsZero() }

// Relocking reports whether requests of a relock may be under way, which step 5 lets
// end before it opens the account.
func (w *Watch) Relocking(now time.Time) bool {
	return w != nil && w.Relock != nil && !w.Relock.At.IsZero() && now.Before(w.Relock.At.Add(2*RelockTime))
}

// Watched reports whether the lock has to hold now: it was read back, and nobody has
// asked since for the account to be opened again or declared a false alarm. A lock that came undone and that the
// hub may not do again stays under watch until a person settles it.
func (inc *Incident) Watched() bool {
	lock, open := inc.Step(Lock), inc.Step(Reenable)
	if inc.State != Active || inc.Withdrawal != nil || open.State.Busy() || !open.RequestedAt.IsZero() && !lock.RequestedAt.After(open.RequestedAt) {
		return false
	}
	return lock.State == Done || lock.State == NeedsHuman && inc.Watch.Active() && inc.Watch.Relock != nil
}

// NewSession returns the newest of the sign-ins that the lock did not end: one from after
// the time from which sessions are valid again.
func (w *Watch) NewSession(ins []Session) (newest Session, ok bool) {
	from := w.SessionsFrom()
	for _, s := range ins {
		if s.At.After(from) && s.At.After(newest.At) {
			newest, ok = s, true
		}
	}
	return newest, ok
}

// SessionsFrom is when the last revocation took effect; where Microsoft does not show that,
// as for guests, when the lock was last read back.
func (w *Watch) SessionsFrom() time.Time {
	if !w.Sessions.IsZero() {
		return w.Sessions
	}
	if n := len(w.Reversals); n > 0 && w.Reversals[n-1].LockedAt.After(w.Since) {
		return w.Reversals[n-1].LockedAt
	}
	return w.Since
}

// BeginWatch starts the watch over a lock that was just read back. What came undone
// under an earlier watch stays on record.
func (inc *Incident) BeginWatch(synced bool, sessions, now time.Time) {
	w := &Watch{Since: now.UTC(), Synced: synced, Sessions: sessions.UTC()}
	if was := inc.Watch; was != nil {
		w.Reversals, w.Reversed = was.Reversals, was.Reversed
	}
	inc.Watch = w
}

// EndWatch stops looking.
func (inc *Incident) EndWatch(now time.Time) {
	if inc.Watch.Active() {
		inc.Watch.EndedAt, inc.Watch.Relock, inc.Watch.Failure, inc.Watch.Unseen = now.UTC(), nil, "", ""
	}
}

// Looked notes a look that found the lock in place.
func (inc *Incident) Looked(now time.Time) {
	w := inc.Watch
	if w.Failure != "" {
		inc.Record(Event{At: now, Kind: EventWatchChecked, By: Hub.By(), Step: Lock, Text: "The hub can look after the lock again: the account is still locked"})
	}
	w.CheckedAt, w.TriedAt, w.Failure = now.UTC(), now.UTC(), ""
	w.Checks++
}

// Blinded notes a look that got no answer, in the record once for each new reason.
func (inc *Incident) Blinded(now time.Time, why string) {
	w := inc.Watch
	w.TriedAt = now.UTC()
	if w.Failure != why {
		w.Failure = why
		inc.Record(Event{At: now, Kind: EventWatchChecked, By: Hub.By(), Step: Lock, Text: "The hub cannot see whether the account is still locked: " + why})
	}
}

// Undid notes that the lock was seen undone, before it is done again; from now on
// requests may be under way.
func (inc *Incident) Undid(seen, now time.Time, enabled bool, sessions time.Time) {
	w := inc.Watch
	if w.Relock == nil {
		w.Relock = &Relock{SeenAt: seen.UTC(), Why: undoing(w.Synced, enabled), Sessions: sessions.UTC()}
	}
	w.Relock.At, w.Relock.Failed = now.UTC(), ""
}

// Entered notes that somebody signed in after the lock, before it is done again: sessions
// valid from then on are not ended by the revocation that came before.
func (inc *Incident) Entered(seen, now time.Time, s Session, sessions time.Time) {
	w := inc.Watch
	if w.Relock == nil {
		w.Relock = &Relock{SeenAt: seen.UTC(), Why: "A new session of " + s.String() + " was seen", Sessions: sessions.UTC(), Session: true}
	}
	w.Relock.At, w.Relock.Failed = now.UTC(), ""
}

// Unread notes that the sign-ins since the lock could not be read, "" that they could; in
// the record once for each new reason.
func (inc *Incident) Unread(now time.Time, why string) {
	w := inc.Watch
	switch {
	case w.Unseen == why:
		return
	case why == "":
		inc.Record(Event{At: now, Kind: EventWatchChecked, By: Hub.By(), Step: Lock, Text: "The hub can look for new sessions again"})
	default:
		inc.Record(Event{At: now, Kind: EventWatchChecked, By: Hub.By(), Step: Lock, Text: "The hub looks whether the account stays locked, but cannot see new sessions: " + why})
	}
	w.Unseen = why
}

func undoing(synced, enabled bool) string {
	switch {
	case !enabled:
		return "Somebody made the account's old sessions valid again"
	case synced:
		return "Directory sync re-enabled the account"
	}
	return "Somebody re-enabled the account"
}

// Relocked notes that the lock was read back again.
func (inc *Incident) Relocked(sessions, now time.Time) {
	w := inc.Watch
	r := w.Relock
	w.Relock, w.Failure, w.Sessions = nil, "", sessions.UTC()
	w.CheckedAt, w.TriedAt = now.UTC(), now.UTC()
	w.Checks++
	w.Reversed++
	w.Reversals = append(slices.Clone(w.Reversals), Reversal{SeenAt: r.SeenAt, LockedAt: now.UTC(), Why: r.Why})
	if n := len(w.Reversals); n > maxReversals {
		w.Reversals = w.Reversals[n-maxReversals:]
	}
	inc.Record(Event{At: now, Kind: EventWatchRelocked, By: Hub.By(), Step: Lock, Text: fmt.Sprintf("%s at %s; locked again at %s", r.Why, clock(r.SeenAt), clock(now))})
}

// Sentence says in one line for people how the lock is looked after; empty when it is
// not.
func (w *Watch) Sentence() string {
	switch {
	case w == nil:
		return ""
	case w.Relock != nil && w.Relock.Failed != "":
		return fmt.Sprintf("%s at %s. Locking it again did not work: %s", w.Relock.Why, clock(w.Relock.SeenAt), w.Relock.Failed)
	case w.Relock != nil:
		return fmt.Sprintf("%s at %s; it is being locked again.", w.Relock.Why, clock(w.Relock.SeenAt))
	}
	said := ""
	if len(w.Roles) > 0 {
		said = "The account is an administrator (" + strings.Join(w.Roles, ", ") + ")."
	}
	if n := len(w.Reversals); n > 0 {
		r := w.Reversals[n-1]
		said = spaced(said, fmt.Sprintf("%s at %s; locked again at %s", r.Why, clock(r.SeenAt), clock(r.LockedAt)))
		if w.Reversed > 1 {
			said += fmt.Sprintf(" (%d times so far)", w.Reversed)
		}
		said += "."
	}
	switch {
	case !w.Active():
		return said
	case w.Failure != "":
		return spaced(said, "The hub cannot see whether the account is still locked: "+w.Failure)
	case w.Synced:
		said = spaced(said, "Watched until step 5: the account comes from on-premises AD, whose sync may undo the lock; then the hub locks it again.")
	default:
		said = spaced(said, "Watched until step 5: if somebody re-enables the account, the hub locks it again.")
	}
	if w.Unseen != "" {
		said = spaced(said, "New sessions cannot be seen: "+w.Unseen)
	}
	return said
}

func spaced(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}
