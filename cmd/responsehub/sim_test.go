package main

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"responsehub/config"
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
