package responsehub_test

import (
	"strings"
	"testing"
	"time"

	"responsehub"
)

func TestATrialThatEndedStopsGrowthOnly(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	past, future := now.Add(-time.Hour), now.Add(time.Hour)
	tests := []struct {
		name                string
		hub, tenant         time.Time
		from, to            responsehub.Product
		onboards, switching bool
	}{
		{name: "no trial", from: "", to: responsehub.ProductNotify, onboards: true, switching: true},
		{name: "both under way", hub: future, tenant: future, to: responsehub.ProductNotify, onboards: true, switching: true},
		{name: "the hub's ended", hub: past, to: responsehub.ProductNotify},
		{name: "ends this very moment", hub: now, to: responsehub.ProductNotify},
		{name: "the tenant's ended", tenant: past, to: responsehub.ProductNotify, onboards: true},
		{name: "back to the full one", hub: past, from: responsehub.ProductNotify, to: responsehub.ProductResponse},
		{name: "stays as it is", hub: past, tenant: past, to: responsehub.ProductResponse, switching: true},
		{name: "stays as it is, unsaid", hub: past, from: responsehub.ProductResponse, to: "", switching: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := responsehub.Subscription{TrialEnds: tt.hub}
			tenant := responsehub.Tenant{Name: "Contoso", Product: tt.from, TrialEnds: tt.tenant}
			for what, got := range map[string]struct {
				err  error
				want bool
			}{"onboarding": {s.MayOnboard(now), tt.onboards}, "switching": {s.MaySwitch(&tenant, tt.to, now), tt.switching}} {
				if (got.err == nil) != got.want {
					t.Errorf("%s: %v, want allowed %t", what, got.err, got.want)
				}
				if got.err != nil && (responsehub.KindOf(got.err) != responsehub.Refused || !strings.Contains(got.err.Error(), "Remediation goes on")) {
					t.Errorf("%s: the sentence does not say what goes on: %v", what, got.err)
				}
			}
		})
	}
}

func TestAProductWithoutResponseRunsNothing(t *testing.T) {
	t.Parallel()
	for product, want := range map[responsehub.Product]bool{"": true, responsehub.ProductResponse: true, responsehub.ProductNotify: false} {
		tenant := responsehub.Tenant{Response: true, Product: product}
		if got := tenant.Automatic(); got != want {
			t.Errorf("%q: automatic is %t", product, got)
		}
	}
	bad := responsehub.Tenant{Name: "A", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111", Response: true, Product: responsehub.ProductNotify}
	if err := bad.Check(nil); responsehub.KindOf(err) != responsehub.Invalid || !strings.Contains(err.Error(), "notify") {
		t.Errorf("Response on without the product that has it: %v", err)
	}
	bad.Response, bad.Product = false, "gold"
	if err := bad.Check(nil); responsehub.KindOf(err) != responsehub.Invalid {
		t.Errorf("a product that does not exist: %v", err)
	}
}

func TestAPauseHoldsBackWhatRunsByItself(t *testing.T) {
	t.Parallel()
	tenant := responsehub.Tenant{Name: "Contoso"}
	if holds := tenant.Holds(); holds != nil {
		t.Fatalf("not paused: %v", holds)
	}
	tenant.Paused = &responsehub.Stop{By: responsehub.By{Name: "Ann"}, At: time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC)}
	holds := tenant.Holds()
	if len(holds) != 1 || len(holds[0].Steps) != 3 || !strings.Contains(holds[0].Why, "Ann") || !strings.Contains(holds[0].Why, "paused") {
		t.Errorf("%+v", holds)
	}
}
