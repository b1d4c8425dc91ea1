package operators_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"responsehub"
	"responsehub/operators"
	"responsehub/store"
	"responsehub/store/storetest"
)

// childEnv names the Redis of a process that raises an alarm and is killed.
const childEnv = "OPERATORS_TEST_REDIS"

func TestMain(m *testing.M) {
	if addr := os.Getenv(childEnv); addr != "" {
		raiseAndHang(addr)
	}
	goleak.VerifyTestMain(m)
}

// raiseAndHang raises an alarm, says so, and waits to be killed.
func raiseAndHang(addr string) {
	rdb, err := store.Open(store.Config{Addrs: []string{addr}})
	if err != nil {
		panic(err)
	}
	d := operators.New(operators.Config{Book: store.NewAlarms(rdb), Log: slog.New(slog.DiscardHandler)})
	d.Raise(context.Background(), responsehub.Alarm{Subject: "petra", Words: "Petra cannot be asked."})
	_, _ = os.Stdout.WriteString("raised\n")
	select {}
}

// mailbox is where operators read.
type mailbox struct {
	mu    sync.Mutex
	away  bool
	said  []string
	tries map[string]int // by id
}

func (m *mailbox) target(name string) operators.Target {
	return operators.Target{Name: name, Tell: func(_ context.Context, id, words string) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.tries == nil {
			m.tries = map[string]int{}
		}
		m.tries[id]++
		if m.away {
			return errors.New("the mail server is away")
		}
		m.said = append(m.said, words)
		return nil
	}}
}

func (m *mailbox) read() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.said...)
}

func (m *mailbox) is(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

func (m *mailbox) wants(t *testing.T, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, m.read()); d != "" {
		t.Fatalf("the operators read (-want +got)\n%s", d)
	}
}

func allowed(context.Context) (time.Duration, error) { return 0, nil }

// work runs desks until the test ends.
func work(t *testing.T, desks ...*operators.Desk) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, d := range desks {
		wg.Go(func() { d.Run(ctx) })
		wg.Go(func() { d.RunAlone(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// TestAKilledProcessLosesNoAlarm kills the process that raised an alarm before anybody
// told it. What starts next tells it, once, though two replicas start.
func TestAKilledProcessLosesNoAlarm(t *testing.T) {
	t.Parallel()
	server := storetest.Redis(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+server.Addr)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 7)
	if _, err := out.Read(line); err != nil || string(line) != "raised\n" {
		t.Fatalf("the process said %q, %v", line, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()

	box := &mailbox{}
	desk := func() *operators.Desk {
		return operators.New(operators.Config{Book: store.NewAlarms(server.Client()), Targets: []operators.Target{box.target("mail")}, Allow: allowed, Log: slog.New(slog.DiscardHandler)})
	}
	one, other := desk(), desk()
	work(t, one, other)
	until(t, func() bool { return len(box.read()) > 0 })
	// Another alarm goes the same way, so that a second telling of the first would be seen.
	one.Raise(t.Context(), responsehub.Alarm{Subject: "later", Words: "later"})
	until(t, func() bool { return len(box.read()) > 1 })
	box.wants(t, "Petra cannot be asked.", "later")
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never happened")
		}
	}
}

// story is a desk on a Redis in the process, on simulated time.
func story(t *testing.T, tell func(t *testing.T, d *operators.Desk, box *mailbox)) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		box := &mailbox{}
		d := operators.New(operators.Config{Book: store.NewAlarms(rdb), Targets: []operators.Target{box.target("mail")}, Allow: allowed, Log: slog.New(slog.DiscardHandler)})
		work(t, d)
		tell(t, d, box)
	})
}

func TestAnAlarmComesRepeatsAndEnds(t *testing.T) {
	story(t, func(t *testing.T, d *operators.Desk, box *mailbox) {
		down := responsehub.Alarm{Subject: "petra", Words: "down"}
		back := responsehub.Alarm{Subject: "petra", Words: "back", Over: true}
		d.Raise(t.Context(), back)
		d.Raise(t.Context(), responsehub.Alarm{Subject: "empty"})
		time.Sleep(5 * time.Second)
		box.wants(t)
		d.Raise(t.Context(), down)
		time.Sleep(5 * time.Second)
		box.wants(t, "down")
		since := time.Now()
		for range 3 {
			d.Raise(t.Context(), down)
		}
		time.Sleep(responsehub.AlarmAgain - time.Minute)
		box.wants(t, "down")
		time.Sleep(2 * time.Minute)
		counted := "down\n\nThis came up 3 times since " + since.UTC().Format("2006-01-02 15:04") + " UTC."
		box.wants(t, "down", counted)
		d.Raise(t.Context(), back)
		d.Raise(t.Context(), back)
		time.Sleep(time.Hour)
		box.wants(t, "down", counted, "back")
	})
}

func TestAnAlarmIsTriedUntilSomebodyHears(t *testing.T) {
	story(t, func(t *testing.T, d *operators.Desk, box *mailbox) {
		box.is(true)
		d.Raise(t.Context(), responsehub.Alarm{Subject: "petra", Words: "down"})
		time.Sleep(2 * time.Hour)
		d.Raise(t.Context(), responsehub.Alarm{Subject: "petra", Words: "back", Over: true})
		box.is(false)
		time.Sleep(20 * time.Minute)
		box.wants(t, "down\n\nMeanwhile: back")
		if len(box.tries) != 1 {
			t.Errorf("letters of %d ids for one alarm: %v", len(box.tries), box.tries)
		}
		for id, n := range maps.All(box.tries) {
			if n < 8 || n > 20 {
				t.Errorf("%s was tried %d times in two hours", id, n)
			}
		}
		time.Sleep(20 * time.Minute)
		box.wants(t, "down\n\nMeanwhile: back")
	})
}

// TestABrokenTargetKeepsNothingFromTheOthers: they hear the alarm once and its end once.
func TestABrokenTargetKeepsNothingFromTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		whole, broken := &mailbox{}, &mailbox{away: true}
		d := operators.New(operators.Config{Book: store.NewAlarms(rdb), Targets: []operators.Target{broken.target("teams"), whole.target("mail")}, Allow: allowed, Log: slog.New(slog.DiscardHandler)})
		work(t, d)
		d.Raise(t.Context(), responsehub.Alarm{Subject: "petra", Words: "down"})
		time.Sleep(10 * time.Minute)
		whole.wants(t, "down")
		d.Raise(t.Context(), responsehub.Alarm{Subject: "petra", Words: "back", Over: true})
		time.Sleep(2 * time.Hour)
		whole.wants(t, "down", "back")
		broken.wants(t)
	})
}

// TestTooManyAlarmsWait: none is lost.
func TestTooManyAlarmsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		box, limits := &mailbox{}, store.NewLimits(rdb)
		d := operators.New(operators.Config{Book: store.NewAlarms(rdb), Targets: []operators.Target{box.target("mail")}, Log: slog.New(slog.DiscardHandler),
			Allow: func(ctx context.Context) (time.Duration, error) {
				return limits.Admit(ctx, "operators", store.Rate{N: 2, Per: time.Hour})
			}})
		work(t, d)
		for _, s := range strings.Fields("a b c d e") {
			d.Raise(t.Context(), responsehub.Alarm{Subject: s, Words: s})
			time.Sleep(10 * time.Second)
		}
		box.wants(t, "a", "b")
		time.Sleep(3 * time.Hour)
		slices.Sort(box.said) // those that waited go in any order
		box.wants(t, "a", "b", "c", "d", "e")
	})
}

// TestWithoutRedis: memory is the only place, and what is there is told at once.
func TestWithoutRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, mini := storetest.Mini(t)
		box := &mailbox{}
		d := operators.New(operators.Config{Book: store.NewAlarms(rdb), Targets: []operators.Target{box.target("mail")}, Allow: allowed, Log: slog.New(slog.DiscardHandler)})
		work(t, d)
		mini.SetError("LOADING")
		for range 3 {
			d.Raise(t.Context(), responsehub.Alarm{Subject: "key", Words: "key used"})
			time.Sleep(time.Minute)
		}
		box.wants(t, "key used")

		box.is(true)
		d.Raise(t.Context(), responsehub.Alarm{Subject: "other", Words: "other"})
		time.Sleep(time.Second)
		mini.SetError("")
		time.Sleep(time.Minute)
		box.is(false)
		time.Sleep(15 * time.Minute)
		box.wants(t, "key used", "other")
	})
}
