package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/sim"
)

// TestTwoReplicasOneTicket: two processes of the hub behind one address keep the tickets
// of six incidents at three products. One is killed while tickets are being made and
// comes back; then the other. Events of the products arrive at whichever is there. Each
// incident has one ticket, each note stands once.
func TestTwoReplicasOneTicket(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{tenants: len(products), desks: true, response: true, twoCards: true, noHub: true, psa: map[string]string{
		"connectwise": "acknowledge_on: assignment", "autotask": "acknowledge_on: assignment", "halopsa": "acknowledge_on: status",
	}})
	front := s.balance(2)
	first, second := s.spawnAt(front.config[0], front.at[0]), s.spawnAt(front.config[1], front.at[1])
	s.hub = front
	s.install()
	all := s.pairs()
	for _, p := range all {
		s.until("events come from "+p.name, func() bool { return s.eventsOn(p.product) })
	}
	for _, p := range all {
		for i := range p.in {
			p.in[i] = s.alert(p.alerts[i])
		}
	}
	s.until("two tickets are made", func() bool {
		n := 0
		for _, p := range all {
			n += len(p.snapshot(s.world).Tickets)
		}
		return n >= 2
	})
	first.kill()
	for _, p := range all {
		for _, in := range p.in {
			s.contained(p.product, in)
		}
	}
	s.spawnAt(front.config[0], front.at[0])
	front.only(front.at[0]) // the events, and what technicians ask for
	for _, p := range all {
		act := sim.Act{Do: "ticket_assign", Desk: p.name, Ticket: s.oneTicketAt(p.product, p.in[0]).ID}
		if p.name == "halopsa" { // its event of an assignment is added by hand only
			act.Do, act.Value = "ticket_status", "In Progress"
		}
		s.atDesk("tess", act)
	}
	for _, p := range all {
		s.until("the incident is acknowledged in "+p.name, func() bool {
			a := s.incident(p.in[0].Incident).Acknowledged
			return a != nil && a.Via == responsehub.ViaPSA
		})
	}
	s.askAll(all, responsehub.Password)
	second.kill()
	s.doneAll(all, responsehub.Password)
	for _, p := range all {
		for i, in := range p.in {
			s.toldAt(p.product, in, "password.1.done")
			marks := s.markers(in, s.oneTicketAt(p.product, in))
			if marks["password.1.done"] == "" || i == 0 && marks["acknowledged"] == "" {
				t.Errorf("%s: a note is missing: %q", p.name, marks)
			}
		}
		if n := len(p.snapshot(s.world).Tickets); n != len(p.in) {
			t.Errorf("%d tickets were made in %s", n, p.name)
		}
	}
}

// front is one address before several replicas, which takes the next one that answers.
type front struct {
	at     []string // addresses of the replicas
	config []string // their files
	plain  http.Transport
	close  func()

	mu   sync.Mutex
	next int
	one  string
}

// balance puts a front up at the hub's address.
func (s *stage) balance(replicas int) *front {
	s.Helper()
	f := &front{}
	raw, err := os.ReadFile(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	public := strings.TrimPrefix(s.url, "http://")
	for i := range replicas {
		addr := freeAddr(s)
		file := filepath.Join(s.dir, fmt.Sprintf("replica%d.yaml", i))
		text := strings.Replace(string(raw), fmt.Sprintf("listen: %q", public), fmt.Sprintf("listen: %q", addr), 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			s.Fatal(err)
		}
		f.at, f.config = append(f.at, "http://"+addr), append(f.config, file)
	}
	l, err := net.Listen("tcp", public)
	if err != nil {
		s.Fatal(err)
	}
	srv := &http.Server{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetXForwarded() }, Transport: f}, ReadHeaderTimeout: 10 * time.Second}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(l) })
	f.close = func() { _ = srv.Close(); wg.Wait(); f.plain.CloseIdleConnections() }
	return f
}

// stop takes the front down. The replicas are ended as children of the stage.
func (f *front) stop(testing.TB) { f.close() }

// only has one replica take everything.
func (f *front) only(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.one = address
}

// RoundTrip asks the next replica, and the others if it is not there.
func (f *front) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	f.next++
	next, one := f.next, f.one
	f.mu.Unlock()
	err := errors.New("no replica is there")
	for i := range f.at {
		to := f.at[(next+i)%len(f.at)]
		if one != "" && to != one {
			continue
		}
		out := r.Clone(r.Context())
		out.Body, out.URL.Scheme, out.URL.Host = io.NopCloser(bytes.NewReader(body)), "http", strings.TrimPrefix(to, "http://")
		var resp *http.Response
		if resp, err = f.plain.RoundTrip(out); err == nil {
			return resp, nil
		}
	}
	return nil, err
}
