package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
)

// newKeyAdd makes a key over the API; unlike key create it needs a key that is there
// already, and neither the file nor Redis.
func newKeyAdd() *cobra.Command {
	var body api.KeyBody
	var role string
	c := &cobra.Command{
		Use: "add --name NAME --role ROLE", Short: "Make an API key over the hub's API and print it, once", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			hub, err := newClient()
			if err != nil {
				return err
			}
			body.Role = responsehub.Role(role)
			var made api.MadeKey
			if err := hub.do(c.Context(), "POST", "/v1/keys", body, &made); err != nil {
				return err
			}
			fmt.Fprintln(c.ErrOrStderr(), "The key is shown only now:")
			out := created{ID: made.ID, Name: made.Name, Role: made.Role, Tenants: made.Tenants, Key: made.Plain}
			return show(c, out, func(w io.Writer) { row(w, out.Key) })
		},
	}
	keyFlags(c, &body.Name, &role, &body.Tenants)
	return c
}

func newKeyList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "The API keys, without the keys themselves", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var list api.List[api.Key]
		if err := hub.do(c.Context(), "GET", "/v1/keys", nil, &list); err != nil {
			return err
		}
		return show(c, list, func(w io.Writer) {
			row(w, "ID", "NAME", "ROLE", "TENANTS", "MADE")
			for _, k := range list.Items {
				row(w, k.ID, k.Name, string(k.Role), strings.Join(k.Tenants, ", "), at(k.Created))
			}
		})
	}}
}

func newKeyRemove() *cobra.Command {
	return &cobra.Command{Use: "remove ID", Short: "Remove an API key: whoever uses it is refused from now on", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var gone api.Removed
		if err := hub.do(c.Context(), "DELETE", path("v1", "keys", args[0]), nil, &gone); err != nil {
			return orList(err, "responsehub key list")
		}
		return show(c, gone, func(w io.Writer) { row(w, gone.ID+": "+gone.Sentence) })
	}}
}

// keyFlags are what a new key is.
func keyFlags(c *cobra.Command, name, role *string, tenants *[]string) {
	c.Flags().StringVar(name, "name", "", "what the key is for; stands in the record of what it did")
	c.Flags().StringVar(role, "role", "", "admin, responder or reader")
	c.Flags().StringArrayVar(tenants, "tenant", nil, "only for this tenant; may be given several times; none is all")
	for _, f := range []string{"name", "role"} {
		if err := c.MarkFlagRequired(f); err != nil {
			panic(err) // only for a flag that does not exist
		}
	}
}
