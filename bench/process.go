package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// process is this program started once more as something else: what it says stands on
// lines of its output, each the answer to a line of its input.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a process and reads the first thing it says.
func start(kind string, orders, says any) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(orders)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self)} //nolint:gosec,noctx // ourselves; ended by stop
	p.cmd.Env = append(os.Environ(), childEnv+"="+kind, ordersEnv+"="+string(b))
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.hear(says); err != nil {
		p.kill()
		return nil, fmt.Errorf("%s did not start: %w", kind, err)
	}
	return p, nil
}

// ask writes a line and reads the answer.
func (p *process) ask(line string, says any) error {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return err
	}
	return p.hear(says)
}

func (p *process) hear(says any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, says)
}

// stop ends the process in peace.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// kill ends it as SIGKILL does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// orders are what a process was started with.
func orders(v any) error { return json.Unmarshal([]byte(os.Getenv(ordersEnv)), v) }

// converse says the first thing, and then the answer to each line, until there are no more.
func converse(first any, answer func() any) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(first); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := out.Encode(answer()); err != nil {
			return err
		}
	}
	return nil
}

// resident is the memory that this process has from the system (VmRSS:), or the most it
// ever had (VmHWM:), in bytes: the program itself included.
func resident(line string) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(l, line); ok {
			kb, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return kb << 10
		}
	}
	return 0
}
