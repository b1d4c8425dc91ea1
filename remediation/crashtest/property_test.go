package crashtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"responsehub"
	"responsehub/audit"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// TestAnyStory plays random stories: alerts, requests and their repetitions through two
// hubs, hubs that vanish without settling anything, answers that get lost and writes
// that arrive after their lease. At the end the world is as the incidents say.
func TestAnyStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, mini := storetest.Mini(t)
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			mini.FlushAll()
			p := newPlay(t, rdb)
			defer p.end()
			for account := range 2 {
				p.open(rt, account)
			}
			rt.Repeat(map[string]func(*rapid.T){
				"alert":   func(rt *rapid.T) { p.open(rt, rapid.IntRange(0, 2).Draw(rt, "account")) },
				"request": p.request,
				"again":   p.again,
				"fault":   p.fault,
				"crash":   p.crash,
				"wait": func(rt *rapid.T) {
					time.Sleep(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 30 * time.Millisecond, lease, 3 * time.Second}).Draw(rt, "for"))
				},
				"": p.check,
			})
			p.settle(rt)
		})
	})
}

// play is two hubs in this process and the world they work on.
type play struct {
	t      *testing.T
	rdb    redis.UniversalClient
	direct *store.Store
	world  *ledger
	hubs   [2]*hub
	ids    []string
	asked  []*put
}

// put is a request and what came of it.
type put struct {
	id, command string
	step        responsehub.StepID
	skip        bool
	answered    bool
	answer      responsehub.Answer
}

// hub is an engine whose way to Redis can be cut.
type hub struct {
	engine *remediation.Engine
	line   *line
	dead   atomic.Bool
	stop   context.CancelFunc
	ended  chan struct{}
}

func newPlay(t *testing.T, rdb redis.UniversalClient) *play {
	p := &play{t: t, rdb: rdb, direct: store.New(rdb), world: &ledger{notes: map[string]int{}}}
	for i := range p.hubs {
		p.hubs[i] = p.start()
	}
	return p
}

func (p *play) start() *hub {
	h := &hub{line: &line{Store: p.direct}, ended: make(chan struct{})}
	ts := toys()
	for _, f := range ts {
		f.world, f.at = &hand{p.world, &h.dead}, func(string, responsehub.Lane, int) { time.Sleep(time.Millisecond) }
	}
	var err error
	if h.engine, err = newEngine(h.line, p.direct, slog.New(slog.DiscardHandler), ts); err != nil {
		p.t.Fatal(err)
	}
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	go func() { defer close(h.ended); h.engine.Run(ctx) }()
	return h
}

// hand is what a hub reaches the world with, while it lives.
type hand struct {
	world *ledger
	dead  *atomic.Bool
}

func (h *hand) do(ctx context.Context, e effect) error {
	if h.dead.Load() {
		return errDead
	}
	return h.world.do(ctx, e)
}

func (h *hand) done(ctx context.Context, e effect) (bool, error) { return h.world.done(ctx, e) }

var errDead = errors.New("the hub is dead")

// vanish ends a hub that can write nothing any more, as a killed process cannot.
func (h *hub) vanish() {
	h.dead.Store(true)
	h.line.set(cut)
	h.stop()
	<-h.ended
}

func (p *play) end() {
	for _, h := range p.hubs {
		h.vanish()
	}
}

func (p *play) crash(rt *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(rt, "hub")
	p.hubs[i].vanish()
	p.hubs[i] = p.start()
}

// fault makes a hub's way to Redis bad for a while.
func (p *play) fault(rt *rapid.T) {
	h := p.hubs[rapid.IntRange(0, 1).Draw(rt, "hub")]
	h.line.set(rapid.SampledFrom([]fault{cut, deaf, late}).Draw(rt, "fault"))
	time.Sleep(rapid.SampledFrom([]time.Duration{5 * time.Millisecond, 200 * time.Millisecond, 2 * lease}).Draw(rt, "for"))
	h.line.set(whole)
}

func (p *play) open(rt *rapid.T, account int) {
	h := p.hubs[rapid.IntRange(0, 1).Draw(rt, "hub")]
	tenant := []string{automatic, asked}[account%2]
	n := rapid.IntRange(0, 1).Draw(rt, "alert")
	a := &responsehub.Alert{
		Version: "1", ID: fmt.Sprint("a", account, n), DetectedAt: time.Now(), Tenant: responsehub.AlertTenant{MicrosoftTenantID: tenant},
		Account: responsehub.Account{UserPrincipalName: fmt.Sprintf("u%d@example.com", account)}, Severity: responsehub.High, Title: "Account takeover",
	}
	inc, _, err := h.engine.Open(rt.Context(), responsehub.Delivery{Source: "detector", ID: "d" + a.ID, BodyHash: a.ID}, a)
	if err != nil {
		if responsehub.KindOf(err) != responsehub.Unavailable {
			rt.Fatal(err)
		}
		return
	}
	if !slices.Contains(p.ids, inc.ID) {
		p.ids = append(p.ids, inc.ID)
	}
}

var steps = []responsehub.StepID{
	responsehub.Publish, responsehub.Lock, responsehub.Retract, responsehub.Persistence, responsehub.Password, responsehub.Reenable, responsehub.Close,
}

func (p *play) request(rt *rapid.T) {
	if len(p.ids) == 0 {
		return
	}
	c := &put{id: rapid.SampledFrom(p.ids).Draw(rt, "incident"), command: fmt.Sprint("person:", len(p.asked))}
	c.step = rapid.SampledFrom(steps).Draw(rt, "step")
	c.skip = c.step == responsehub.Reenable
	p.asked = append(p.asked, c)
	p.put(rt, c)
}

// again sends a command that was sent before.
func (p *play) again(rt *rapid.T) {
	if len(p.asked) > 0 {
		p.put(rt, rapid.SampledFrom(p.asked).Draw(rt, "command"))
	}
}

func (p *play) put(rt *rapid.T, c *put) {
	h := p.hubs[rapid.IntRange(0, 1).Draw(rt, "hub")]
	actor := responsehub.Actor{ID: c.command, Name: c.command, Role: responsehub.Responder, Via: responsehub.ViaAPI, Tenants: []string{"*"}}
	answer, err := h.engine.Request(rt.Context(), actor, c.id, c.step, responsehub.StepRequest{CommandID: c.command, Skip: c.skip, Reason: reason(c.skip)})
	if err != nil {
		if k := responsehub.KindOf(err); k != responsehub.Unavailable && k != responsehub.Refused {
			rt.Fatalf("%s: %v", c.step, err)
		}
		return
	}
	if c.answered && !c.answer.Joined && (answer.Joined || answer.Sentence != c.answer.Sentence) {
		rt.Fatalf("%s was answered %q, and later %q", c.command, c.answer.Sentence, answer.Sentence)
	}
	if !c.answered || c.answer.Joined {
		c.answered, c.answer = true, answer
	}
}

// check holds at every moment.
func (p *play) check(rt *rapid.T) {
	effects := p.world.all()
	v := judge(p.everything(rt), effects)
	if len(v.disorder) > 0 || v.repeated[exactlyOnce] > 0 {
		rt.Fatalf("out of order %v, repeated %v", v.disorder, v.repeated)
	}
	cleared := map[string]bool{}
	for _, e := range effects {
		cleared[e.Incident] = cleared[e.Incident] || e.Lane == responsehub.LanePersistence && e.N == effectsPerLane
		if e.Lane == responsehub.LaneAccount && !cleared[e.Incident] {
			rt.Fatalf("%s: the password was reset before persistence was disabled", e.Incident)
		}
	}
}

// everything is the ids of all incidents, those too whose opening got no answer.
func (p *play) everything(rt *rapid.T) (ids []string) {
	page, err := p.direct.List(rt.Context(), remediation.Filter{Limit: 200})
	if err != nil {
		rt.Fatal(err)
	}
	for _, st := range page.States {
		ids = append(ids, st.ID)
	}
	for _, id := range p.ids {
		if !slices.Contains(ids, id) {
			rt.Fatalf("incident %s was answered for and is not there", id)
		}
	}
	return ids
}

// settle lets the hubs work undisturbed, and compares.
func (p *play) settle(rt *rapid.T) {
	deadline := time.Now().Add(10 * time.Minute)
	for {
		left := 0
		for part := range remediation.Partitions {
			n, err := p.rdb.SCard(rt.Context(), fmt.Sprintf("{h%02d}:lanes", part)).Result()
			if err != nil {
				rt.Fatal(err)
			}
			left += int(n)
		}
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			rt.Fatalf("%d lanes still have something to do after ten quiet minutes", left)
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.check(rt)
	count := map[string]int{}
	for _, e := range p.world.all() {
		count[e.Incident+"|"+string(e.Lane)] = max(count[e.Incident+"|"+string(e.Lane)], e.N)
	}
	seen := map[string]int{}
	for _, id := range p.everything(rt) {
		p.record(rt, id, count, seen)
	}
	for _, c := range p.asked {
		if n := seen[c.command]; n > 1 || c.answered && !c.answer.Joined && n != 1 {
			rt.Fatalf("command %s for %s of %s left %d events; answered %t, %+v", c.command, c.step, c.id, n, c.answered, c.answer)
		}
	}
	for part := range remediation.Partitions {
		if n, err := p.direct.Sweep(rt.Context(), part); n != 0 || err != nil {
			rt.Fatalf("sweeping found %d lost lanes, %v", n, err)
		}
	}
}

// record compares one incident with the world and counts each actor's requests.
func (p *play) record(rt *rapid.T, id string, count, seen map[string]int) {
	st, err := p.direct.Load(rt.Context(), id, "")
	if err != nil {
		rt.Fatal(err)
	}
	inc, err := remediation.Decode(st)
	if err != nil {
		rt.Fatal(err)
	}
	for _, f := range toys() {
		want := 0
		if s := inc.Step(f.step).State; s == responsehub.Done {
			want = effectsPerLane
		} else if s != responsehub.Waiting {
			rt.Fatalf("%s of %s is %s though nothing is left to do", f.step, id, s)
		}
		if got := count[id+"|"+string(f.Lane())]; got != want {
			rt.Fatalf("%s of %s: %d effects, want %d", f.step, id, got, want)
		}
	}
	events, head, err := p.direct.Events(rt.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	if err := responsehub.CheckChain(events, head); err != nil {
		rt.Fatalf("%s: %v", id, err)
	}
	var record []responsehub.Event
	for _, b := range events {
		record = append(record, decode(rt, b))
	}
	if rebuilt, err := audit.State(inc, record); err != nil || !rebuilt {
		rt.Fatalf("state of %s from its record: %v %v", id, rebuilt, err)
	}
	for _, ev := range record {
		switch ev.Kind {
		case responsehub.EventRequested, responsehub.EventPublished, responsehub.EventClosed, responsehub.EventSkipped:
			seen[ev.By.ID]++
		}
	}
}

// fault is what is wrong with a hub's way to Redis.
type fault int

const (
	whole fault = iota
	cut         // nothing gets through
	deaf        // writes get through, their answers do not
	late        // writes get through after the lease is over
)

var errLine = errors.New("the line is bad")

// line is a store behind a bad network.
type line struct {
	remediation.Store
	mu    sync.Mutex
	fault fault
}

func (l *line) set(f fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = f
}

func (l *line) now() fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// write sends a write over the line.
func (l *line) write(do func() error) error {
	switch l.now() {
	case cut:
		return errLine
	case deaf:
		_ = do()
		return errLine
	case late:
		time.Sleep(lease + 100*time.Millisecond)
	}
	err := do()
	if l.now() == cut {
		return errLine
	}
	return err
}

func (l *line) Commit(ctx context.Context, c remediation.Commit) (done remediation.Committed, err error) {
	err = l.write(func() error { done, err = l.Store.Commit(ctx, c); return err })
	return done, err
}

func (l *line) Settle(ctx context.Context, s remediation.Settlement) error {
	return l.write(func() error { return l.Store.Settle(context.WithoutCancel(ctx), s) })
}

func (l *line) Extend(ctx context.Context, c remediation.Claim, lease time.Duration) error {
	return l.write(func() error { return l.Store.Extend(ctx, c, lease) })
}

func (l *line) Claim(ctx context.Context, p, n int, urgent bool, lease time.Duration) ([]remediation.Claim, time.Duration, error) {
	if f := l.now(); f == cut || f == deaf {
		return nil, 0, errLine
	}
	return l.Store.Claim(ctx, p, n, urgent, lease)
}

func (l *line) Load(ctx context.Context, id, command string) (remediation.State, error) {
	if f := l.now(); f == cut || f == deaf {
		return remediation.State{}, errLine
	}
	return l.Store.Load(ctx, id, command)
}
