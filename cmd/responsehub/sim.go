package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"responsehub/sim"
)

func newSim() *cobra.Command {
	var listen, hub string
	var printConfig bool
	c := &cobra.Command{
		Use: "sim", Short: "The simulated outside world, on loopback only", Args: cobra.NoArgs,
		Long: "Runs the simulated world until it is stopped. With --print-config it prints the configuration of a hub that\nworks against it; the secrets in it are good only as long as this world runs:\n\n  responsehub sim --print-config > hub.yaml &\n  responsehub serve --config hub.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			world, err := sim.New(sim.Options{Listen: listen, HubURL: hub, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
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
			fmt.Fprintf(words, "The simulated world is at  %s\nSign-in is at              %s\nits CA is in               %s\n", world.URL(), world.LoginURL(), world.CAFile())
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:9900", "loopback address; sign-in listens on the next port")
	c.Flags().StringVar(&hub, "hub", "http://127.0.0.1:8080", "where the hub is")
	c.Flags().BoolVar(&printConfig, "print-config", false, "print a configuration with which serve works against it")
	return c
}
