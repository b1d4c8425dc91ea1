package main

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"responsehub/api"
)

func newLane() *cobra.Command {
	return group("lane", "Work that was given up and waits for a person", newLaneList(), newLaneRetry())
}

func newLaneList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "What was given up, oldest first", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var list api.List[api.DeadLane]
		if err := hub.do(c.Context(), "GET", "/v1/lanes?state=dead", nil, &list); err != nil {
			return err
		}
		return show(c, list, func(w io.Writer) {
			row(w, "ID", "SINCE", "TRIED", "WHY")
			for _, l := range list.Items {
				row(w, l.ID, at(l.DiedAt), strconv.Itoa(l.Attempts), l.Error)
			}
		})
	}}
}

func newLaneRetry() *cobra.Command {
	return &cobra.Command{Use: "retry ID", Short: "Start it again; the id holds a |, so quote it", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var r api.Retried
		if err := hub.do(c.Context(), "POST", path("v1", "lanes", args[0], "retry"), nil, &r); err != nil {
			return err
		}
		return show(c, r, func(w io.Writer) { row(w, r.ID+": "+r.Sentence) })
	}}
}
