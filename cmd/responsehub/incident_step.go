package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
)

func newCommandID() string { return "cli-" + uuid.NewString() }

func newIncidentStep() *cobra.Command {
	var body api.StepBody
	var action string
	var wait bool
	var timeout time.Duration
	c := &cobra.Command{
		Use: "step ID|REF STEP", Short: "Ask for a step: publish, lock, retract, persistence, password, reenable or close", Args: cobra.ExactArgs(2),
		Example: "  responsehub incident step RH-7K2M lock --wait\n  responsehub incident step RH-7K2M persistence --item 3f2a91c04d17 --action delete\n  responsehub incident step RH-7K2M retract --skip --reason \"nothing was sent\"",
		RunE: func(c *cobra.Command, args []string) error {
			step := responsehub.StepID(args[1])
			if !step.Valid() {
				return wrongUsage("there is no step %q", args[1])
			}
			hub, err := newClient()
			if err != nil {
				return err
			}
			body.CommandID, body.Action = newCommandID(), responsehub.Action(action)
			var a api.Answer
			if err := hub.do(c.Context(), "POST", path("v1", "incidents", args[0], "steps", args[1]), body, &a); err != nil {
				return err
			}
			if !wait {
				return show(c, a, func(w io.Writer) { row(w, a.Ref+": "+a.Sentence) })
			}
			fmt.Fprintln(c.ErrOrStderr(), clean(a.Ref+": "+a.Sentence))
			return follow(c, hub, a.ID, step, timeout)
		},
	}
	c.Flags().StringArrayVar(&body.Items, "item", nil, "id of an item that is meant; may be given several times; none is all")
	c.Flags().StringVar(&action, "action", "", "for persistence: disable, delete or remove")
	c.Flags().BoolVar(&body.Skip, "skip", false, "set the items, or the step, aside; needs --reason")
	c.Flags().StringVar(&body.Reason, "reason", "", "needed to set aside, and to do again what is done; goes on record")
	c.Flags().BoolVar(&body.Done, "done", false, "for password: say that a person has reset it by hand; needs --reason")
	c.Flags().BoolVar(&body.Preview, "preview", false, "for retract: search and count, move nothing")
	c.Flags().BoolVar(&body.Everywhere, "everywhere", false, "for retract: search all mailboxes, not only those that the message trace names")
	c.Flags().BoolVar(&wait, "wait", false, "wait until the step has ended; exit 1 when it did not end well")
	c.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to wait")
	return c
}

// follow prints the incident once the step is no longer at work. It does not wait on
// through an error of the client, only through a hub that is away for a moment.
func follow(c *cobra.Command, hub *client, id string, step responsehub.StepID, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(c.Context(), timeout)
	defer cancel()
	for {
		var inc api.Incident
		err := hub.do(ctx, "GET", path("v1", "incidents", id), nil, &inc)
		if err == nil {
			s := find(inc, step)
			if s == nil {
				return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("%s has no step %q.", inc.Ref, step)}
			}
			if !s.State.Busy() {
				return ended(c, inc, s)
			}
		}
		pause, err := next(err)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return stillBusy(step, timeout)
			}
			return err
		}
		select {
		case <-ctx.Done():
			if c.Context().Err() != nil {
				return c.Context().Err()
			}
			return stillBusy(step, timeout)
		case <-time.After(pause):
		}
	}
}

// next says how long to wait before the next look, or returns an error that waiting
// does not mend.
func next(err error) (time.Duration, error) {
	const pause = 500 * time.Millisecond
	if err == nil {
		return pause, nil
	}
	e, ok := errors.AsType[*responsehub.Error](err)
	if !ok || e.Kind != responsehub.Unavailable && e.Kind != responsehub.Throttled {
		return 0, err
	}
	return max(pause, e.RetryAfter), nil
}

func stillBusy(step responsehub.StepID, timeout time.Duration) error {
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: fmt.Sprintf("%s is still under way after %s. It goes on without this command.", step.Title(), timeout)}
}

func find(inc api.Incident, step responsehub.StepID) *api.Step {
	for i := range inc.Steps {
		if inc.Steps[i].ID == step {
			return &inc.Steps[i]
		}
	}
	return nil
}

// ended prints the incident; what did not end well is a failure.
func ended(c *cobra.Command, inc api.Incident, s *api.Step) error {
	if err := show(c, inc, func(w io.Writer) { drawIncident(w, inc) }); err != nil {
		return err
	}
	if s.State.Settled() {
		return nil
	}
	reason := s.Reason
	if reason == "" {
		reason = "See the incident for what is left."
	}
	return &responsehub.Error{Kind: responsehub.Refused, Message: fmt.Sprintf("%s: %s. %s", s.Title, stateWords(s.State), reason)}
}
