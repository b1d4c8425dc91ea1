package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
)

func newOnCall() *cobra.Command {
	return group("oncall", "Who is called and texted", newOnCallPreview())
}

func newOnCallPreview() *cobra.Command {
	var when, severity string
	c := &cobra.Command{
		Use: "preview NAME|ID", Short: "Who would be called when if nobody answered", Args: cobra.ExactArgs(1),
		Long: "Plays the plan for an alert of a tenant that nobody answers: who is called and texted, and when.\nIt calls nobody.",
		RunE: func(c *cobra.Command, args []string) error {
			q := url.Values{}
			if when != "" {
				t, err := time.Parse(time.RFC3339, when)
				if err != nil {
					return wrongUsage("--at must be a time such as 2026-01-05T03:00:00Z")
				}
				q.Set("at", t.Format(time.RFC3339))
			}
			if severity != "" {
				q.Set("severity", severity)
			}
			hub, err := newClient()
			if err != nil {
				return err
			}
			id, err := tenantID(c.Context(), hub, args[0])
			if err != nil {
				return err
			}
			address := path("v1", "tenants", id, "oncall")
			if len(q) > 0 {
				address += "?" + q.Encode()
			}
			var p api.OnCallPreview
			if err := hub.do(c.Context(), "GET", address, nil, &p); err != nil {
				return err
			}
			return show(c, p, func(w io.Writer) {
				row(w, fmt.Sprintf("%s, an alert of severity %s at %s that nobody answers:", p.Tenant.Name, p.Severity, at(p.At)))
				for _, l := range p.Lines {
					row(w, "+"+l.After, cmp.Or(l.Name, l.Note), l.Phone, waysOf(l.Ways), l.Local)
				}
			})
		},
	}
	c.Flags().StringVar(&when, "at", "", "as if the alert came in at this time, RFC 3339; now when left out")
	c.Flags().StringVar(&severity, "severity", "", "critical, high, medium or low; high when left out")
	return c
}

func waysOf(ways []responsehub.Way) string {
	var out []string
	for _, w := range ways {
		out = append(out, string(w))
	}
	return strings.Join(out, " + ")
}
