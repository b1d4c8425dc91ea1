// Command bench measures the hub against bounds and prints one table.
//
// It promises ratios and times that were taken in one run on one machine, the thing
// measured next to its floor, so that a busy machine slows both. A missed bound is
// printed as MISSED and is no failure; the exit code is 1 only when something could not
// be measured at all.
//
// What may go wrong: times within a few milliseconds of a bound are noise where other
// programs use the machine's cores. Run it again alone before believing them.
//
// It needs redis-server on the PATH and listens on loopback addresses only.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// options is what the command line says.
type options struct {
	only    string
	rounds  int
	round   time.Duration
	samples int
	look    time.Duration
	profile string
	large   bool
}

func main() {
	if kind, ok := os.LookupEnv(childEnv); ok {
		if err := child(kind); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // this is main
		}
		return
	}
	var o options
	flag.StringVar(&o.only, "only", "ingest,claim,latency,phone,desk,cost,pages,retract", "parts to measure")
	flag.IntVar(&o.rounds, "rounds", 6, "rounds of ingest, each of hub and floor")
	flag.DurationVar(&o.round, "round", 2*time.Second, "length of a round")
	flag.IntVar(&o.samples, "samples", 50, "samples of each latency")
	flag.DurationVar(&o.look, "look", 20*time.Second, "how long each page is asked for")
	flag.StringVar(&o.profile, "profile", "", "folder for CPU profiles of the hub and of its floor")
	flag.BoolVar(&o.large, "large", true, "retract from 100,000 mailboxes too, which takes five minutes more")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "could not be measured:", err)
		stop()
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// measure runs the parts and prints their table.
func measure(ctx context.Context, o options) error {
	parts := []struct {
		name string
		run  func(context.Context, options, *table) error
	}{{"ingest", ingest}, {"claim", claim}, {"latency", latency}, {"phone", phone}, {"desk", hanging}, {"cost", cost}, {"pages", pages}, {"retract", retract}}
	t := &table{}
	for _, p := range parts {
		if !strings.Contains(o.only, p.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s ...\n", p.name)
		if err := p.run(ctx, o, t); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return t.print(os.Stdout)
}
