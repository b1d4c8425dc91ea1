package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
)

func newIncidentUndo() *cobra.Command {
	var body api.UndoBody
	var wait bool
	var timeout time.Duration
	c := &cobra.Command{
		Use: "undo ID|REF [STEP]", Short: "Take back what the hub did: lock, retract or persistence; without a step all three, the account last", Args: cobra.RangeArgs(1, 2),
		Example: "  responsehub incident undo RH-7K2M retract --reason \"it was our own newsletter\" --wait\n  responsehub incident undo RH-7K2M persistence --item 3f2a91c04d17 --reason \"the rule is Pat's own\"",
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := newClient()
			if err != nil {
				return err
			}
			var ids []responsehub.StepID
			if len(args) == 2 {
				if ids = []responsehub.StepID{responsehub.StepID(args[1])}; !ids[0].Valid() {
					return wrongUsage("there is no step %q", args[1])
				}
			} else if ids, err = reversible(c.Context(), hub, args[0]); err != nil {
				return err
			}
			for _, id := range ids {
				body.CommandID = newCommandID()
				var a api.Undone
				if err := hub.do(c.Context(), "POST", path("v1", "incidents", args[0], "steps", string(id), "undo"), body, &a); err != nil {
					return err
				}
				if err := tell(c, a, wait); err != nil {
					return err
				}
				if !wait {
					continue
				}
				if err := followUndo(c, hub, a.ID, id, timeout); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&body.Items, "item", nil, "id of an item that is meant; may be given several times; none is all")
	c.Flags().StringVar(&body.Reason, "reason", "", "needed; goes on record")
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is taken back; exit 1 when it could not be")
	c.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to wait")
	return c
}

// reversible lists the steps that can be taken back, the account last.
func reversible(ctx context.Context, hub *client, id string) ([]responsehub.StepID, error) {
	var inc api.Incident
	if err := hub.do(ctx, "GET", path("v1", "incidents", id), nil, &inc); err != nil {
		return nil, err
	}
	var ids []responsehub.StepID
	for _, id := range []responsehub.StepID{responsehub.Retract, responsehub.Persistence, responsehub.Lock} {
		if s := find(inc, id); s != nil && s.Reversal != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, &responsehub.Error{Kind: responsehub.Refused, Message: inc.Ref + ": the hub has changed nothing that it could take back."}
	}
	return ids, nil
}

// tell prints the answer to an undo, and before all what stays as it is.
func tell(c *cobra.Command, a api.Undone, aside bool) error {
	say := func(w io.Writer) {
		row(w, a.Ref+": "+a.Sentence)
		for _, text := range a.Irreversible {
			row(w, "Cannot be taken back: "+text)
		}
	}
	if !aside {
		return show(c, a, say)
	}
	fmt.Fprintln(c.ErrOrStderr(), clean(a.Ref+": "+a.Sentence))
	for _, text := range a.Irreversible {
		fmt.Fprintln(c.ErrOrStderr(), clean("Cannot be taken back: "+text))
	}
	return nil
}

func newIncidentFalseAlarm() *cobra.Command {
	var body api.FalseAlarmBody
	var wait bool
	var timeout time.Duration
	c := &cobra.Command{
		Use: "false-alarm ID|REF", Short: "Take back what was done, the account last, and close; again: close although some things stay", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := newClient()
			if err != nil {
				return err
			}
			body.CommandID = newCommandID()
			var a api.Undone
			if err := hub.do(c.Context(), "POST", path("v1", "incidents", args[0], "false-alarm"), body, &a); err != nil {
				return err
			}
			if err := tell(c, a, wait); err != nil || !wait {
				return err
			}
			inc, err := await(c, hub, a.ID, "the false alarm", timeout, func(inc api.Incident) bool {
				return inc.State.Closed() || inc.FalseAlarm == nil || !inc.FalseAlarm.EndedAt.IsZero()
			})
			if err != nil {
				return err
			}
			if err := show(c, inc, func(w io.Writer) { drawIncident(w, inc) }); err != nil || inc.State == responsehub.FalseAlarm {
				return err
			}
			return &responsehub.Error{Kind: responsehub.Refused, Message: inc.Ref + " is not closed: not everything could be taken back. Give the command again to close it so."}
		},
	}
	c.Flags().StringVar(&body.Reason, "reason", "", "needed; goes on record")
	c.Flags().BoolVar(&wait, "wait", false, "wait until the incident is closed; exit 1 when something waits for a person")
	c.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to wait")
	return c
}

// followUndo prints the incident once the step is taken back; one that is not is a
// failure.
func followUndo(c *cobra.Command, hub *client, id string, step responsehub.StepID, timeout time.Duration) error {
	inc, err := await(c, hub, id, "the undo of "+string(step), timeout, func(inc api.Incident) bool {
		s := find(inc, step)
		return s == nil || !s.State.Busy()
	})
	if err != nil {
		return err
	}
	s := find(inc, step)
	if s == nil {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("%s has no step %q.", inc.Ref, step)}
	}
	return ended(c, inc, s)
}

// await asks until the incident is so. It waits on only through a hub that is away for a
// moment.
func await(c *cobra.Command, hub *client, id, what string, timeout time.Duration, so func(api.Incident) bool) (api.Incident, error) {
	ctx, cancel := context.WithTimeout(c.Context(), timeout)
	defer cancel()
	for {
		var inc api.Incident
		err := hub.do(ctx, "GET", path("v1", "incidents", id), nil, &inc)
		if err == nil && so(inc) {
			return inc, nil
		}
		pause, err := next(err)
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(pause):
			}
		}
		if c.Context().Err() != nil {
			return inc, c.Context().Err()
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return inc, &responsehub.Error{Kind: responsehub.Unavailable, Message: fmt.Sprintf("%s: still under way after %s. It goes on without this command.", what, timeout)}
		}
		if err != nil {
			return inc, err
		}
	}
}
