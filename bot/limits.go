package bot

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits keeps all replicas of the hub together within what Teams lets a bot do in one
// place. Places are named by the bot and mean nothing to the keeper.
type Limits interface {
	// Admit counts a call in the place's windows. It returns 0 when the call may go, else
	// how long to wait before asking again; a call that has to wait is not counted.
	Admit(ctx context.Context, place string, windows ...Window) (wait time.Duration, err error)
	// Bar admits nobody to the place for d; a longer bar stays.
	Bar(ctx context.Context, place string, d time.Duration) error
	// Free takes the place's bar away before its time.
	Free(ctx context.Context, place string) error
}

// Window allows N calls in any stretch of Per.
type Window struct {
	N   int
	Per time.Duration
}

// Teams allows a bot 7 calls a second in one conversation (a chat, or a whole channel),
// 8 in two seconds, 60 in thirty, 1,800 an hour, for posts and for new threads each.
// The windows here are a little wider: a call that was counted first may arrive last.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
var (
	sendWindows = []Window{{6, 1100 * time.Millisecond}, {8, 2500 * time.Millisecond}, {58, 31 * time.Second}, {1790, time.Hour + time.Second}}
	// Replies leave room for the cards, which have to show the truth.
	replyWindows = []Window{{4, 1100 * time.Millisecond}, {5, 2500 * time.Millisecond}, {30, 31 * time.Second}, {1200, time.Hour + time.Second}}
	// unknownWindow is how often one person is told that the bot did not understand.
	unknownWindow = Window{5, time.Hour}
)

// sending and creating name the places of Teams's limits: a channel with all its threads.
func sending(conversation string) string {
	channel, _, _ := strings.Cut(conversation, ";messageid=")
	return "teams:send:" + channel
}

func creating(channel string) string { return "teams:create:" + channel }

// jitter spreads those who wait for the same moment.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(max(d/4, 50*time.Millisecond))
}

// ownLimits keeps the limits of one process, where no other is given.
type ownLimits struct {
	mu     sync.Mutex
	places map[string]*taken
}

type taken struct {
	at    []time.Time // oldest first
	until time.Time   // barred
	clear time.Time   // when all of it is past
}

func (l *ownLimits) Admit(_ context.Context, place string, windows ...Window) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	p := l.place(place, now)
	wait := max(p.until.Sub(now), 0)
	longest := time.Duration(0)
	for _, w := range windows {
		longest = max(longest, w.Per)
		if i := len(p.at) - w.N; i >= 0 {
			wait = max(wait, p.at[i].Add(w.Per).Sub(now))
		}
	}
	if wait > 0 {
		return wait, nil
	}
	past, _ := slices.BinarySearchFunc(p.at, now.Add(-longest), time.Time.Compare)
	p.at = append(slices.Delete(p.at, 0, past), now)
	p.clear = latest(p.clear, now.Add(longest))
	return 0, nil
}

func (l *ownLimits) Bar(_ context.Context, place string, d time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	p := l.place(place, now)
	p.until = latest(p.until, now.Add(d))
	p.clear = latest(p.clear, p.until)
	return nil
}

func (l *ownLimits) Free(_ context.Context, place string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.places[place]; p != nil {
		p.until = time.Time{}
	}
	return nil
}

// place finds or makes one, and now and then forgets those that limit nothing any more.
func (l *ownLimits) place(name string, now time.Time) *taken {
	if p := l.places[name]; p != nil {
		return p
	}
	if len(l.places) >= 1000 {
		for n, p := range l.places {
			if p.clear.Before(now) {
				delete(l.places, n)
			}
		}
	}
	if l.places == nil {
		l.places = map[string]*taken{}
	}
	p := &taken{}
	l.places[name] = p
	return p
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
