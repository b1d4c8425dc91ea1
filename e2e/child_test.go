package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// child is the hub as it is shipped, in a process of its own.
type child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
	once sync.Once
}

// spawn starts the hub's process and waits until it is ready.
func (s *stage) spawn() *child {
	s.Helper()
	return s.spawnAt(s.configFile(), s.url)
}

// spawnAt starts a process of the hub with a configuration, and waits until it is ready
// at the address.
func (s *stage) spawnAt(config, url string) *child {
	s.Helper()
	c := &child{done: make(chan struct{})}
	c.cmd = exec.Command(binary.path(s), "serve", "--config", config, "--log-level", "debug")
	c.cmd.Env = append(os.Environ(), "RESPONSEHUB_BOOTSTRAP_API_KEY="+s.key)
	c.cmd.Env = append(c.cmd.Env, s.environ...)
	c.cmd.Stdout, c.cmd.Stderr = s.logs, s.logs
	if err := c.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() { c.err = c.cmd.Wait(); close(c.done) }()
	s.children = append(s.children, c)
	s.until("the hub's process is ready", func() bool {
		select {
		case <-c.done:
			s.Fatalf("the hub's process ended by itself: %v\n%s", c.err, s.logs)
		default:
		}
		resp, err := s.client.Get(url + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return c
}

// kill ends the process as kill -9 does.
func (c *child) kill() {
	c.once.Do(func() { _ = c.cmd.Process.Kill() })
	<-c.done
}

// stop asks the process to end, as an orchestrator does: it has 15 s and exits 0.
func (c *child) stop(t testing.TB) {
	t.Helper()
	select {
	case <-c.done: // killed by the story
		return
	default:
	}
	start := time.Now()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(15 * time.Second):
		c.kill()
		t.Error("the hub did not end within 15 s of SIGTERM")
		return
	}
	if c.err != nil {
		t.Errorf("the hub ended with %v after SIGTERM", c.err)
	}
	t.Logf("the hub ended %s after SIGTERM", time.Since(start).Round(time.Millisecond))
}

// killHub ends the hub's process without warning.
func (s *stage) killHub() {
	s.Helper()
	c, ok := s.hub.(*child)
	if !ok {
		s.Fatal("only a hub in a process of its own can be killed")
	}
	c.kill()
}
