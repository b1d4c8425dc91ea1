package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"responsehub/api"
)

func newIncidentDone() *cobra.Command {
	return &cobra.Command{
		Use: "done ID|REF TODO", Short: "Say that something is done which only a person can do, such as in on-premises AD", Args: cobra.ExactArgs(2),
		Example: "  responsehub incident done RH-7K2M ad-disable",
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := newClient()
			if err != nil {
				return err
			}
			var a api.Answer
			if err := hub.do(c.Context(), "POST", path("v1", "incidents", args[0], "todos", args[1]), api.TickBody{CommandID: newCommandID()}, &a); err != nil {
				return err
			}
			return show(c, a, func(w io.Writer) { row(w, a.Ref+": "+a.Sentence) })
		},
	}
}

// drawWatch shows how the lock is looked after, and what is left to do by hand.
func drawWatch(w io.Writer, inc api.Incident) {
	if inc.Watch == nil && len(inc.Todos) == 0 {
		return
	}
	fmt.Fprintln(w)
	if v := inc.Watch; v != nil && v.Sentence != "" {
		row(w, "Watch", v.Sentence)
	}
	for _, t := range inc.Todos {
		stand := "to do by hand"
		if t.Done {
			stand = "done " + clock(t.DoneAt) + ", says " + t.DoneBy
		}
		row(w, "To do", t.ID, t.Text, stand)
	}
}
