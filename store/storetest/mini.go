package storetest

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Mini returns a client of a Redis within the process. It works in a testing/synctest
// bubble, where its clock is the bubble's. Keys do not expire there by themselves.
func Mini(t testing.TB) (redis.UniversalClient, *miniredis.Miniredis) {
	t.Helper()
	m := miniredis.NewMiniRedis()
	rdb := redis.NewClient(&redis.Options{
		Dialer:   dialer(m),
		PoolSize: 80,
		// Its set-up resolves the address, and the resolver cannot be shared by two bubbles.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() {
		_ = rdb.Close()
		m.Close()
	})
	return rdb, m
}

func dialer(m *miniredis.Miniredis) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		conn, err := m.Dial()
		if err != nil {
			return nil, err
		}
		return newBuffered(conn), nil
	}
}

// buffered lets writes through a pipe return before the other side read them, as a
// socket does. Without it a long pipeline stands still for ever: the client goes on
// writing before it reads, the server waits for its first answer to be read.
type buffered struct {
	net.Conn
	mu     sync.Mutex
	more   *sync.Cond
	bytes  []byte
	err    error // of a write that was answered already
	closed bool
	done   chan struct{}
}

func newBuffered(conn net.Conn) *buffered {
	b := &buffered{Conn: conn, done: make(chan struct{})}
	b.more = sync.NewCond(&b.mu)
	go b.pump()
	return b
}

func (b *buffered) pump() {
	defer close(b.done)
	for {
		b.mu.Lock()
		for len(b.bytes) == 0 && !b.closed {
			b.more.Wait()
		}
		next := b.bytes
		b.bytes = nil
		closed := b.closed
		b.mu.Unlock()
		if closed {
			return
		}
		if _, err := b.Conn.Write(next); err != nil {
			b.mu.Lock()
			b.err = err
			b.mu.Unlock()
			return
		}
	}
}

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	b.bytes = append(b.bytes, p...)
	b.more.Signal()
	return len(p), nil
}

// Writes end at once, so only reads have a deadline.
func (b *buffered) SetWriteDeadline(time.Time) error { return nil }
func (b *buffered) SetDeadline(t time.Time) error    { return b.Conn.SetReadDeadline(t) }

func (b *buffered) Close() error {
	b.mu.Lock()
	b.closed = true
	b.more.Signal()
	b.mu.Unlock()
	err := b.Conn.Close()
	<-b.done
	return err
}
