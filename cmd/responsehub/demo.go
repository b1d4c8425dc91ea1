package main

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"responsehub/demo"
)

func newDemo() *cobra.Command {
	var opts demo.Options
	var noBrowser bool
	c := &cobra.Command{
		Use: "demo", Short: "The hub and a simulated world in one process, with one takeover to end", Args: cobra.NoArgs,
		Long: "Runs the hub against a simulated Microsoft and Teams on loopback, raises one alert and shows where to press\nthe buttons. With redis-server or valkey-server on PATH incidents and the world survive a restart: while an incident\nis open the demo goes on with it, otherwise a new takeover begins. They are kept in RESPONSEHUB_DEMO_DIR or a folder\nfor cached files; --fresh forgets them.",
		RunE: func(c *cobra.Command, _ []string) error {
			opts.Version, opts.Out = version(), c.OutOrStdout()
			opts.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
			d, err := demo.Start(c.Context(), opts)
			if err != nil {
				return err
			}
			if !noBrowser {
				browse(c.Context(), d.World.URL()+"/")
			}
			<-c.Context().Done()
			d.Stop()
			return nil
		},
	}
	c.Flags().StringVar(&opts.Listen, "listen", "127.0.0.1:8080", "loopback address of the hub")
	c.Flags().StringVar(&opts.SimListen, "sim-listen", "127.0.0.1:9900", "loopback address of the simulated world; sign-in and mail listen on the next ports")
	c.Flags().StringVar(&opts.Alert, "alert", "", "what is raised at the start: takeover, manual, hybrid or none (default takeover, if no incident is open)")
	c.Flags().BoolVar(&opts.Fresh, "fresh", false, "forget the incidents and the world of earlier runs")
	c.Flags().TimeVar(&opts.TrialEnds, "trial-ends", time.Time{}, []string{time.DateOnly, time.RFC3339}, "day on which the hub's trial ends, to see what then waits and what goes on (default no trial)")
	c.Flags().BoolVar(&noBrowser, "no-browser", false, "do not open a browser")
	return c
}

// browse opens the page where there is a desktop to open it on. The address is printed
// too, so failing is no fault.
func browse(ctx context.Context, url string) {
	name, args := "xdg-open", []string{url}
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case runtime.GOOS == "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return
	}
	cmd := exec.CommandContext(ctx, name, args...) // #nosec G204 -- fixed programs, our own address
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // reaps the child; the browser may outlive us
	}
}
