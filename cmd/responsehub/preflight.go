package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
)

// gradeMarks are the grades at a glance.
var gradeMarks = map[responsehub.Grade]string{
	responsehub.CheckOK: "✓", responsehub.CheckMissing: "✗", responsehub.CheckWarning: "!", responsehub.CheckUnknown: "?",
}

// slow is how long the hub may take to look at a tenant or to rehearse.
const slow = 75 * time.Second

// slowClient is a client that waits for Microsoft to be asked.
func slowClient() (*client, error) {
	hub, err := newClient()
	if err == nil {
		hub.http.Timeout = slow
	}
	return hub, err
}

// tenantID finds a tenant by its name, the hub's id or Microsoft's.
func tenantID(ctx context.Context, hub *client, name string) (string, error) {
	var list api.List[api.Tenant]
	if err := hub.do(ctx, "GET", "/v1/tenants", nil, &list); err != nil {
		return "", err
	}
	for _, t := range list.Items {
		if t.ID == name || strings.EqualFold(t.MicrosoftTenantID, name) || strings.EqualFold(t.Name, name) {
			return t.ID, nil
		}
	}
	return "", &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %q among yours. See: responsehub tenant list", name)}
}

func newTenantPreflight() *cobra.Command {
	var kept bool
	c := &cobra.Command{
		Use: "preflight NAME|ID", Short: "What is missing in a tenant for the steps; exit 1 if anything is", Args: cobra.ExactArgs(1),
		Long: "Looks at a tenant now: consent, permissions and roles of the hub's app, Exchange Online, message trace,\ndirectory sync, Teams channels. It reads only. Exit 1 when something is missing that a step needs.",
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := slowClient()
			if err != nil {
				return err
			}
			id, err := tenantID(c.Context(), hub, args[0])
			if err != nil {
				return err
			}
			method := "POST"
			if kept {
				method = "GET"
			}
			var r api.Readiness
			if err := hub.do(c.Context(), method, path("v1", "tenants", id, "preflight"), nil, &r); err != nil {
				return err
			}
			if err := show(c, r, func(w io.Writer) {
				row(w, r.Tenant.Name+", looked at "+at(r.At)+" ("+r.Age+" ago)")
				drawChecks(w, r.Checks)
			}); err != nil {
				return err
			}
			if r.Missing > 0 {
				return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("%s: not ready, %s found something missing that is needed.", r.Tenant.Name, count(r.Missing, "check"))}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&kept, "kept", false, "show what the last look found instead of looking now")
	return c
}

func drawChecks(w io.Writer, checks []responsehub.Check) {
	for i := range checks {
		k := &checks[i]
		blocks := ""
		if k.Grade == responsehub.CheckMissing && len(k.Blocks) > 0 {
			var numbers []string
			for _, id := range k.Blocks {
				numbers = append(numbers, fmt.Sprint(id.Number()))
			}
			blocks = " Stops step " + strings.Join(numbers, ", ") + "."
		}
		row(w, gradeMarks[k.Grade]+" "+k.Name, k.Sentence+blocks)
	}
}

func newTenantRehearse() *cobra.Command {
	var body api.RehearseBody
	c := &cobra.Command{
		Use: "rehearse NAME|ID --user UPN", Short: "What the steps would do now for an account; nothing is changed", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := slowClient()
			if err != nil {
				return err
			}
			id, err := tenantID(c.Context(), hub, args[0])
			if err != nil {
				return err
			}
			return rehearse(c, hub, path("v1", "tenants", id, "rehearse"), body)
		},
	}
	c.Flags().StringVar(&body.User, "user", "", "principal name or object id of the account")
	if err := c.MarkFlagRequired("user"); err != nil {
		panic(err) // only for a flag that does not exist
	}
	return c
}

func newIncidentRehearse() *cobra.Command {
	return &cobra.Command{Use: "rehearse ID|REF", Short: "What the steps of an incident would do now; nothing is changed", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := slowClient()
		if err != nil {
			return err
		}
		return rehearse(c, hub, path("v1", "incidents", args[0], "rehearse"), nil)
	}}
}

func rehearse(c *cobra.Command, hub *client, address string, body any) error {
	var plan responsehub.Plan
	if err := hub.do(c.Context(), "POST", address, body, &plan); err != nil {
		return err
	}
	return show(c, plan, func(w io.Writer) { drawPlan(w, plan) })
}

func drawPlan(w io.Writer, p responsehub.Plan) {
	row(w, strings.TrimSpace(p.Ref+"  Rehearsal, nothing was changed: "+p.Account.Label()+" in "+p.Tenant.Name))
	for _, text := range p.Found {
		row(w, "  "+text)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		row(w, fmt.Sprintf("%d %s", s.Step.Number(), s.Title))
		for _, text := range s.Would {
			row(w, "  "+text)
		}
		for _, it := range s.Items {
			row(w, fmt.Sprintf("    %s %q: %s. %s", it.Kind.Words(), it.Name, it.Would, it.Why))
		}
		for _, text := range s.Stops {
			row(w, "  ✗ "+text)
		}
		for _, text := range s.Lasting {
			row(w, "  Cannot be taken back: "+text)
		}
	}
}
