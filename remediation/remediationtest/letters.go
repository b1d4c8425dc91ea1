package remediationtest

import (
	"context"
	"slices"
	"sync"

	"responsehub"
)

// Letters keeps a bench's letters the way the store does, and dies with its turns: each
// write counts as one of the bench's.
type Letters struct {
	bench *Bench
	mu    sync.Mutex
	all   map[string]responsehub.Letter
}

// Letters returns the shelf of the bench.
func (b *Bench) Letters() *Letters {
	if b.letters == nil {
		b.letters = &Letters{bench: b, all: map[string]responsehub.Letter{}}
	}
	return b.letters
}

// PutLetters writes letters, or dies.
func (l *Letters) PutLetters(_ context.Context, _ responsehub.Fence, letters []responsehub.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bench.dead {
		return ErrKilled
	}
	if l.bench.Saves++; l.bench.Saves == l.bench.KillAt {
		l.bench.dead = true // and stays so until the next turn
		return ErrKilled
	}
	for i := range letters {
		l.all[letters[i].Key()] = letters[i]
	}
	return nil
}

// Letters returns a page; the cursor is the last key of the one before.
func (l *Letters) Letters(_ context.Context, _, cursor string, n int) ([]responsehub.Letter, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := make([]string, 0, len(l.all))
	for k := range l.all {
		if k > cursor {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	next := ""
	if len(keys) > n {
		keys, next = keys[:n], keys[n-1]
	}
	page := make([]responsehub.Letter, 0, len(keys))
	for _, k := range keys {
		page = append(page, l.all[k])
	}
	return page, next, nil
}

// All returns every letter.
func (l *Letters) All() []responsehub.Letter {
	page, _, _ := l.Letters(context.Background(), "", "", len(l.all))
	return page
}
