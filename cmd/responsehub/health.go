package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"responsehub"
)

func newHealth() *cobra.Command {
	var base string
	c := &cobra.Command{Use: "health", Short: "Ask a hub whether it is ready; for health checks of containers", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, strings.TrimRight(base, "/")+"/readyz", nil)
		if err != nil {
			return wrongUsage("--url: %v", err)
		}
		res, err := (&http.Client{Timeout: 3 * time.Second}).Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		if err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return &responsehub.Error{Kind: responsehub.Unavailable, Message: fmt.Sprintf("The hub is not ready (%d): %s", res.StatusCode, strings.TrimSpace(string(b)))}
		}
		return show(c, map[string]bool{"ready": true}, func(w io.Writer) { row(w, "ready") })
	}}
	c.Flags().StringVar(&base, "url", "http://127.0.0.1:8080", "the hub's address")
	return c
}
