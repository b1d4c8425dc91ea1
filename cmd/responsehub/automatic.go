package main

import (
	"io"

	"github.com/spf13/cobra"

	"responsehub/api"
)

func newAutomatic() *cobra.Command {
	return &cobra.Command{
		Use: "automatic [on|off]", Short: "Stop, or start again, all that runs by itself at any tenant", Args: cobra.MaximumNArgs(1),
		Long: "Off: new alerts open incidents and people are told, but steps 1 to 3 wait for somebody to press them.\n" +
			"What is under way goes on, and a lock that is in force is looked after. Without an argument it says\n" +
			"how the switch stands. Only an administrator of the whole hub may turn it.",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] != "on" && args[0] != "off" {
				return wrongUsage("automatic action is turned on or off, not %q", args[0])
			}
			hub, err := newClient()
			if err != nil {
				return err
			}
			var s api.Settings
			if len(args) == 0 {
				err = hub.do(c.Context(), "GET", "/v1/settings", nil, &s)
			} else {
				err = hub.do(c.Context(), "PATCH", "/v1/settings", api.SettingsChange{Automatic: args[0] == "on"}, &s)
			}
			if err != nil {
				return err
			}
			return show(c, s, func(w io.Writer) {
				text := "Automatic action is " + onOff(s.Automatic) + "."
				if s.ChangedBy != "" {
					text += " Stopped by " + s.ChangedBy + " at " + clock(s.ChangedAt) + "."
				}
				row(w, text)
			})
		},
	}
}
