package main

import (
	"context"
	"time"

	"responsehub"
)

// The fake hub lacks one permission in Contoso and knows what the lock would do.

func (h *fakeHub) Run(_ context.Context, t responsehub.Tenant) (responsehub.Readiness, error) {
	checks := []responsehub.Check{{Name: "consent", Grade: responsehub.CheckOK, Sentence: "The tenant lets the hub's app sign in."}}
	if t.Name == "Contoso" {
		checks = append(checks, responsehub.Check{
			Name: "Mail.ReadWrite", Grade: responsehub.CheckMissing, Sentence: "The hub's app lacks Mail.ReadWrite.",
			Step: "The hub's app lacks Mail.ReadWrite in Contoso: this step will fail until it is granted.", Blocks: []responsehub.StepID{responsehub.Retract},
		})
	}
	return responsehub.Readiness{V: 1, Tenant: t.Ref(), At: time.Now().Add(-3 * time.Hour), Checks: checks}, nil
}

func (h *fakeHub) Kept(context.Context, string) (responsehub.Readiness, bool, error) {
	return responsehub.Readiness{}, false, nil
}

func (h *fakeHub) Known(string) (responsehub.Readiness, bool) { return responsehub.Readiness{}, false }

func (h *fakeHub) Lacks(string, responsehub.StepID) string { return "" }

func (h *fakeHub) Rehearse(_ context.Context, inc *responsehub.Incident) (responsehub.Plan, error) {
	return responsehub.Plan{
		Tenant: inc.Tenant, Account: inc.Account, Ref: inc.Ref, At: opened, Found: []string{"The account is there: sign-in is allowed."},
		Steps: []responsehub.PlanStep{
			{Step: responsehub.Lock, Title: responsehub.Lock.Title(), Would: []string{"Block sign-in."}, Stops: []string{"Microsoft would refuse."}, Lasting: []string{"The sessions are revoked."}},
			{Step: responsehub.Persistence, Title: responsehub.Persistence.Title(), Would: []string{}, Stops: []string{}, Lasting: []string{}, Items: []responsehub.PlanItem{{Kind: responsehub.InboxRule, Name: ".\x1b[2J", Would: "disabled", Why: "It hides mail."}}},
		},
	}, nil
}
