package autotask_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/connectors/transport"
	simulated "responsehub/sim/autotask"
	"responsehub/sim/desk"
	"responsehub/sim/wire"
	"responsehub/ticket"
)

// through calls a handler in process, so that a story needs no sockets and runs in a
// bubble. It counts the calls that are on their way to each kind of record.
type through struct {
	handler http.Handler

	mu   sync.Mutex
	busy map[string]int
	most int
	at   []time.Time
}

func (c *through) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	_, path, _ := strings.Cut(req.URL.Path, "/V1.0/")
	kind, _, _ := strings.Cut(path, "/")
	c.mu.Lock()
	c.busy[kind]++
	if c.at = append(c.at, time.Now()); kind != "" {
		c.most = max(c.most, c.busy[kind])
	}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.busy[kind]--
		c.mu.Unlock()
		if gone := recover(); gone != nil {
			resp, err = nil, fmt.Errorf("connection reset: %v", gone)
		}
	}()
	var body []byte
	if req.Body != nil {
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	in := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.RequestURI(), bytes.NewReader(body))
	in.Header, in.Host = req.Header.Clone(), req.URL.Host
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, in)
	resp = w.Result()
	resp.Request = req
	return resp, req.Context().Err()
}

// line is the queue at the connection, by the rules of the shared one: n places, the
// lowest ranks of those who asked lately go first.
type line struct {
	mu    sync.Mutex
	until time.Time
	held  map[string]bool
	rank  map[string]float64
	seen  map[string]time.Time
}

func (l *line) Enter(_ context.Context, _ string, n int, name string, rank float64) (func(), time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rank[name], l.seen[name] = rank, time.Now()
	before := 0
	for other, r := range l.rank {
		if time.Since(l.seen[other]) > 20*time.Second {
			delete(l.rank, other)
		} else if r < rank {
			before++
		}
	}
	if before >= n || len(l.held) >= n {
		return nil, min(200*time.Millisecond+time.Duration(before+1)*60*time.Millisecond, 8*time.Second), nil
	}
	delete(l.rank, name)
	l.held[name] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.held, name)
	}, 0, nil
}

func (l *line) Block(_ context.Context, _ string, d time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.until) {
		l.until = until
	}
	return nil
}

func (l *line) Blocked(context.Context, string) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(time.Until(l.until), 0), nil
}

func (l *line) Free(context.Context, string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Time{}
	return nil
}

func (*line) Once(context.Context, string, string, time.Duration) (bool, error) { return true, nil }

func (*line) Again(context.Context, string, string) error { return nil }

func (*line) PutTicket(context.Context, string, string, string) error  { return nil }
func (*line) TicketOf(context.Context, string, string) (string, error) { return "", nil }

// bucket is the calls of all replicas.
type bucket struct {
	mu     sync.Mutex
	free   float64 // of 1
	at     time.Time
	denied int
}

func (b *bucket) TakeMany(_ context.Context, _ string, tokens, n int, per time.Duration) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, price := time.Now(), float64(tokens)/float64(n)
	if !b.at.IsZero() {
		b.free = min(1, b.free+float64(now.Sub(b.at))/float64(per))
	}
	if b.at = now; b.free < price {
		b.denied++
		return time.Duration((price-b.free)*float64(per)) + time.Millisecond, nil
	}
	b.free -= price
	return 0, nil
}

// storm is an Autotask, two replicas of a hub with nothing but the ticket lane, and what
// went on between them.
type storm struct {
	*testing.T
	log    *wire.Log
	site   *simulated.Service
	wire   *through
	calls  *bucket
	hubs   []*ticket.Follower
	opened map[string]*responsehub.Incident // by reference, as opened
	done   atomic.Int32
	lanes  sync.WaitGroup
}

func newStorm(t *testing.T, hourly int) *storm {
	s := &storm{T: t, log: wire.NewLog(), opened: map[string]*responsehub.Incident{}, calls: &bucket{free: 1}}
	var err error
	if s.site, err = simulated.New(simulated.Config{URL: "https://at.example", Username: "api@msp.example", Secret: secret, Code: tracking, Log: s.log, Customers: []desk.Customer{{Name: "Fabrikam"}}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.site.Stop)
	s.wire = &through{handler: s.site.Handler(), busy: map[string]int{}}
	shared := &line{held: map[string]bool{}, rank: map[string]float64{}, seen: map[string]time.Time{}}
	tenant := responsehub.Tenant{V: 1, ID: "fab", Name: "Fabrikam", Notify: responsehub.Notify{PSA: responsehub.Desks{{Connection: "at", Company: "Fabrikam"}}}}
	for range 2 {
		d, err := autotask.New(autotask.Config{
			Name: "at", ZoneURL: "https://at.example", Username: "api@msp.example", Secret: secret, IntegrationCode: tracking, Queue: "Security", CatchAll: simulated.CatchAll,
			Statuses: map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Complete"}, Hourly: hourly, Buckets: s.calls,
		}, transport.Client(transport.Over(s.wire)))
		if err != nil {
			t.Fatal(err)
		}
		s.hubs = append(s.hubs, ticket.NewFollower(ticket.Config{
			Connections: map[string]ticket.Connection{"at": {Desk: d, Product: "Autotask", AtOnce: 2, ReopenDays: 7}}, Queue: shared, Index: shared,
			Alarm:  func(context.Context, responsehub.Alarm) {},
			Tenant: func(string) (responsehub.Tenant, bool) { return tenant, true },
			Link:   func(*responsehub.Incident) string { return "" }, Log: slog.New(slog.DiscardHandler),
		}))
	}
	return s
}

// raise opens an incident and follows it until there is nothing left to do.
func (s *storm) raise(ctx context.Context, i int, severity responsehub.Severity) {
	s.Helper()
	ref := fmt.Sprintf("RH-%04d", i)
	inc := responsehub.NewIncident(fmt.Sprint("inc", i), ref, time.Now(), "petra", &responsehub.Alert{
		Version: "1", ID: fmt.Sprint("a", i), DetectedAt: time.Now(), Severity: severity, Title: "Account takeover", Account: responsehub.Account{UserPrincipalName: fmt.Sprintf("u%d@fab.example", i)},
	}, responsehub.TenantRef{ID: "fab", Name: "Fabrikam"}, false)
	s.opened[ref] = &responsehub.Incident{Severity: severity, OpenedAt: inc.OpenedAt}
	f := s.hubs[i%2]
	s.lanes.Go(func() {
		for ctx.Err() == nil {
			out := f.Follow(ctx, responsehub.NewTurn(inc, 0, func(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) { return inc, edit(inc) }))
			if out.Err != nil {
				s.Errorf("%s: %v", ref, out.Err)
				return
			}
			if kept := inc.Tickets["at"]; out.After == 0 && kept.ID != "" && kept.Intent == "" && kept.Failure == "" {
				s.done.Add(1)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(max(out.After, time.Millisecond)):
			}
		}
	})
}

// TestFiveHundredIncidentsInAMinute: two replicas, an Autotask that bears three calls at
// once to a kind of record, slows everybody down from half of the hour's calls on and is
// used by others too, and answers that are lost, late, empty or 429. Each incident gets
// one ticket with its details once; nobody is ever refused for a call too many; and the
// severe ones go first, however late they came: a ticket is made for one of the two most
// severe incidents that wait.
func TestFiveHundredIncidentsInAMinute(t *testing.T) {
	for _, tt := range []struct {
		name         string
		hourly, used int
		most         time.Duration
		waits        bool // for calls of the hub's share
	}{
		{"others leave half of the hour", 5000, 4500, time.Hour, false},
		{"others leave a third of it", 3000, 6700, 3 * time.Hour, true},
		{"the share is as small as it is by itself", 0, 0, 6 * time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const all = 500
				s := newStorm(t, tt.hourly)
				for _, f := range []wire.Fault{
					{Method: "POST", Match: "/Tickets", Body: `"externalID":"RH-`, Skip: 3, Every: 29, After: true, Drop: true},
					{Method: "POST", Match: "/Tickets", Body: `"externalID":"RH-`, Every: 31, Drop: true},
					{Method: "POST", Match: "/Tickets", Body: `"externalID":"RH-`, Every: 37, Status: 500},
					{Method: "POST", Match: "/Notes", Skip: 5, Every: 41, After: true, Status: 500, Answer: "<html>"},
					{Method: "POST", Match: "/Notes", Every: 43, Drop: true},
					{Method: "GET", Match: "/Tickets/", Every: 61, Status: 503},
					{Match: "/query", Every: 211, Status: 429, Header: map[string]string{"Retry-After": "7"}},
					{DelayMS: 150},
				} {
					f.Vendor = "autotask"
					s.log.AddFault(f)
				}
				if _, err := s.site.Play(t.Context(), desk.Act{Do: "desk_used", Value: fmt.Sprint(tt.used)}); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), tt.most)
				defer cancel()
				for i := range all {
					s.raise(ctx, i, responsehub.Severities[3-i*4/all]) // the severe ones come last
					time.Sleep(time.Minute / all)
				}
				s.lanes.Wait()
				took := time.Since(start)
				if n := int(s.done.Load()); n != all {
					t.Errorf("after %s %d of %d incidents have their ticket", took, n, all)
				}
				if (s.calls.denied > 0) != tt.waits {
					t.Errorf("the hub had no call left %d times within %s", s.calls.denied, took)
				}
				s.one()
				s.inOrder()
				s.withinLimits(cmp.Or(tt.hourly, 1000))
				t.Logf("%d tickets within %s by %d calls", all, took.Round(time.Second), len(s.wire.at))
			})
		})
	}
}

// one checks that each incident has one ticket, with its details in one note.
func (s *storm) one() {
	s.Helper()
	all := map[string][]desk.Ticket{}
	for _, tk := range s.site.Snapshot().Tickets {
		all[tk.Ref] = append(all[tk.Ref], tk)
	}
	for ref := range s.opened {
		if len(all[ref]) != 1 {
			s.Errorf("%s has %d tickets", ref, len(all[ref]))
			continue
		}
		marks := map[string]int{}
		for _, n := range all[ref][0].Notes {
			_, mark, _ := strings.Cut(n.Text[strings.LastIndex(n.Text, "["):], " ")
			marks[mark]++
		}
		if marks["details]"] != 1 {
			s.Errorf("%s: notes %v", ref, marks)
		}
	}
	if len(all) != len(s.opened) {
		s.Errorf("%d references, want %d", len(all), len(s.opened))
	}
	if un := s.log.UnexpectedAll(); len(un) > 0 {
		s.Errorf("Autotask would not know: %v", un)
	}
}

// inOrder checks that each ticket was made for one of the two most severe incidents that
// were waiting: one more severe may be about to get the other place, never two. Whoever
// came within the last turn is not counted, and whose making is in doubt had its turn.
func (s *storm) inOrder() {
	s.Helper()
	const turn = 20 * time.Second
	had := map[string]time.Time{} // the first try
	for _, r := range s.log.Requests() {
		if _, ref, ok := strings.Cut(r.Body, `"externalID":"`); ok && r.Method == http.MethodPost {
			ref, _, _ = strings.Cut(ref, `"`)
			if had[ref].IsZero() {
				had[ref] = r.At
			}
		}
	}
	rank := func(ref string) int { return slices.Index(responsehub.Severities, s.opened[ref].Severity) }
	for ref, at := range had {
		var before []string
		for other, late := range had {
			if rank(other) < rank(ref) && late.After(at) && at.Sub(s.opened[other].OpenedAt) > turn {
				before = append(before, other)
			}
		}
		if len(before) > 1 {
			s.Errorf("%s (%s) got its ticket at %s before %d that are more severe, such as %s", ref, s.opened[ref].Severity, at.Format(time.TimeOnly), len(before), before[0])
		}
	}
}

// withinLimits checks what Autotask was asked for.
func (s *storm) withinLimits(hourly int) {
	s.Helper()
	if s.wire.most > 3 {
		s.Errorf("%d calls at once to one kind of record", s.wire.most)
	}
	for _, r := range s.log.Requests() {
		if strings.Contains(r.Answer, "threshold") {
			s.Fatalf("a call too many at %s: %s %s", r.At, r.Path, r.Answer)
		}
	}
	worst := 0
	for i, j := 0, 0; j < len(s.wire.at); j++ {
		for s.wire.at[j].Sub(s.wire.at[i]) > time.Hour {
			i++
		}
		worst = max(worst, j-i+1)
	}
	// A bucket that was full gives its whole content beside what flows in meanwhile.
	if worst > 2*hourly+hourly/5 {
		s.Errorf("%d calls within an hour, the hub's share is %d", worst, hourly)
	}
	s.Logf("%d calls in the worst hour, %d at once", worst, s.wire.most)
}
