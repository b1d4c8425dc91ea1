package storetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub/store"
)

// Server is a redis-server started by a test.
type Server struct {
	Addr string // unix:///path or host:port, as store.Config takes it

	t    testing.TB
	args []string
	dir  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	out  *bytes.Buffer
	done chan struct{}
}

// Redis starts a redis-server on a unix socket that logs every write to disk before it
// answers. It ends with the test.
func Redis(t testing.TB) *Server {
	t.Helper()
	dir := folder(t)
	socket := filepath.Join(dir, "s")
	return start(t, dir, store.UnixPrefix+socket, "--port", "0", "--unixsocket", socket,
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
}

// folder is a short path: that of a unix socket may have 107 bytes at most.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func start(t testing.TB, dir, addr string, args ...string) *Server {
	t.Helper()
	s := &Server{Addr: addr, t: t, dir: dir, args: append(args, "--dir", dir, "--save", "", "--daemonize", "no")}
	s.Restart()
	t.Cleanup(s.Kill)
	return s
}

// URL is the address in the form that redis.ParseURL and most tools take.
func (s *Server) URL() string {
	if strings.HasPrefix(s.Addr, store.UnixPrefix) {
		return s.Addr
	}
	return "redis://" + s.Addr
}

// Client returns a new client, closed with the test.
func (s *Server) Client() redis.UniversalClient {
	s.t.Helper()
	return open(s.t, store.Config{Addrs: []string{s.Addr}})
}

func open(t testing.TB, c store.Config) redis.UniversalClient {
	t.Helper()
	rdb, err := store.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// Kill ends the server as kill -9 does. A server that is not running stays so.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
}

// Restart starts the server on the same data and returns when it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatal("these tests need redis-server on the PATH (Debian: apt-get install redis-server)")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = &bytes.Buffer{}
	s.cmd = exec.Command(path, s.args...) //nolint:gosec,noctx // redis-server, with what a test set up; it is ended by Kill
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, s.out, s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
	cmd, done := s.cmd, make(chan struct{})
	s.done = done
	go func() { defer close(done); _ = cmd.Wait() }()
	s.ready()
}

// ready waits until the server answers; it loads its log first.
func (s *Server) ready() {
	s.t.Helper()
	network, addr := "tcp", s.Addr
	if path, ok := strings.CutPrefix(addr, store.UnixPrefix); ok {
		network, addr = "unix", path
	}
	for range 400 {
		if ping(network, addr) {
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("redis-server ended by itself:\n%s", s.out)
		case <-time.After(25 * time.Millisecond):
		}
	}
	_ = s.cmd.Process.Kill()
	<-s.done
	s.t.Fatalf("redis-server did not answer within ten seconds:\n%s", s.out)
}

func ping(network, addr string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = fmt.Fprint(conn, "PING\r\n")
	b := make([]byte, 5)
	n, _ := conn.Read(b)
	return strings.HasPrefix(string(b[:n]), "+PONG")
}

// port returns a port of 127.0.0.1 that was free a moment ago.
func port(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
