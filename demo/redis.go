package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// redisStart is how long a child may take to answer.
const redisStart = 15 * time.Second

// embedded is a Redis of the demo's own.
type embedded struct {
	Addr    string // for redis.addrs
	Durable bool   // survives a restart of the demo
	stop    func()
}

// startRedis starts a Redis that keeps its data in dir, or one in process where there
// is no server to start. fresh makes it forget what it kept.
func startRedis(ctx context.Context, dir string, fresh bool) (*embedded, error) {
	path, err := serverOnPath()
	if err != nil {
		m, err := miniredis.Run()
		if err != nil {
			return nil, fmt.Errorf("redis in process: %w", err)
		}
		return &embedded{Addr: m.Addr(), stop: sync.OnceFunc(m.Close)}, nil
	}
	unlock, err := lock(filepath.Join(dir, "demo.lock"))
	if err != nil {
		return nil, err
	}
	shutdownLeftover(ctx, filepath.Join(dir, "redis.sock"))
	if fresh {
		err = forget(dir)
	}
	var e *embedded
	if err == nil {
		e, err = startChild(ctx, path, dir)
	}
	if err != nil {
		unlock()
		return nil, err
	}
	stop := e.stop
	e.stop = sync.OnceFunc(func() { stop(); unlock() })
	return e, nil
}

func serverOnPath() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither redis-server nor valkey-server is on PATH")
}

// lock makes sure that one demo at a time works in a directory.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("another demo is running on %s; stop it or set RESPONSEHUB_DEMO_DIR to another folder", filepath.Dir(path))
	}
	return func() { _ = f.Close() }, nil
}

// forget removes the files that Redis kept in the demo's folder, and nothing that has
// another name: the folder may be one that somebody chose. The lock is ours.
func forget(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "redis.log")); err != nil {
		return nil // no demo has kept anything here
	}
	aof := filepath.Join(dir, "appendonlydir")
	files, err := filepath.Glob(filepath.Join(aof, "appendonly.aof.*"))
	for _, name := range files {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return fmt.Errorf("forget the incidents of earlier runs: %w", err)
	}
	return nil
}

// startChild starts the server and waits for its first answer.
func startChild(ctx context.Context, path, dir string) (*embedded, error) {
	socket := filepath.Join(dir, "redis.sock")
	// Not tied to ctx: Redis has to outlive the hub's last writes.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", dir, // #nosec G204 -- found on PATH by us
		"--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning")
	// A Ctrl-C in the terminal is for the hub, which stops Redis last.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := os.OpenFile(filepath.Join(dir, "redis.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	child := &process{ended: make(chan struct{})}
	go func() { child.err = cmd.Wait(); close(child.ended) }()
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-child.ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-child.ended
		}
	}
	if err := answers(ctx, socket, child); err != nil {
		stop()
		return nil, err
	}
	return &embedded{Addr: "unix://" + socket, Durable: true, stop: stop}, nil
}

// process is a child on its way; err is there once ended is closed.
type process struct {
	ended chan struct{}
	err   error
}

// answers waits until the server takes commands.
func answers(ctx context.Context, socket string, child *process) error {
	ctx, cancel := context.WithTimeout(ctx, redisStart)
	defer cancel()
	for {
		err := ping(ctx, socket)
		if err == nil {
			return nil
		}
		select {
		case <-child.ended:
			return fmt.Errorf("redis ended at once (%w): see redis.log in %s", child.err, filepath.Dir(socket))
		case <-ctx.Done():
			return fmt.Errorf("redis does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// shutdownLeftover ends a Redis that an earlier demo left behind when it was killed.
// The lock is ours, so nobody else uses it.
func shutdownLeftover(ctx context.Context, socket string) {
	if ping(ctx, socket) != nil {
		return
	}
	rdb := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1})
	defer func() { _ = rdb.Close() }()
	_ = rdb.Shutdown(ctx).Err() // the connection ends with the server
	for range 100 {
		if ping(ctx, socket) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ping asks the server whether it takes commands: not while it loads its data.
func ping(ctx context.Context, socket string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	_ = conn.Close()
	rdb := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1})
	defer func() { _ = rdb.Close() }()
	return rdb.Ping(ctx).Err()
}
