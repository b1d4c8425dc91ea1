package demo

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"responsehub/sim/teams"
)

// run starts a demo in dir on free ports and returns it with what it printed.
func run(t *testing.T, opts Options) (*Demo, string) {
	t.Helper()
	var out strings.Builder
	opts.Listen, opts.SimListen, opts.Out = freeAddress(t), "127.0.0.1:0", &out
	d, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d, out.String()
}

// freeAddress is one for the hub, which the world has to know before the hub listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// eventually waits for what the hub does in the background.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("waited in vain until %s", what)
}

func TestDemoGoesOn(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	d, out := run(t, Options{Dir: dir})
	if !strings.Contains(out, "Alert raised: incident RH-") {
		t.Fatalf("the first run printed\n%s", out)
	}
	victim := func(d *Demo) bool { return d.World.Scenes[0].Victim.Enabled() }
	eventually(t, "the account is blocked", func() bool { return !victim(d) })
	reset := teams.Press{Person: "ann", Title: "4 Reset password"}
	eventually(t, "the card has the last button", func() bool { return cardWith(d, reset.Title) })
	durable := d.redis.Durable
	d.Stop()

	d, out = run(t, Options{Dir: dir})
	if !durable { // nothing was kept, and the first line says so
		if !strings.Contains(out, "FORGETS EVERYTHING") || !strings.Contains(out, "Alert raised") || !victim(d) && d.World.Restored() {
			t.Errorf("without a Redis that keeps, the second run printed\n%s", out)
		}
		return
	}
	if !strings.Contains(out, "An incident survived the restart: RH-") || !strings.Contains(out, "is active.") || strings.Contains(out, "Alert raised") {
		t.Errorf("the second run printed\n%s", out)
	}
	if victim(d) || !cardWith(d, reset.Title) {
		t.Error("the second run's world is not the first one's")
	}
	before := d.World.Scenes[0].Victim.Password()
	eventually(t, "the hub takes the click", func() bool {
		seen, err := d.World.Teams.Click(context.WithoutCancel(t.Context()), reset)
		return err == nil && seen.Status == 200
	})
	eventually(t, "the password is another one", func() bool { return d.World.Scenes[0].Victim.Password() != before })
	d.Stop()

	d, out = run(t, Options{Dir: dir, Alert: "hybrid"})
	if !strings.Contains(out, "survived") || !strings.Contains(out, "Alert raised") || !d.World.Restored() {
		t.Errorf("with an alert by name the run printed\n%s", out)
	}
	d.Stop()

	d, out = run(t, Options{Dir: dir, Fresh: true, Alert: "none"})
	if strings.Contains(out, "survived") || strings.Contains(out, "Alert raised") || d.World.Restored() || !victim(d) {
		t.Errorf("a fresh run printed\n%s", out)
	}
	d.Stop()
}

func cardWith(d *Demo, title string) bool {
	for _, c := range d.World.Teams.Snapshot().Channels {
		for _, m := range c.Messages {
			if strings.Contains(string(m.Card), `"`+title+`"`) {
				return true
			}
		}
	}
	return false
}

func TestForgetRemovesOnlyWhatTheDemoMade(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	is := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	write("appendonlydir/appendonly.aof.1.incr.aof")
	if err := forget(dir); err != nil || !is("appendonlydir/appendonly.aof.1.incr.aof") {
		t.Errorf("files of another Redis are gone (%v)", err)
	}
	for _, name := range []string{"redis.log", "appendonlydir/appendonly.aof.manifest", "appendonlydir/mine.txt", "dump.rdb"} {
		write(name)
	}
	if err := forget(dir); err != nil || is("appendonlydir/appendonly.aof.1.incr.aof") || is("appendonlydir/appendonly.aof.manifest") ||
		!is("appendonlydir/mine.txt") || !is("dump.rdb") {
		t.Errorf("forgot too much or too little (%v)", err)
	}
}
