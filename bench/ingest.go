package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub/intake"
)

const (
	connections = 64
	leastRate   = 0.6 // of the floor's
	mostCPU     = 1.7 // times the floor's
)

// measured is a process that takes alerts.
type measured struct {
	kind  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	conns []*conn

	alerts int
	took   time.Duration
	cpu    time.Duration
	redis  time.Duration // CPU time of Redis meanwhile
}

// conn is one connection that is kept alive.
type conn struct {
	net.Conn
	r *bufio.Reader
}

// ingest measures how many alerts a second are made durable, and at what cost, next to
// a floor that does nothing but prove the sender and write. They take turns, so that
// what else happens on the machine meets both.
func ingest(ctx context.Context, o options, t *table) error {
	server, err := startRedis(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	rdb, err := server.client()
	if err != nil {
		return err
	}
	defer rdb.Close()
	var both []*measured
	for _, kind := range []string{"hub", "floor"} {
		m, err := startChild(kind, server.addr, o.profile)
		if err != nil {
			return err
		}
		defer m.stop()
		both = append(both, m)
	}
	for round := -1; round < o.rounds; round++ { // the first warms up
		for _, m := range both {
			before := used(ctx, rdb)
			if err := m.round(ctx, fmt.Sprint(m.kind, round), o.round, round >= 0); err != nil {
				return fmt.Errorf("%s: %w", m.kind, err)
			}
			if round >= 0 {
				m.redis += used(ctx, rdb) - before
			}
		}
	}
	hub, floor := both[0], both[1]
	for _, m := range both {
		t.note("ingest", m.kind, "%.0f alerts/s, each %.0f us CPU and %.0f us CPU of Redis", m.rate(), m.each(), float64(m.redis.Microseconds())/float64(m.alerts))
	}
	t.least("ingest", "rate of the hub, of the floor's", hub.rate()/floor.rate(), leastRate, "x")
	t.most("ingest", "CPU of the hub, of the floor's", hub.each()/floor.each(), mostCPU, "x")
	return nil
}

// used is the CPU time Redis used so far.
func used(ctx context.Context, rdb redis.UniversalClient) (sum time.Duration) {
	info, err := rdb.Info(ctx, "cpu").Result()
	if err != nil {
		return 0
	}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			if seconds, err := strconv.ParseFloat(value, 64); err == nil {
				sum += time.Duration(seconds * float64(time.Second))
			}
		}
	}
	return sum
}

func (m *measured) rate() float64 { return float64(m.alerts) / m.took.Seconds() }

// each is the CPU time of one alert in microseconds.
func (m *measured) each() float64 { return float64(m.cpu.Microseconds()) / float64(m.alerts) }

// round posts alerts over all connections for a while.
func (m *measured) round(ctx context.Context, run string, d time.Duration, counts bool) error {
	before, err := m.used()
	if err != nil {
		return err
	}
	var n atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(m.conns))
	start := time.Now()
	for i, c := range m.conns {
		wg.Go(func() {
			for time.Since(start) < d && ctx.Err() == nil {
				if errs[i] = c.post(run, int(n.Add(1))); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	after, err := m.used()
	if err := cmp.Or(append(errs, err, ctx.Err())...); err != nil {
		return err // the first; the others say the same
	}
	if counts {
		m.alerts, m.took, m.cpu = m.alerts+int(n.Load()), m.took+took, m.cpu+after-before
	}
	return nil
}

// post sends one signed alert and expects it to be taken.
func (c *conn) post(run string, n int) error {
	body := alert(run, n)
	header, err := intake.Sign(secret, fmt.Sprintf("msg_%s_%d", run, n), time.Now(), body)
	if err != nil {
		return err
	}
	header.Set("Content-Type", "application/json")
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /v1/alerts/detector HTTP/1.1\r\nHost: hub\r\nContent-Length: %d\r\n", len(body))
	if err := header.Write(&b); err != nil {
		return err
	}
	b.WriteString("\r\n")
	b.Write(body)
	if _, err := c.Write(b.Bytes()); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("answered %s: %s", resp.Status, answer)
	}
	return nil
}

func startChild(kind, redis, profile string) (*measured, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	m := &measured{kind: kind, cmd: exec.Command(self)} //nolint:gosec,noctx // ourselves; ended by stop
	m.cmd.Env = append(os.Environ(), childEnv+"="+kind, redisEnv+"="+redis)
	if profile != "" {
		m.cmd.Env = append(m.cmd.Env, profileEnv+"="+filepath.Join(profile, kind+".pprof"))
	}
	m.cmd.Stderr = os.Stderr
	if m.in, err = m.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	m.out = bufio.NewReader(out)
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := m.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s did not start: %w", kind, err)
	}
	for range connections {
		c, err := net.Dial("tcp", strings.TrimSpace(addr)) //nolint:noctx // on loopback
		if err != nil {
			return nil, err
		}
		m.conns = append(m.conns, &conn{c, bufio.NewReader(c)})
	}
	return m, nil
}

// used is the CPU time the process used so far.
func (m *measured) used() (time.Duration, error) {
	if _, err := io.WriteString(m.in, "\n"); err != nil {
		return 0, err
	}
	line, err := m.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	us, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Duration(us) * time.Microsecond, err
}

func (m *measured) stop() {
	for _, c := range m.conns {
		c.Close()
	}
	_ = m.in.Close()
	_ = m.cmd.Wait()
}
