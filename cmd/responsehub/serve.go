package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
)

func newServe() *cobra.Command {
	var path, level string
	c := &cobra.Command{
		Use: "serve", Short: "The hub", Args: cobra.NoArgs,
		Long: "Runs the hub until it is stopped. SIGTERM lets work under way end and gives the rest back, within 15 s.\n\nRESPONSEHUB_BOOTSTRAP_API_KEY (32 characters or more) in the environment is an admin key whose use is recorded.",
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := logger(level)
			if err != nil {
				return err
			}
			app.TuneMemory()
			cfg, faults, err := config.Load(path)
			for _, f := range faults {
				if f.Warning {
					log.Warn("configuration", "line", f.Line, "path", f.Path, "message", f.Message)
				}
			}
			if err != nil {
				return err
			}
			hub, err := app.New(cfg, app.Options{Version: version(), BootstrapKey: responsehub.Secret(os.Getenv("RESPONSEHUB_BOOTSTRAP_API_KEY")), Log: log})
			if err != nil {
				return err
			}
			if err := hub.Start(c.Context()); err != nil {
				return err
			}
			<-c.Context().Done()
			hub.Stop()
			return nil
		},
	}
	c.Flags().StringVar(&path, "config", "responsehub.yaml", "configuration file")
	c.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return c
}

// logger writes structured lines to stderr.
func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %q: say debug, info, warn or error", level)
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}
