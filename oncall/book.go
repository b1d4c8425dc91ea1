package oncall

import (
	"context"
	"time"

	"responsehub"
)

// Book is what is remembered by phone number, across incidents. Numbers go in and are
// kept as hashes only.
type Book interface {
	// Open gives an incident its code at a phone: the same one each time, also again
	// after Close, and none that another incident had there within the quarantine.
	Open(ctx context.Context, phone string, e Entry) (code string, err error)
	// Entries lists what the phone was paged for: the open ones and those in quarantine.
	Entries(ctx context.Context, phone string) ([]Entry, error)
	// Close ends an incident at a phone. Its code is not given away for the quarantine.
	Close(ctx context.Context, phone, incident string) error
	// Bind remembers to which incident an attempt belongs. It is called before the request.
	Bind(ctx context.Context, attempt string, b Binding) error
	// Binding returns what an attempt belongs to; ok is false for one that is not known.
	Binding(ctx context.Context, attempt string) (b Binding, ok bool, err error)
	// Ring makes the attempt the live call of a phone for at most a time, unless there is
	// one: then it returns that one.
	Ring(ctx context.Context, phone, attempt string, most time.Duration) (holder string, err error)
	// Rung gives the phone free again, if the attempt has it.
	Rung(ctx context.Context, phone, attempt string) error
	// Tell remembers which incidents were spoken of on a call; those stay remembered.
	Tell(ctx context.Context, attempt string, incidents []string) error
	// Told returns them.
	Told(ctx context.Context, attempt string) ([]string, error)
	// Mute says what must not go to a phone any more.
	Mute(ctx context.Context, phone string, m Mute) error
	// Muted tells what must not go to a phone.
	Muted(ctx context.Context, phone string) (Mute, error)
	// Count counts a name, each once, and reports whether there was no room for it: most
	// names were counted within the time already.
	Count(ctx context.Context, what, name string, most int, within time.Duration) (full bool, err error)
	// Bar keeps something from happening for a time; Barred tells for how much longer.
	Bar(ctx context.Context, what string, d time.Duration) error
	// Barred returns for how long something is still barred; 0 when it is not.
	Barred(ctx context.Context, what string) (time.Duration, error)
	// Answer returns the reply that was given to a message, and keeps the first one.
	Answer(ctx context.Context, message string) (reply string, known bool, err error)
	// Keep remembers the reply to a message for as long as it may come again.
	Keep(ctx context.Context, message, reply string) error
}

// Entry is an incident at a phone.
type Entry struct {
	Code     string    `json:"-"`
	Incident string    `json:"incident"`
	Person   string    `json:"person"`
	Closed   time.Time `json:"closed,omitzero"` // zero while it is open
}

// Binding says to what an attempt belongs.
type Binding struct {
	Incident string          `json:"incident"`
	Person   string          `json:"person"`
	Way      responsehub.Way `json:"way"`
}

// Mute is what a phone does not get.
type Mute string

// What may be off. Whoever wrote STOP is still called; a number that is somebody
// else's gets nothing.
const (
	MuteNothing Mute = ""
	MuteTexts   Mute = "texts"
	MuteAll     Mute = "all"
)

const (
	// Quarantine is how long a code is not given to another incident at the same phone.
	Quarantine = 7 * 24 * time.Hour
	// ShownFor is how long a 4 on a call counts as proof that a phone works.
	ShownFor = 365 * 24 * time.Hour
	// Remembered is how long attempts and messages are known after they were made: far
	// longer than the network repeats anything.
	Remembered = 8 * 24 * time.Hour
)
