package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"responsehub/sim"
)

func newSim() *cobra.Command {
	var opts sim.Options
	var printConfig bool
	c := &cobra.Command{
		Use: "sim", Short: "The simulated outside world, on loopback only", Args: cobra.NoArgs,
		Long: "Runs the simulated world until it is stopped. The world and its secrets are kept in a folder for cached files,\none for each address, and go on where they ended; --fresh begins anew.\n\n" +
			"With --print-config it prints the configuration of a hub that works against it, and goes on. Where a world listens\nalready, that world's configuration is printed and nothing is started:\n\n  responsehub sim --print-config > hub.yaml &\n  responsehub serve --config hub.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			opts.Log = slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
			if !c.Flags().Changed("dir") {
				opts.Dir = worldDir(opts.Listen)
			}
			world, err := sim.New(opts)
			if errors.Is(err, syscall.EADDRINUSE) {
				return taken(c.Context(), c.OutOrStdout(), opts, printConfig, err)
			}
			if err != nil {
				return err
			}
			defer world.Stop()
			if err := world.Start(c.Context()); err != nil {
				return err
			}
			words := c.OutOrStdout()
			if printConfig {
				if _, err := io.WriteString(words, world.Config()); err != nil {
					return err
				}
				words = c.ErrOrStderr()
			}
			began := "is"
			if world.Restored() {
				began = "goes on"
			}
			fmt.Fprintf(words, "The simulated world %s at  %s\nSign-in is at              %s\nits CA is in               %s\n", began, world.URL(), world.LoginURL(), world.CAFile())
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&opts.Listen, "listen", "127.0.0.1:9900", "loopback address; sign-in and mail listen on the next ports")
	c.Flags().StringVar(&opts.HubURL, "hub", "http://127.0.0.1:8080", "where the hub is")
	c.Flags().StringVar(&opts.Dir, "dir", "", "folder that keeps the world; empty keeps nothing (default a folder for cached files, by address)")
	c.Flags().BoolVar(&opts.Fresh, "fresh", false, "forget the world that was kept and begin a new one")
	c.Flags().BoolVar(&printConfig, "print-config", false, "print a configuration with which serve works against it")
	return c
}

// worldDir is where the world of an address is kept, "" when nothing can be: no such
// folder, or a port that is another one each time.
func worldDir(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	cache, errCache := os.UserCacheDir()
	if err != nil || errCache != nil || port == "0" {
		return ""
	}
	return filepath.Join(cache, "responsehub-sim", strings.ReplaceAll(host, ":", "-")+"_"+port)
}

// taken is what to do when the address is in use: by a world that can be asked, or by
// something else.
func taken(ctx context.Context, out io.Writer, opts sim.Options, printConfig bool, err error) error {
	running, noWorld := sim.RunningConfig(ctx, opts.Listen)
	switch {
	case noWorld != nil:
		return fmt.Errorf("%w (not by a simulated world): choose another address with --listen", err)
	case printConfig && !opts.Fresh:
		_, err := io.WriteString(out, running)
		return err
	}
	return fmt.Errorf("a simulated world listens on %s already: use it (--print-config prints its configuration), stop it, or choose another address with --listen", opts.Listen)
}
