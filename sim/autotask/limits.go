package autotask

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// limits counts calls at once and calls in the last hour.
type limits struct {
	mu      sync.Mutex
	running map[string]int // by endpoint
	calls   []time.Time    // of the last hour, ours
	others  []used         // of the last hour, other integrations'
}

type used struct {
	at time.Time
	n  int
}

// overThreads marks a call that is one too many. The count stands around the ledger, so that a
// scripted delay keeps a thread busy.
type overThreads struct{}

// threadLimit lets three calls at once through to an endpoint.
func (s *Service) threadLimit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := endpoint(r.URL.Path)
		if s.cfg.NoLimits || at == "" {
			next.ServeHTTP(w, r)
			return
		}
		s.limits.mu.Lock()
		s.limits.running[at]++
		over := s.limits.running[at] > threads
		s.limits.mu.Unlock()
		defer func() {
			s.limits.mu.Lock()
			s.limits.running[at]--
			s.limits.mu.Unlock()
		}()
		if over {
			r = r.WithContext(context.WithValue(r.Context(), overThreads{}, true))
		}
		next.ServeHTTP(w, r)
	})
}

// endpoint is the entity that a path calls, with its child.
func endpoint(path string) string {
	_, rest, ok := strings.Cut(strings.ToLower(path), "/v1.0/")
	if !ok {
		return ""
	}
	p := strings.Split(rest, "/")
	if len(p) > 2 && (p[2] == "notes" || p[2] == "fields" || p[2] == "excludedresources") {
		return p[0] + "/" + p[2]
	}
	return p[0]
}

// count enters a call and returns how many there were in the last hour, this one included.
func (l *limits) count(n int, others bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if others {
		l.others = append(l.others, used{now, n})
	} else if n > 0 {
		l.calls = append(l.calls, now)
	}
	for len(l.calls) > 0 && now.Sub(l.calls[0]) > frame {
		l.calls = l.calls[1:]
	}
	total := len(l.calls)
	for _, o := range l.others {
		if now.Sub(o.at) <= frame {
			total += o.n
		}
	}
	return total
}

// slow is the delay of a call at this use of the threshold: from the half on half a second, from three quarters a whole one.
func (s *Service) slow(total int) time.Duration {
	switch most := s.cfg.Threshold; {
	case s.cfg.NoLimits || total*2 < most:
		return 0
	case total*4 < most*3:
		return 500 * time.Millisecond
	}
	return time.Second
}
