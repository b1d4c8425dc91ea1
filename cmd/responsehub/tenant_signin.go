package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
)

func newTenantSignIn() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "sign-in NAME|ID --config FILE", Short: "Sign in for a tenant, so that passwords can be written back to on-premises AD", Args: cobra.ExactArgs(1),
		Long: "Signs a person in for a tenant by a code that is typed in on any device with a browser. Microsoft lets no app\nreset the password of an account from on-premises AD by itself, so the hub does it in this person's name\n(password_mode: writeback). The person needs the role Authentication Administrator in the tenant. The sign-in\nis sealed with secrets.key and kept in Redis; it ends when it is not used for 90 days or is revoked.",
		RunE: func(c *cobra.Command, args []string) error {
			cfg, _, err := config.Load(file)
			if err != nil {
				return err
			}
			made, err := app.SignIn(c.Context(), cfg, app.Options{Version: version()}, args[0], func(t responsehub.TenantRef, code responsehub.DeviceCode) {
				fmt.Fprintf(c.ErrOrStderr(), "Sign in for %s: open %s and type in %s (until %s).\n", t.Name, code.Address, code.Code, at(code.Expires))
			})
			if err != nil {
				return err
			}
			return show(c, made, func(w io.Writer) {
				roles := "none that matters here"
				if len(made.Roles) > 0 {
					roles = strings.Join(made.Roles, ", ")
				}
				row(w, fmt.Sprintf("%s signed in for %s. Roles: %s.", made.Who, made.Tenant.Name, roles))
				if made.Lacks != "" {
					row(w, made.Lacks)
				}
			})
		},
	}
	configFlag(c, &file)
	return c
}

func newTenantSignOut() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "sign-out NAME|ID --config FILE", Short: "Forget the sign-in for a tenant; passwords are not written back any more", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, _, err := config.Load(file)
			if err != nil {
				return err
			}
			t, err := app.SignOut(c.Context(), cfg, app.Options{Version: version()}, args[0])
			if err != nil {
				return err
			}
			return show(c, t, func(w io.Writer) { row(w, "The hub holds no sign-in for "+t.Name+" any more.") })
		},
	}
	configFlag(c, &file)
	return c
}
