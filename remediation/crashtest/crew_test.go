package crashtest

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crew is some workers. Who dies is replaced at once.
type crew struct {
	t    *testing.T
	log  string // file with what all of them logged
	file *os.File
	wg   sync.WaitGroup

	mu      sync.Mutex
	job     job
	hired   int
	running map[int]*worker
	closing bool
}

// worker is one process.
type worker struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// hire starts n workers for a job; they end with the test.
func hire(t *testing.T, n int, j job) *crew {
	t.Helper()
	c := &crew{t: t, job: j, running: map[int]*worker{}, log: filepath.Join(t.TempDir(), "log")}
	var err error
	if c.file, err = os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		t.Fatal(err)
	}
	for slot := range n {
		c.wg.Go(func() { c.keep(slot) })
	}
	t.Cleanup(func() {
		c.dismiss()
		_ = c.file.Close()
	})
	return c
}

// keep has a worker in the slot until the crew is dismissed.
func (c *crew) keep(slot int) {
	for {
		w, err := c.start(slot)
		if w == nil {
			if err != nil {
				c.t.Error(err)
			}
			return
		}
		err = w.cmd.Wait()
		c.mu.Lock()
		delete(c.running, slot)
		closing := c.closing
		c.mu.Unlock()
		killed := false
		if status, ok := w.cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
			killed = status.Signaled() && status.Signal() == syscall.SIGKILL
		}
		if !killed && (err != nil || !closing) {
			c.t.Errorf("a worker ended by itself: %v; see the log\n%s", err, c.tail())
			return
		}
	}
}

// start starts the slot's next worker, or returns nil when the crew is dismissed.
func (c *crew) start(slot int) (*worker, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c.hired++
	j := c.job
	j.Name = fmt.Sprintf("w%d", c.hired)
	b, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(self)}
	w.cmd.Env = append(os.Environ(), workerEnv+"="+string(b))
	w.cmd.Stderr = c.file
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	c.running[slot] = w
	return w, nil
}

// kill ends one worker, as kill -9 does.
func (c *crew) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.running { // in random order
		_ = w.cmd.Process.Kill()
		return
	}
}

// change gives the workers another job: all are killed, who follows has it.
func (c *crew) change(edit func(*job)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	edit(&c.job)
	for _, w := range c.running {
		_ = w.cmd.Process.Kill()
	}
}

// harass kills n workers, one after the other, evenly but for chance over the time.
func (c *crew) harass(n int, over time.Duration) {
	for range n {
		time.Sleep(over/time.Duration(2*n) + rand.N(over/time.Duration(n)))
		c.kill()
	}
}

// thaw lets a frozen worker go on.
func (c *crew) thaw() { c.signal(syscall.SIGCONT) }

func (c *crew) signal(s os.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.running {
		_ = w.cmd.Process.Signal(s)
	}
}

// deaths is how many workers died so far.
func (c *crew) deaths() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hired - len(c.running)
}

// dismiss asks all workers to end and waits for them. They must end by themselves.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.closing = true
	for _, w := range c.running {
		_ = w.cmd.Process.Signal(syscall.SIGCONT)
		_ = w.stdin.Close()
	}
	c.mu.Unlock()
	late := time.AfterFunc(20*time.Second, func() {
		c.t.Errorf("workers did not end when they were asked to")
		c.signal(os.Kill)
	})
	defer late.Stop()
	c.wg.Wait()
}

// tail is the end of what the workers logged.
func (c *crew) tail() string {
	b, _ := os.ReadFile(c.log)
	lines := strings.Split(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
