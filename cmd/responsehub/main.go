// Command responsehub is the hub, the simulated world it can be tried with, and the
// command line that talks to a running hub.
//
// Exit codes: 0 done; 1 refused or failed, with one sentence on stderr; 2 wrong usage.
// SIGTERM and SIGINT end what runs in order. Commands that talk to a hub read its
// address from RESPONSEHUB_URL and an API key from RESPONSEHUB_API_KEY; no command
// takes a key as an argument, where other users of the machine could read it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the zones of schedules, also where the system has none
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command, err := newRoot().ExecuteContextC(ctx)
	return exitCode(os.Stderr, command, err)
}
