package responsehub_test

import (
	"fmt"
	"time"

	"responsehub"
)

// An incident of a tenant whose Response is off: people were told, nothing runs
// before somebody publishes it, and no password is reset while the attacker's inbox
// rule is alive.
func Example() {
	at := time.Date(2026, 11, 23, 9, 41, 0, 0, time.UTC)
	alert := &responsehub.Alert{
		Version: responsehub.AlertVersion, ID: "det-123", DetectedAt: at.Add(-time.Minute),
		Tenant:   responsehub.AlertTenant{SourceTenantID: "org-7"},
		Account:  responsehub.Account{UserPrincipalName: "pat@contoso.example"},
		Severity: responsehub.Critical, Title: "Account takeover",
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "AQAAA", Name: "hide replies"}},
	}
	if err := alert.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	tenant := responsehub.TenantRef{ID: "t1", Name: "Contoso"}
	ann := responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"Contoso"}}
	inc := responsehub.NewIncident("01K", "RH-7K2M", at, "petra", alert, tenant, false)

	for _, step := range []responsehub.StepID{responsehub.Lock, responsehub.Publish, responsehub.Lock, responsehub.Lock, responsehub.Password} {
		answer, err := inc.Ask(step, ann, responsehub.StepRequest{}, at)
		if err != nil {
			fmt.Println("refused:", responsehub.Sentence(err))
			continue
		}
		fmt.Println(answer.Sentence)
	}
	// Output:
	// refused: Nothing runs before the incident is published. Press Publish Incident first.
	// The incident is published. The steps can be run now.
	// Revoke sessions and lock account: started.
	// Revoke sessions and lock account was started by Ann at 09:41:00 UTC and is under way.
	// refused: The password is not reset while the attacker can come back. Still open in step 3: inbox rule "hide replies". Disable them, or set them aside with a reason.
}

// Every surface asks whether a person may act before it asks for a step. A phone
// never may.
func ExampleActor_May() {
	tenant := responsehub.TenantRef{ID: "t1", Name: "Contoso"}
	ann := responsehub.Actor{Name: "Ann", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"Fabrikam"}}
	fmt.Println(ann.May(responsehub.Act, tenant))
	ann.Tenants, ann.Via = []string{"*"}, responsehub.ViaPhone
	fmt.Println(ann.May(responsehub.Act, tenant))
	// Output:
	// Contoso is not among your tenants. Ask your administrator for access.
	// Steps cannot be run by phone. Use the card in Teams or the console.
}

// A changed entry breaks the chain at the entry after it.
func ExampleCheckChain() {
	at := time.Date(2026, 11, 23, 9, 41, 0, 0, time.UTC)
	stored, head, err := responsehub.Chain(0, "", []responsehub.Event{
		{At: at, Kind: responsehub.EventRequested, Text: "Lock asked for by Ann"},
		{At: at, Kind: responsehub.EventDone, Text: "Sign-in is blocked"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(responsehub.CheckChain(stored, head))
	stored[0] = []byte(string(stored[0][:len(stored[0])-1]) + " }")
	fmt.Println(responsehub.CheckChain(stored, head))
	// Output:
	// <nil>
	// entry 2 does not follow the one before it: entry 1 was changed, or the link to it
}

// A secret can be passed about and logged by mistake; it shows only where it is
// converted on purpose.
func ExampleSecret() {
	password := responsehub.Secret("correct horse")
	fmt.Printf("%v %#v %s\n", password, password, fmt.Errorf("set %s", password))
	fmt.Println(len(string(password)))
	// Output:
	// redacted redacted set redacted
	// 13
}
