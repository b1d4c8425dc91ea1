package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// sideBySide is how many stories run at once. They wait most of the time, for leases
// and for the pace of Teams, so there are more of them than cores.
const sideBySide = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		_ = flag.Set("test.parallel", sideBySide)
	}
	code := m.Run()
	binary.remove()
	// Every hub and world of this process was stopped, so nothing of them may run.
	if err := leftovers(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines outlived their story:", err)
		code = 1
	}
	os.Exit(code)
}

// leftovers gives connections that were just closed a moment to end.
func leftovers() error {
	var err error
	for range 10 {
		if err = goleak.Find(); err == nil {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return err
}

// binary is cmd/responsehub, built once, for the stories in which the hub is killed.
var binary = &built{}

type built struct {
	once sync.Once
	dir  string
	err  error
}

func (b *built) path(t testing.TB) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "responsehub-e2e-"); b.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", filepath.Join(b.dir, "responsehub"), "responsehub/cmd/responsehub").CombinedOutput()
		if err != nil {
			b.err = errors.Join(err, errors.New(string(out)))
		}
	})
	if b.err != nil {
		t.Fatalf("build the hub: %v", b.err)
	}
	return filepath.Join(b.dir, "responsehub")
}

func (b *built) remove() {
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}
