package teams

import (
	"sync"
	"time"
)

// rule allows n calls in a sliding window.
type rule struct {
	n      int
	window time.Duration
}

// Limits per bot and thread. A thread is a chat or a whole channel: replies and cards of all
// its conversations count together.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
var (
	sendRules   = []rule{{7, time.Second}, {8, 2 * time.Second}, {60, 30 * time.Second}, {1800, time.Hour}}
	memberRules = []rule{{14, time.Second}, {16, 2 * time.Second}, {120, 30 * time.Second}}
)

// limiter counts calls by thread and kind in sliding windows. A refused call does not count.
type limiter struct {
	mu    sync.Mutex
	off   bool
	calls map[string][]time.Time
}

func (l *limiter) set(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.off = !on
	l.calls = nil
}

// take counts a call, or says how long to wait. Kinds with the same key share the count.
func (l *limiter) take(key string, rules []rule) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return 0
	}
	if l.calls == nil {
		l.calls = map[string][]time.Time{}
	}
	now := time.Now()
	longest := rules[len(rules)-1].window
	past := l.calls[key]
	for len(past) > 0 && now.Sub(past[0]) >= longest {
		past = past[1:]
	}
	for _, r := range rules {
		if len(past) < r.n {
			continue
		}
		if oldest := past[len(past)-r.n]; now.Sub(oldest) < r.window {
			wait = max(wait, r.window-now.Sub(oldest))
		}
	}
	if wait == 0 {
		past = append(past, now)
	}
	l.calls[key] = past
	return wait
}
