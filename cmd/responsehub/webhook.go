package main

import (
	"errors"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"responsehub/api"
)

func newWebhook() *cobra.Command {
	return group("webhook", "Outgoing webhooks of a tenant: how they do, their secrets, a test, another try", newWebhookList(), newWebhookAdd(), newWebhookRotate(), newWebhookTest(), newWebhookRetry(), newWebhookRemove())
}

func newWebhookList() *cobra.Command {
	return &cobra.Command{Use: "list TENANT", Short: "The tenant's destinations; TENANT is either of its ids", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		var list api.List[api.Destination]
		return ask(c, "GET", path("v1", "tenants", args[0], "destinations"), nil, &list, func(w io.Writer) {
			row(w, "ID", "HOST", "KIND", "LAST DELIVERED", "FAILING SINCE", "WAITING", "GIVEN UP", "WHY")
			for _, d := range list.Items {
				row(w, d.ID, d.Host, d.Kind, at(d.DeliveredAt), at(d.FailingFrom), strconv.Itoa(d.Waiting), strconv.Itoa(d.Dead), d.Failure)
			}
		})
	}}
}

func newWebhookAdd() *cobra.Command {
	return &cobra.Command{Use: "add TENANT ADDRESS", Short: "Add one and show its secret, once", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		var made api.SignedDestination
		return ask(c, "POST", path("v1", "tenants", args[0], "destinations"), api.DestinationBody{Address: args[1]}, &made, func(w io.Writer) { signed(w, made) })
	}}
}

func newWebhookRotate() *cobra.Command {
	return &cobra.Command{Use: "rotate TENANT ID", Short: "Make a new secret and show it, once; the old one is good for 24 hours more", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		var made api.SignedDestination
		return ask(c, "POST", path("v1", "tenants", args[0], "destinations", args[1], "rotate"), nil, &made, func(w io.Writer) { signed(w, made) })
	}}
}

var errNotTaken = errors.New("the destination did not take the test event")

func signed(w io.Writer, made api.SignedDestination) {
	row(w, made.ID+" "+made.Host+": "+made.Sentence)
	if made.Secret != "" {
		row(w, made.Secret)
	}
}

func newWebhookTest() *cobra.Command {
	return &cobra.Command{Use: "test TENANT ID", Short: "Send a test event and tell what it answered", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		var r api.Tested
		if err := ask(c, "POST", path("v1", "tenants", args[0], "destinations", args[1], "test"), nil, &r, func(w io.Writer) { row(w, r.Sentence) }); err != nil || r.Taken {
			return err
		}
		return errNotTaken
	}}
}

func newWebhookRetry() *cobra.Command {
	return &cobra.Command{Use: "retry TENANT ID", Short: "Try one again that refuses or was given up", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		var r api.Again
		return ask(c, "POST", path("v1", "tenants", args[0], "destinations", args[1], "retry"), nil, &r, func(w io.Writer) { row(w, r.Sentence) })
	}}
}

func newWebhookRemove() *cobra.Command {
	return &cobra.Command{Use: "remove TENANT ID", Short: "Remove one: it hears nothing more", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		var r api.Removed
		return ask(c, "DELETE", path("v1", "tenants", args[0], "destinations", args[1]), nil, &r, func(w io.Writer) { row(w, r.Sentence) })
	}}
}

// ask makes one call of the hub and prints its answer.
func ask(c *cobra.Command, method, where string, in, out any, table func(io.Writer)) error {
	hub, err := newClient()
	if err != nil {
		return err
	}
	if err := hub.do(c.Context(), method, where, in, out); err != nil {
		return err
	}
	return show(c, out, table)
}
