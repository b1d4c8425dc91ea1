package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub/oncall"
)

// Phones remembers what belongs to a phone number, whatever incident it is about. What
// belongs to one phone shares a partition; numbers are in no key and no value.
type Phones struct {
	rdb    redis.UniversalClient
	limits *Limits
}

var _ oncall.Book = (*Phones)(nil)

// NewPhones returns phones on a client, which the caller closes.
func NewPhones(rdb redis.UniversalClient) *Phones {
	return &Phones{rdb: rdb, limits: NewLimits(rdb)}
}

func codesKey(phone string) string { return phoneKey(phone) + ":codes" }

func callKey(phone string) string { return phoneKey(phone) + ":call" }

func muteKey(phone string) string { return phoneKey(phone) + ":mute" }

func phoneKey(phone string) string {
	h := hashed(phone)
	return tagOf(h) + "phone:" + h
}

func attemptKey(attempt string) string { return tagOf(attempt) + "attempt:" + attempt }

func toldKey(attempt string) string { return tagOf(attempt) + "told:" + attempt }

func textKey(message string) string { return tagOf(message) + "text:" + message }

func requestKey(request string) string {
	h := hashed(request)
	return tagOf(h) + "request:" + h
}

// storedEntry is an entry as the scripts write it.
type storedEntry struct {
	Incident string `json:"incident"`
	Person   string `json:"person"`
	ClosedMS int64  `json:"closed_ms,omitempty"`
}

// codesTried is how many codes are offered to the script at a time. With the quarantine
// a busy phone has some hundreds of ten thousand taken.
const codesTried = 16

// Open gives an incident its code at a phone.
func (p *Phones) Open(ctx context.Context, phone string, e oncall.Entry) (string, error) {
	doc, err := json.Marshal(storedEntry{Incident: e.Incident, Person: e.Person})
	if err != nil {
		return "", fmt.Errorf("phones: encode entry: %w", err)
	}
	for range 50 {
		args := []any{doc, e.Incident, milliseconds(oncall.Quarantine)}
		for range codesTried {
			n, err := rand.Int(rand.Reader, big.NewInt(10000))
			if err != nil {
				return "", fmt.Errorf("phones: random code: %w", err)
			}
			args = append(args, fmt.Sprintf("%04d", n))
		}
		code, err := openCode.Run(ctx, p.rdb, []string{codesKey(phone)}, args...).Text()
		if err != nil || code != "" {
			return code, wrapped(err, "phones: open a code")
		}
	}
	return "", errors.New("phones: every code of this phone is taken")
}

// Entries lists the open incidents of a phone and those in quarantine, by code.
func (p *Phones) Entries(ctx context.Context, phone string) ([]oncall.Entry, error) {
	all, err := p.rdb.HGetAll(ctx, codesKey(phone)).Result()
	if err != nil {
		return nil, fmt.Errorf("phones: read codes: %w", err)
	}
	out := make([]oncall.Entry, 0, len(all))
	for code, doc := range all {
		var s storedEntry
		if err := json.Unmarshal([]byte(doc), &s); err != nil {
			return nil, fmt.Errorf("phones: code cannot be read: %w", err)
		}
		e := oncall.Entry{Code: code, Incident: s.Incident, Person: s.Person}
		if s.ClosedMS > 0 {
			e.Closed = time.UnixMilli(s.ClosedMS)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b oncall.Entry) int {
		return cmp.Or(cmp.Compare(a.Incident, b.Incident), cmp.Compare(a.Code, b.Code))
	})
	return out, nil
}

// Close ends an incident at a phone.
func (p *Phones) Close(ctx context.Context, phone, incident string) error {
	return wrapped(closeCode.Run(ctx, p.rdb, []string{codesKey(phone)}, incident).Err(), "phones: close a code")
}

// Bind remembers to which incident an attempt belongs.
func (p *Phones) Bind(ctx context.Context, attempt string, b oncall.Binding) error {
	doc, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("phones: encode binding: %w", err)
	}
	return wrapped(p.rdb.Set(ctx, attemptKey(attempt), doc, oncall.Remembered).Err(), "phones: bind an attempt")
}

// Binding returns what an attempt belongs to.
func (p *Phones) Binding(ctx context.Context, attempt string) (b oncall.Binding, ok bool, err error) {
	doc, err := p.rdb.Get(ctx, attemptKey(attempt)).Bytes()
	if errors.Is(err, redis.Nil) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("phones: find an attempt: %w", err)
	}
	return b, true, wrapped(json.Unmarshal(doc, &b), "phones: read a binding")
}

// Ring makes the attempt the live call of a phone, or returns the one that is.
func (p *Phones) Ring(ctx context.Context, phone, attempt string, most time.Duration) (string, error) {
	holder, err := takePhone.Run(ctx, p.rdb, []string{callKey(phone)}, attempt, milliseconds(most)).Text()
	return holder, wrapped(err, "phones: take a phone")
}

// Rung gives the phone free again, if the attempt has it.
func (p *Phones) Rung(ctx context.Context, phone, attempt string) error {
	return wrapped(freePhone.Run(ctx, p.rdb, []string{callKey(phone)}, attempt).Err(), "phones: free a phone")
}

// Tell remembers which incidents were spoken of on a call.
func (p *Phones) Tell(ctx context.Context, attempt string, incidents []string) error {
	if len(incidents) == 0 {
		return nil
	}
	names := make([]any, len(incidents))
	for i, id := range incidents {
		names[i] = id
	}
	_, err := p.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.SAdd(ctx, toldKey(attempt), names...)
		pipe.PExpire(ctx, toldKey(attempt), oncall.Remembered)
		return nil
	})
	return wrapped(err, "phones: note what was said")
}

// Told returns the incidents that were spoken of on a call, in order of opening.
func (p *Phones) Told(ctx context.Context, attempt string) ([]string, error) {
	ids, err := p.rdb.SMembers(ctx, toldKey(attempt)).Result()
	slices.Sort(ids)
	return ids, wrapped(err, "phones: read what was said")
}

// Mute says what must not go to a phone any more.
func (p *Phones) Mute(ctx context.Context, phone string, m oncall.Mute) error {
	if m == oncall.MuteNothing {
		return wrapped(p.rdb.Del(ctx, muteKey(phone)).Err(), "phones: unmute")
	}
	return wrapped(p.rdb.Set(ctx, muteKey(phone), string(m), 0).Err(), "phones: mute")
}

// Muted tells what must not go to a phone.
func (p *Phones) Muted(ctx context.Context, phone string) (oncall.Mute, error) {
	m, err := p.rdb.Get(ctx, muteKey(phone)).Result()
	if errors.Is(err, redis.Nil) {
		return oncall.MuteNothing, nil
	}
	return oncall.Mute(m), wrapped(err, "phones: is it muted")
}

// Count counts a name under what, each once, and reports whether that made it more than
// most within the period.
func (p *Phones) Count(ctx context.Context, what, name string, most int, within time.Duration) (full bool, err error) {
	ok, _, err := p.limits.Take(ctx, "phone:"+hashed(what), name, most, within)
	return !ok, err
}

// Bar keeps something from happening for a time.
func (p *Phones) Bar(ctx context.Context, what string, d time.Duration) error {
	return p.limits.Block(ctx, "phone:"+hashed(what), d)
}

// Barred returns for how long something is still barred.
func (p *Phones) Barred(ctx context.Context, what string) (time.Duration, error) {
	return p.limits.Blocked(ctx, "phone:"+hashed(what))
}

// Answer returns the reply that was given to a message.
func (p *Phones) Answer(ctx context.Context, message string) (string, bool, error) {
	return p.recall(ctx, textKey(message))
}

// Keep remembers the reply to a message; the first one stays.
func (p *Phones) Keep(ctx context.Context, message, reply string) error {
	return p.remember(ctx, textKey(message), reply, oncall.Remembered)
}

// Recall returns what a request of the telephone network was answered.
func (p *Phones) Recall(ctx context.Context, request string) (string, bool, error) {
	return p.recall(ctx, requestKey(request))
}

// Remember keeps what a request was answered for a time; the first answer stays.
func (p *Phones) Remember(ctx context.Context, request, answer string, span time.Duration) error {
	return p.remember(ctx, requestKey(request), answer, span)
}

func (p *Phones) recall(ctx context.Context, key string) (string, bool, error) {
	answer, err := p.rdb.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", false, nil
	}
	return answer, err == nil, wrapped(err, "phones: was it answered")
}

func (p *Phones) remember(ctx context.Context, key, answer string, span time.Duration) error {
	return wrapped(p.rdb.SetNX(ctx, key, answer, span).Err(), "phones: keep an answer")
}

func wrapped(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
