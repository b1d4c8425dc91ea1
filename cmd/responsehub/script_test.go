package main

import (
	"flag"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"responsehub": main})
}

// TestScripts runs the transcripts in testdata/script. Each has a hub and a Redis of its
// own; RESPONSEHUB_API_KEY is an admin's key, READER_KEY a reader's.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			hub, admin, reader := newFakeHub()
			handler, err := hub.handler()
			if err != nil {
				return err
			}
			server := httptest.NewServer(handler)
			env.Defer(server.Close)
			redis, err := miniredis.Run()
			if err != nil {
				return err
			}
			env.Defer(redis.Close)
			env.Setenv("RESPONSEHUB_URL", server.URL)
			env.Setenv("RESPONSEHUB_API_KEY", admin)
			env.Setenv("READER_KEY", reader)
			env.Setenv("ALERT_SECRET", hubSecret)
			env.Setenv("REDIS", redis.Addr())
			env.Setenv("NO_PROXY", "127.0.0.1")
			env.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
		},
	})
}

// exits runs a command and compares its exit code: exits CODE responsehub ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if e, ok := err.(interface{ ExitCode() int }); ok {
		code = string(rune('0' + e.ExitCode()))
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}
