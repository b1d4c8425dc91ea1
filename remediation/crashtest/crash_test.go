package crashtest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/audit"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

const (
	incidents = 150
	kills     = 40
	chaos     = 10 * time.Second  // how long workers are killed
	patience  = 150 * time.Second // how long it may take from there until all is done
)

// TestWorkersAreKilled kills workers while 150 incidents are worked through.
func TestWorkersAreKilled(t *testing.T) {
	s := storetest.Redis(t)
	run(t, s.Client(), job{Redis: []string{s.Addr}}, nil)
}

// TestWorkersAndRedisAreKilled kills Redis too; it is back on the same data a second later.
func TestWorkersAndRedisAreKilled(t *testing.T) {
	s := storetest.Redis(t)
	run(t, s.Client(), job{Redis: []string{s.Addr}}, func() {
		time.Sleep(chaos / 2)
		s.Kill()
		time.Sleep(time.Second)
		s.Restart()
	})
}

// TestWorkersOnAClusterAreKilled does it on a Redis Cluster.
func TestWorkersOnAClusterAreKilled(t *testing.T) {
	rdb := storetest.Cluster(t)
	run(t, rdb, job{Redis: nodes(t, rdb), Cluster: true}, nil)
}

// nodes lists the addresses of a cluster.
func nodes(t *testing.T, rdb redis.UniversalClient) (addrs []string) {
	t.Helper()
	list, err := rdb.Do(t.Context(), "CLUSTER", "NODES").Text()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(list) { // id host:port@bus flags ...
		if f := strings.Fields(line); len(f) > 1 {
			addr, _, _ := strings.Cut(f[1], "@")
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// run is one run of the crash test.
func run(t *testing.T, rdb redis.UniversalClient, j job, more func()) {
	ledger := newLedger(t)
	j.Ledger, j.Odds, j.Flaky = ledger.addr, 150, true
	st := store.New(rdb)
	e, err := newEngine(st, st, slog.New(slog.DiscardHandler), toys())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), chaos+patience)
	defer cancel()
	start := time.Now()
	crew := hire(t, 3, j)
	l := &load{t: t, e: e}
	busy := make(chan struct{})
	go func() { defer close(busy); l.run(ctx, incidents, chaos*9/10) }()
	if more != nil {
		moreDone := make(chan struct{})
		go func() { defer close(moreDone); more() }()
		defer func() { <-moreDone }()
	}
	crew.harass(kills, chaos)
	crew.change(func(j *job) { j.Odds, j.Flaky = 0, false })
	<-busy
	quiet(ctx, t, rdb, crew)
	took, deaths := time.Since(start), crew.deaths()
	crew.dismiss()

	v := judge(l.incidents, ledger.all())
	v.report(t)
	if len(l.incidents) != incidents {
		t.Errorf("%d incidents were opened, want %d", len(l.incidents), incidents)
	}
	l.record(t, e, st)
	nothingLeft(t, rdb, st)
	t.Logf("%s: %d incidents, %d commands, %d effects; %d workers died, of those by their own hand %d before an effect, %d between effect and settlement, %d after settlement; repeated %v; %d writes refused by the fence",
		took.Round(100*time.Millisecond), len(l.incidents), len(l.commands), len(ledger.all()), deaths,
		ledger.count("killed "+before), ledger.count("killed "+between), ledger.count("killed "+settled), v.repeated, ledger.count(refused))
	if deaths < kills {
		t.Errorf("only %d workers died, so little was tested", deaths)
	}
	if t.Failed() {
		t.Logf("the workers' last words:\n%s", crew.tail())
	}
}

// quiet waits until no lane has anything to do.
func quiet(ctx context.Context, t *testing.T, rdb redis.UniversalClient, c *crew) {
	t.Helper()
	for {
		var left []string
		for p := range remediation.Partitions {
			m, err := rdb.SMembers(ctx, fmt.Sprintf("{h%02d}:lanes", p)).Result()
			if err != nil {
				left = append(left, err.Error())
			}
			left = append(left, m...)
		}
		if len(left) == 0 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the time is over and %d lanes have something to do: %v\n%s", len(left), left[:min(len(left), 10)], c.tail())
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// record checks what the incidents say of themselves: every one is closed, its events
// are unbroken, and no command had its effect twice.
func (l *load) record(t *testing.T, e *remediation.Engine, st *store.Store) {
	t.Helper()
	ctx := t.Context()
	seen := map[string]int{} // incident|actor|kind
	for _, id := range l.incidents {
		inc, err := e.Incident(ctx, responsehub.Hub, id)
		if err != nil {
			t.Errorf("incident %s: %v", id, err)
			continue
		}
		if inc.State != responsehub.Remediated {
			t.Errorf("incident %s is %s", id, inc.State)
		}
		events, head, err := st.Events(ctx, id)
		if err != nil {
			t.Errorf("events of %s: %v", id, err)
		}
		if err := responsehub.CheckChain(events, head); err != nil {
			t.Errorf("events of %s: %v", id, err)
		}
		var record []responsehub.Event
		for _, b := range events {
			record = append(record, decode(t, b))
		}
		if rebuilt, err := audit.State(inc, record); err != nil || !rebuilt {
			t.Errorf("state of %s from its record: %v %v", id, rebuilt, err)
		}
		for _, ev := range record {
			seen[id+"|"+ev.By.ID+"|"+string(ev.Kind)]++
			switch ev.Kind {
			case responsehub.EventAcknowledged, responsehub.EventOpened, responsehub.EventClosed:
				seen[id+"||"+string(ev.Kind)]++
			}
		}
		for _, once := range []responsehub.EventKind{responsehub.EventAcknowledged, responsehub.EventOpened, responsehub.EventClosed} {
			if n := seen[id+"||"+string(once)]; n != 1 {
				t.Errorf("incident %s has %d events %s", id, n, once)
			}
		}
	}
	for _, c := range l.commands {
		want := 1
		if c.joined {
			want = 0
		}
		if got := seen[c.incident+"|"+c.id+"|"+string(c.kind)]; got != want {
			t.Errorf("command %s on %s: %d events %s, want %d", c.id, c.incident, got, c.kind, want)
		}
	}
}

func decode(t interface{ Fatal(...any) }, b []byte) (ev responsehub.Event) {
	if err := json.Unmarshal(b, &ev); err != nil {
		t.Fatal(err)
	}
	return ev
}

// nothingLeft checks that no lane is dead, held, due or lost.
func nothingLeft(t *testing.T, rdb redis.UniversalClient, st *store.Store) {
	t.Helper()
	ctx := t.Context()
	dead, err := st.DeadLanes(ctx)
	if err != nil || len(dead) > 0 {
		t.Errorf("dead lanes: %+v, %v", dead, err)
	}
	for p := range remediation.Partitions {
		due, err := rdb.ZCard(ctx, fmt.Sprintf("{h%02d}:due", p)).Result()
		if err != nil || due > 0 {
			t.Errorf("partition %d: %d lanes are due or held, %v", p, due, err)
		}
		if n, err := st.Sweep(ctx, p); err != nil || n > 0 {
			t.Errorf("partition %d: sweeping found %d lost lanes, %v", p, n, err)
		}
	}
}
