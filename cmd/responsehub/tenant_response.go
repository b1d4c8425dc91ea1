package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"responsehub/api"
)

func newTenantResponse() *cobra.Command {
	var run bool
	c := &cobra.Command{
		Use: "response NAME|ID on|off", Short: "Turn on or off that steps 1 to 3 run by themselves", Args: cobra.ExactArgs(2),
		Long:    "Turns Response on or off for the incidents opened from then on. With --run-open steps 1 to 3 are run on those\nthat are open, too, as with tenant run-open.",
		Example: "  responsehub tenant response Contoso on --run-open",
		RunE: func(c *cobra.Command, args []string) error {
			if args[1] != "on" && args[1] != "off" {
				return wrongUsage("Response is turned on or off, not %q", args[1])
			}
			if run && args[1] == "off" {
				return wrongUsage("--run-open goes with on")
			}
			hub, err := newClient()
			if err != nil {
				return err
			}
			id, err := tenantID(c.Context(), hub, args[0])
			if err != nil {
				return err
			}
			var t api.Tenant
			if err := hub.do(c.Context(), "PATCH", path("v1", "tenants", id), api.TenantChange{Response: new(args[1] == "on")}, &t); err != nil {
				return err
			}
			says := t.Name + ": Response is " + onOff(t.Response) + "."
			if !run {
				return show(c, t, func(w io.Writer) {
					row(w, says)
					if t.Offer != nil {
						row(w, t.Offer.Sentence)
						row(w, strings.Join(t.Offer.Incidents, ", ")+". To run them: responsehub tenant run-open "+t.ID)
					}
				})
			}
			runs, err := runOpen(c.Context(), hub, id)
			if err != nil {
				return err
			}
			return show(c, runs, func(w io.Writer) {
				row(w, says)
				drawRuns(w, runs)
			})
		},
	}
	c.Flags().BoolVar(&run, "run-open", false, "run steps 1 to 3 on the incidents that are open, too")
	return c
}

func newTenantRunOpen() *cobra.Command {
	return &cobra.Command{
		Use: "run-open NAME|ID", Short: "Run steps 1 to 3 on the tenant's open incidents, those that nobody asked for", Args: cobra.ExactArgs(1),
		Long: "Runs steps 1 to 3 on the incidents that were open when Response was turned on. What was asked for, set aside or held\nback stays as it is; the answer says why. An incident that is not published is published.",
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := newClient()
			if err != nil {
				return err
			}
			id, err := tenantID(c.Context(), hub, args[0])
			if err != nil {
				return err
			}
			runs, err := runOpen(c.Context(), hub, id)
			if err != nil {
				return err
			}
			return show(c, runs, func(w io.Writer) { drawRuns(w, runs) })
		},
	}
}

func runOpen(ctx context.Context, hub *client, id string) (runs api.OpenRuns, err error) {
	err = hub.do(ctx, "POST", path("v1", "tenants", id, "run-open"), nil, &runs)
	return runs, err
}

func drawRuns(w io.Writer, runs api.OpenRuns) {
	row(w, runs.Sentence)
	for _, inc := range runs.Incidents {
		for _, id := range inc.Asked {
			row(w, inc.Ref, string(id), "started")
		}
		for _, l := range inc.Left {
			row(w, inc.Ref, string(l.Step), l.Why)
		}
	}
}
