package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub/store"
)

// server is a redis-server that puts every write on the disk before it answers.
type server struct {
	addr string // unix:///path
	dir  string
	cmd  *exec.Cmd
}

func startRedis(ctx context.Context) (*server, error) {
	dir, err := os.MkdirTemp("", "rb") // the path of a unix socket may have 107 bytes at most
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "s")
	s := &server{addr: store.UnixPrefix + socket, dir: dir}
	s.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", //nolint:gosec,noctx // ours; it is ended by stop
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--daemonize", "no")
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("redis-server: %w", err), os.RemoveAll(dir))
	}
	rdb, err := store.Open(store.Config{Addrs: []string{s.addr}})
	if err != nil {
		s.stop()
		return nil, err
	}
	defer rdb.Close()
	for range 200 {
		if rdb.Ping(ctx).Err() == nil {
			return s, nil
		}
		if !wait(ctx, 25*time.Millisecond) {
			break
		}
	}
	s.stop()
	return nil, errors.New("redis-server does not answer")
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	os.RemoveAll(s.dir)
}

// client returns a client as the hub has it.
func (s *server) client() (redis.UniversalClient, error) {
	return store.Open(store.Config{Addrs: []string{s.addr}})
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
