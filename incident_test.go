package responsehub_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"responsehub"
)

func states(inc *responsehub.Incident) string {
	var b strings.Builder
	for i := range inc.Steps {
		fmt.Fprintf(&b, "%s=%s ", inc.Steps[i].ID, inc.Steps[i].State)
	}
	return strings.TrimSpace(b.String())
}

func TestResponseDecidesWhatRunsByItself(t *testing.T) {
	on := opened(t, true)
	if want := "publish=done lock=queued retract=queued persistence=queued password=waiting reenable=waiting close=waiting"; states(on) != want || on.State != responsehub.Active {
		t.Errorf("Response on opens %s with\n%s, want active with\n%s", on.State, states(on), want)
	}
	off := opened(t, false)
	if want := "publish=waiting lock=waiting retract=waiting persistence=waiting password=waiting reenable=waiting close=waiting"; states(off) != want || off.State != responsehub.Unpublished {
		t.Errorf("Response off opens %s with\n%s, want unpublished with\n%s", off.State, states(off), want)
	}
	if on.Acknowledged != nil || off.Acknowledged != nil {
		t.Error("a new incident is acknowledged by nobody")
	}
}

func TestIncidentSurvivesTheStore(t *testing.T) {
	inc := published(t)
	mustAsk(t, inc, responsehub.Lock, ann, responsehub.StepRequest{})
	inc.Step(responsehub.Lock).Proof = &responsehub.Proof{Value: "sign-in blocked", At: noon}
	back := stored(t, inc)
	if diff := cmp.Diff(inc, back, cmpopts.IgnoreUnexported(responsehub.Incident{})); diff != "" {
		t.Errorf("stored and read back (-was +is):\n%s", diff)
	}
}

func TestJoin(t *testing.T) {
	morePhish := func(a *responsehub.Alert) {
		a.Phish = append(a.Phish, responsehub.Phish{InternetMessageID: "<2@contoso.example>"})
	}
	moreRules := func(a *responsehub.Alert) {
		a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: responsehub.InboxRule, ID: "rule-2"})
	}
	tests := []struct {
		name     string
		response bool
		change   func(*responsehub.Alert)
		fresh    bool
		retract  responsehub.StepState // after it was done
		persist  responsehub.StepState
	}{
		{"the very same", true, func(*responsehub.Alert) {}, false, responsehub.Done, responsehub.Done},
		{"another id, nothing new", true, func(a *responsehub.Alert) { a.ID = "det-2" }, true, responsehub.Done, responsehub.Done},
		{"new evidence", true, func(a *responsehub.Alert) { a.Evidence[0].Text = "another" }, true, responsehub.Done, responsehub.Done},
		{"the times in another zone", true, func(a *responsehub.Alert) {
			a.Evidence[0].At = a.Evidence[0].At.In(time.FixedZone("", 3600))
		}, false, responsehub.Done, responsehub.Done},
		{"new phish", true, morePhish, true, responsehub.Queued, responsehub.Done},
		{"new phish, Response off", false, morePhish, true, responsehub.Partial, responsehub.Done},
		{"new rule", true, moreRules, true, responsehub.Done, responsehub.Queued},
		{"new rule, Response off", false, moreRules, true, responsehub.Done, responsehub.Partial},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inc := opened(t, tt.response)
			if !tt.response {
				mustAsk(t, inc, responsehub.Publish, ann, responsehub.StepRequest{})
				mustAsk(t, inc, responsehub.Retract, ann, responsehub.StepRequest{})
				mustAsk(t, inc, responsehub.Persistence, ann, responsehub.StepRequest{})
			}
			finish(t, inc, responsehub.Retract, responsehub.Done)
			finish(t, inc, responsehub.Persistence, responsehub.Done)
			inc = stored(t, inc) // a second alert meets the stored incident
			a := takeover()
			tt.change(a)
			if fresh := inc.Join(noon, "petra", a); fresh != tt.fresh {
				t.Errorf("Join says fresh %v, want %v", fresh, tt.fresh)
			}
			if r, p := inc.Step(responsehub.Retract).State, inc.Step(responsehub.Persistence).State; r != tt.retract || p != tt.persist {
				t.Errorf("retract %s, persistence %s; want %s, %s", r, p, tt.retract, tt.persist)
			}
			if joined := len(inc.TakeEvents()) > 0; joined != tt.fresh {
				t.Errorf("events recorded: %v, want %v", joined, tt.fresh)
			}
			if tt.persist != responsehub.Done && inc.Gate(responsehub.Password) == nil {
				t.Error("a new rule came in and the reset's gate stayed open")
			}
			if inc.Join(noon, "petra", a) {
				t.Error("the same alert joins twice")
			}
		})
	}
}

func TestJoinWhileTheStepRunsAsksForAnotherRound(t *testing.T) {
	inc := published(t)
	inc.Response = true
	mustAsk(t, inc, responsehub.Persistence, ann, responsehub.StepRequest{Items: []string{responsehub.ItemID(responsehub.InboxRule, "rule-1")}})
	a := takeover()
	a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: responsehub.InboxRule, ID: "rule-2"})
	inc.Join(noon, "petra", a)
	if s := inc.Step(responsehub.Persistence); s.Next == nil || s.State != responsehub.Queued || s.RequestedBy.Name != "Ann" {
		t.Errorf("a rule that came in during Ann's round: more %v, %s by %s; want another round after hers", s.Next, s.State, s.RequestedBy.Name)
	}
}

func TestFootholdsAreOneItemHoweverTheyAreFound(t *testing.T) {
	inc := published(t)
	s := inc.Step(responsehub.Persistence)
	if inc.AddFoothold(responsehub.Item{Kind: responsehub.InboxRule, Object: "rule-1", Name: "seen by the hub"}) || len(s.Items) != 1 {
		t.Errorf("the rule that the detector named was added again: %+v", s.Items)
	}
	if !inc.AddFoothold(responsehub.Item{Kind: responsehub.ServicePrincipal, Object: "rule-1"}) {
		t.Error("an app with the id of a rule is another item")
	}
	inc.AddFoothold(responsehub.Item{Kind: responsehub.AuthMethod, Object: "phone-1"})
	if it := s.Item(responsehub.ItemID(responsehub.AuthMethod, "phone-1")); it.State != responsehub.NeedsHuman {
		t.Errorf("a sign-in method is %s, want needs_human: only a person can judge it", it.State)
	}
	for i := range 2 * responsehub.MaxPersistence {
		inc.AddFoothold(responsehub.Item{Kind: responsehub.InboxRule, Object: fmt.Sprint("flood ", i)})
	}
	if len(s.Items) != responsehub.MaxPersistence {
		t.Errorf("%d items, want no more than %d", len(s.Items), responsehub.MaxPersistence)
	}
}

func TestAnAlertLearnsTheObjectID(t *testing.T) {
	first := takeover()
	first.Account.ObjectID = ""
	inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", first, contoso, true)
	inc.Join(noon, "petra", takeover())
	if inc.Account.ObjectID != takeover().Account.ObjectID {
		t.Errorf("object id %q, want the one of the second alert", inc.Account.ObjectID)
	}
}

func TestTenantIsKnownByBothIDs(t *testing.T) {
	tenant := responsehub.Tenant{ID: "t1", Name: "Contoso", MicrosoftTenantID: contoso.MicrosoftTenantID}
	for id, want := range map[string]bool{"t1": true, strings.ToUpper(contoso.MicrosoftTenantID): true, "": false, "Contoso": false} {
		if tenant.Known(id) != want {
			t.Errorf("known by %q: %v, want %v", id, !want, want)
		}
	}
	if (&responsehub.Tenant{}).Known("") {
		t.Error("a tenant without ids is known by an empty one")
	}
	if tenant.Ref() != contoso {
		t.Errorf("ref %+v, want %+v", tenant.Ref(), contoso)
	}
}

func TestAnotherItemIsTheNextRound(t *testing.T) {
	inc := published(t)
	inc.AddFoothold(responsehub.Item{Kind: responsehub.InboxRule, Object: "rule-2", Name: ".."})
	one, two := responsehub.ItemID(responsehub.InboxRule, "rule-1"), responsehub.ItemID(responsehub.InboxRule, "rule-2")
	mustAsk(t, inc, responsehub.Persistence, ann, responsehub.StepRequest{Items: []string{one}})
	same, err := inc.Ask(responsehub.Persistence, bob, responsehub.StepRequest{Items: []string{one}}, noon)
	if err != nil || !same.Joined {
		t.Errorf("the same item: %+v, %v", same, err)
	}
	other, err := inc.Ask(responsehub.Persistence, bob, responsehub.StepRequest{Items: []string{two}, Action: responsehub.Delete}, noon)
	s := inc.Step(responsehub.Persistence)
	if err != nil || other.Joined || s.Next == nil || s.Next.By.Name != "Bob" || len(s.Next.Items) != 1 || s.Next.Action != responsehub.Delete {
		t.Errorf("another item: %+v, next %+v, %v", other, s.Next, err)
	}
	if _, err := inc.Ask(responsehub.Persistence, ann, responsehub.StepRequest{Items: []string{one}, Action: responsehub.Remove}, noon); responsehub.KindOf(err) != responsehub.Refused {
		t.Errorf("a third action lines up behind another: %v", err)
	}
}

func TestWhatIsStrangeInAnAlert(t *testing.T) {
	a := takeover()
	a.DetectedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -5*3600))
	if err := a.Validate(); err == nil {
		t.Error("a time that cannot be stored is taken")
	}
	unknown := responsehub.TenantRef{Name: "Contoso"}
	for _, reach := range [][]string{{""}, {"Contoso"}} {
		if (responsehub.Actor{Role: responsehub.Guest, Tenants: reach}).Sees(unknown) {
			t.Errorf("a guest of %q sees the incident of an unknown tenant", reach)
		}
	}
	if s := fmt.Sprintf("%d %x %q", responsehub.Secret("pw"), responsehub.Secret("pw"), responsehub.Secret("pw")); strings.Contains(s, "70") || strings.Contains(s, "112") || strings.Contains(s, "pw") {
		t.Errorf("a secret prints as %s", s)
	}
}

// TestAClockAheadIsNotBelieved: an alert is not refused for its clock. What is measured
// and looked for begins when it came in, and the timeline says so once.
func TestAClockAheadIsNotBelieved(t *testing.T) {
	for name, tc := range map[string]struct {
		at   time.Time
		want time.Time
		said bool
	}{
		"as usual":             {noon.Add(-time.Minute), noon.Add(-time.Minute), false},
		"five minutes ahead":   {noon.Add(5 * time.Minute), noon.Add(5 * time.Minute), false},
		"further ahead":        {noon.Add(5*time.Minute + time.Millisecond), noon, true},
		"the year 2199":        {time.Date(2199, 1, 2, 3, 4, 5, 0, time.UTC), noon, true},
		"elsewhere on earth":   {noon.Add(-time.Minute).In(time.FixedZone("", 14*3600)), noon.Add(-time.Minute), false},
		"detected long before": {noon.AddDate(-1, 0, 0), noon.AddDate(-1, 0, 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			a := takeover()
			a.DetectedAt = tc.at
			if err := a.Validate(); err != nil {
				t.Fatal(err)
			}
			inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", a, contoso, true)
			if !inc.DetectedAt.Equal(tc.want) || !inc.ReceivedAt.Equal(noon) {
				t.Errorf("detected %s, received %s, want %s and %s", inc.DetectedAt, inc.ReceivedAt, tc.want, noon)
			}
			a.Evidence = append(a.Evidence, responsehub.Evidence{Text: "more"})
			if !inc.Join(noon.Add(time.Hour), "petra", a) {
				t.Error("the second alert brought nothing")
			}
			said := 0
			for _, e := range inc.TakeEvents() {
				if strings.Contains(e.Text, "Its clock is wrong: it was detected on "+tc.at.UTC().Format("2006-01-02")) {
					said++
				}
			}
			if (said == 1) != tc.said || said > 1 {
				t.Errorf("the timeline says it %d times", said)
			}
		})
	}
}
