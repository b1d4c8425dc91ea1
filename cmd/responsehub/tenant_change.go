package main

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
)

// changeTenant changes a tenant, found by its name or either of its ids, and prints what
// it says of it.
func changeTenant(c *cobra.Command, name string, change api.TenantChange, says func(*api.Tenant) string) error {
	hub, err := newClient()
	if err != nil {
		return err
	}
	id, err := tenantID(c.Context(), hub, name)
	if err != nil {
		return err
	}
	var t api.Tenant
	if err := hub.do(c.Context(), "PATCH", path("v1", "tenants", id), change, &t); err != nil {
		return err
	}
	return show(c, t, func(w io.Writer) { row(w, t.Name+says(&t)) })
}

func newTenantShow() *cobra.Command {
	return &cobra.Command{Use: "show NAME|ID", Short: "One tenant: its switches, who is told, what it lacks", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		id, err := tenantID(c.Context(), hub, args[0])
		if err != nil {
			return err
		}
		var t api.Tenant
		if err := hub.do(c.Context(), "GET", path("v1", "tenants", id), nil, &t); err != nil {
			return err
		}
		return show(c, t, func(w io.Writer) { drawTenant(w, &t) })
	}}
}

func drawTenant(w io.Writer, t *api.Tenant) {
	row(w, t.Name)
	row(w, "Id", t.ID)
	row(w, "Microsoft tenant", t.MicrosoftTenantID)
	response := onOff(t.Response)
	if t.Paused != nil {
		response += ", paused by " + t.Paused.By + " at " + at(t.Paused.At)
	}
	row(w, "Response", response)
	product := string(t.Product)
	if t.Trial != nil {
		product += ", trial until " + at(t.Trial.Ends)
	}
	row(w, "Product", product)
	row(w, "Ready", readyWords(t.Readiness))
	row(w, "Passwords", string(cmp.Or(t.PasswordMode, responsehub.PasswordCloud)))
	for _, told := range []struct {
		way string
		who []string
	}{{"Teams", t.Notify.Teams}, {"Phone", sequence(t.Notify.Phone)}, {"Mail", t.Notify.Mail}, {"PSA", companies(t.Notify.PSA)}, {"Slack", t.Notify.Slack}, {"Webhooks", t.Notify.Webhooks}} {
		if len(told.who) > 0 {
			row(w, told.way, strings.Join(told.who, ", "))
		}
	}
}

func sequence(p *api.Phone) []string {
	if p == nil {
		return nil
	}
	return p.Sequence
}

// companies are where a tenant's tickets go.
func companies(desks responsehub.Desks) []string {
	var out []string
	for _, d := range desks {
		out = append(out, d.Connection+": "+cmp.Or(d.Company, "its catch-all company"))
	}
	return out
}

func newTenantProduct() *cobra.Command {
	return &cobra.Command{
		Use: "product NAME|ID response|notify", Short: "Switch what a tenant has bought", Args: cobra.ExactArgs(2),
		Long: "With response steps may run by themselves; with notify people are told and press the steps, and Response is turned off.\nAfter the end of a trial no product can be switched. Remediation goes on.",
		RunE: func(c *cobra.Command, args []string) error {
			to := responsehub.Product(args[1])
			if !slices.Contains(responsehub.Products, to) {
				return wrongUsage("the product is response or notify, not %q", args[1])
			}
			return changeTenant(c, args[0], api.TenantChange{Product: &to}, func(t *api.Tenant) string {
				return " has the product " + string(t.Product) + "; Response is " + onOff(t.Response) + "."
			})
		},
	}
}

func newTenantRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME|ID", Short: "Take a tenant off the list; not while an incident is open there", Args: cobra.ExactArgs(1),
		Long: "Takes a tenant off the list. Its incidents stay readable, reportable and exportable. An alert that still comes for it\nopens an incident of an unknown tenant, of which the fallback contacts hear. Withdraw the app's consent in the tenant yourself.",
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := newClient()
			if err != nil {
				return err
			}
			id, err := tenantID(c.Context(), hub, args[0])
			if err != nil {
				return err
			}
			var gone api.Removed
			if err := hub.do(c.Context(), "DELETE", path("v1", "tenants", id), nil, &gone); err != nil {
				return err
			}
			return show(c, gone, func(w io.Writer) { row(w, gone.Sentence) })
		},
	}
}
