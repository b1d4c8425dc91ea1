package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"responsehub/api"
)

func newTenant() *cobra.Command {
	return group("tenant", "Customers: list them, switch Response, apply a file", newTenantList(), newTenantShow(), newTenantResponse(), newTenantRunOpen(), newTenantOnboard(), newTenantPause(true), newTenantPause(false), newTenantProduct(), newTenantRemove(), newTenantApply(), newTenantPreflight(), newTenantRehearse(), newTenantSignIn(), newTenantSignOut())
}

func newTenantList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "The tenants within the key's reach", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var list api.List[api.Tenant]
		if err := hub.do(c.Context(), "GET", "/v1/tenants", nil, &list); err != nil {
			return err
		}
		return show(c, list, func(w io.Writer) {
			row(w, "ID", "NAME", "MICROSOFT TENANT", "RESPONSE", "READY", "NOTIFIED BY")
			for _, t := range list.Items {
				row(w, t.ID, t.Name, t.MicrosoftTenantID, onOff(t.Response), readyWords(t.Readiness), notified(t.Notify))
			}
		})
	}}
}

// readyWords is what is known of a tenant's readiness.
func readyWords(r *api.Summary) string {
	if r == nil {
		return "unknown"
	}
	return r.Text
}

func notified(n api.Notify) string {
	var ways []string
	for _, way := range []struct {
		name string
		on   bool
	}{{"teams", len(n.Teams) > 0}, {"phone", n.Phone != nil}, {"mail", len(n.Mail) > 0}, {"psa", len(n.PSA) > 0}, {"slack", len(n.Slack) > 0}, {"webhooks", len(n.Webhooks) > 0}} {
		if way.on {
			ways = append(ways, way.name)
		}
	}
	if ways == nil {
		return "nothing"
	}
	return strings.Join(ways, ", ")
}

func newTenantOnboard() *cobra.Command {
	var microsoft string
	c := &cobra.Command{
		Use: "onboard NAME", Short: "A link with which an administrator of a new tenant lets the hub in", Args: cobra.ExactArgs(1),
		Long: "Makes a link for an administrator of the customer: they consent to the hub's app and sign in, then the tenant is\non the list, paused, and looked at. The link works once, within an hour. tenant resume ends the pause.",
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := newClient()
			if err != nil {
				return err
			}
			var link api.OnboardLink
			if err := hub.do(c.Context(), "POST", "/v1/tenants/onboard", api.OnboardBody{Name: args[0], MicrosoftTenantID: microsoft}, &link); err != nil {
				return err
			}
			return show(c, link, func(w io.Writer) {
				row(w, "For an administrator of "+args[0]+", until "+at(link.Expires)+":")
				row(w, link.Link)
			})
		},
	}
	c.Flags().StringVar(&microsoft, "microsoft-tenant-id", "", "only this Microsoft tenant; left out: that of whoever consents")
	return c
}

// newTenantPause is the command that pauses a tenant, or the one that resumes it.
func newTenantPause(on bool) *cobra.Command {
	use, short, says := "pause NAME|ID", "Let nothing run by itself at a tenant; its alerts still open incidents and people are told", " is paused: nothing runs by itself there."
	if !on {
		use, short, says = "resume NAME|ID", "End a tenant's pause", " is not paused any more."
	}
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return changeTenant(c, args[0], api.TenantChange{Paused: &on}, func(*api.Tenant) string { return says })
	}}
}

func newTenantApply() *cobra.Command {
	return &cobra.Command{
		Use: "apply FILE", Short: "Take over the tenants and people of a configuration file", Args: cobra.ExactArgs(1),
		Long: "Takes over the tenants and people of a configuration file. Those it does not name stay as they are;\nso does the Response of a tenant whose entry does not say. The rest of the file is not looked at.",
		RunE: func(c *cobra.Command, args []string) error {
			roster, err := readRoster(args[0])
			if err != nil {
				return err
			}
			hub, err := newClient()
			if err != nil {
				return err
			}
			var a api.Applied
			if err := hub.do(c.Context(), "PUT", "/v1/tenants", roster, &a); err != nil {
				return err
			}
			return show(c, a, func(w io.Writer) {
				row(w, fmt.Sprintf("Applied. Tenants: %d, people: %d.", a.Tenants, a.People))
			})
		},
	}
}
