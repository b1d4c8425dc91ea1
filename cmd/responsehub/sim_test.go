package main

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"responsehub/config"
	"responsehub/sim"
)

// watched calls found when what is written holds the text.
type watched struct {
	strings.Builder
	text  string
	found func()
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Builder.Write(b)
	if strings.Contains(w.String(), w.text) {
		w.found()
	}
	return n, err
}

// TestSimPrintsAUsableConfiguration starts the world, checks the configuration it
// prints while it runs, and stops it as SIGTERM would.
func TestSimPrintsAUsableConfiguration(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out strings.Builder
	var faults error
	words := &watched{text: "its CA is in", found: func() {
		_, _, faults = config.Parse("printed", []byte(out.String()), os.LookupEnv)
		stop()
	}}
	root := newRoot()
	root.SetArgs([]string{"sim", "--listen", "127.0.0.1:0", "--print-config"})
	root.SetOut(&out)
	root.SetErr(words)
	if code := exitCode(io.Discard, root, root.ExecuteContext(ctx)); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if faults != nil || !strings.Contains(out.String(), "secrets:") {
		t.Errorf("the printed configuration cannot be used: %v\n%s", faults, out.String())
	}
}

// simulated runs the command until it ends, or until it says where its CA is and during
// has been called.
func simulated(t *testing.T, during func(printed string), args ...string) (printed, said string, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out strings.Builder
	words := &watched{text: "its CA is in", found: func() {
		during(out.String())
		stop()
	}}
	root := newRoot()
	root.SetArgs(append([]string{"sim"}, args...))
	root.SetOut(&out)
	root.SetErr(words)
	err = root.ExecuteContext(ctx)
	return out.String(), words.String(), err
}

// TestSimGoesOn prints a configuration, asks the running world for it from outside, and
// finds it the same after a restart until --fresh.
func TestSimGoesOn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", os.Getenv("XDG_CACHE_HOME")) // where caches are elsewhere
	asked := false
	first, said, err := simulated(t, func(printed string) {
		if asked {
			return
		}
		asked = true
		again, _, err := simulated(t, func(string) { t.Error("a second world began") }, "--listen", listen, "--print-config")
		if err != nil || again != printed {
			t.Errorf("the running world's configuration: %v\n%s\nwant\n%s", err, again, printed)
		}
		for _, args := range [][]string{{"--listen", listen}, {"--listen", listen, "--print-config", "--fresh"}} {
			if out, _, err := simulated(t, func(string) {}, args...); err == nil || !strings.Contains(err.Error(), "a simulated world listens on "+listen+" already") || out != "" {
				t.Errorf("%v: %v %s", args, err, out)
			}
		}
	}, "--listen", listen, "--print-config")
	if err != nil || !asked || !strings.HasPrefix(first, "# Works against") || strings.Contains(said, "goes on") {
		t.Fatalf("%v, said %q, printed\n%s", err, said, first)
	}
	second, said, err := simulated(t, func(string) {}, "--listen", listen, "--print-config")
	if err != nil || second != first || !strings.Contains(said, "goes on") {
		t.Errorf("after a restart %v, said %q, printed\n%s\nwant\n%s", err, said, second, first)
	}
	fresh, _, err := simulated(t, func(string) {}, "--listen", listen, "--print-config", "--fresh")
	if err != nil || fresh == first || fresh == "" {
		t.Errorf("with --fresh %v, printed\n%s", err, fresh)
	}
}

func TestSimSaysWhoHasTheAddress(t *testing.T) {
	other := httptest.NewServer(nil)
	defer other.Close()
	listen := other.Listener.Addr().String()
	_, _, err := simulated(t, func(string) {}, "--listen", listen, "--print-config", "--dir", "")
	if err == nil || !strings.Contains(err.Error(), "not by a simulated world") || !strings.Contains(err.Error(), listen) {
		t.Errorf("%v", err)
	}
	if _, err := sim.RunningConfig(t.Context(), listen); err == nil {
		t.Error("another program is taken for a world")
	}
}

func TestWorldDir(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	for listen, want := range map[string]string{
		"127.0.0.1:9900": "127.0.0.1_9900", "[::1]:9900": "--1_9900", "127.0.0.1:0": "", "nonsense": "",
	} {
		if got := worldDir(listen); (want == "") != (got == "") || (want != "" && filepath.Base(got) != want) {
			t.Errorf("%s: %q, want .../%s", listen, got, want)
		}
	}
}
