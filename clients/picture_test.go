package clients_test

import (
	"encoding/json"
	"flag"
	"path/filepath"
	"testing"
	"time"

	"responsehub"
	"responsehub/bot/card"
)

var picture = flag.String("picture", "", "file for the picture of the card, from the top of the repository; empty: among the artifacts")

// TestPicture draws the card of an incident in the middle of its remediation, as the
// documentation shows it: go test ./clients -run TestPicture -picture docs/card.png
func TestPicture(t *testing.T) {
	file := filepath.Join(artifacts(t, "."), "card.png")
	if *picture != "" {
		var err error
		if file, err = filepath.Abs(filepath.Join("..", *picture)); err != nil {
			t.Fatal(err)
		}
	}
	drawn := card.Card(pictured(), card.View{
		Console: "https://hub.example/incidents/RH-7K2M",
		Person:  func(string) string { return "Ann Berg" },
	})
	if !hasButton(string(drawn), "4 Reset password") {
		t.Errorf("the password cannot be reset on the pictured card: %s", drawn)
	}
	var size struct{ Width, Height int }
	ask(t, 60*time.Second, "picture.cjs", map[string]any{"chromium": chromium(t), "file": file, "tone": "light", "card": json.RawMessage(drawn)}, &size)
	if size.Width < 500 || size.Height < 300 {
		t.Errorf("the picture is of %+v", size)
	}
}

// pictured is an incident whose account is locked, whose phish is retracted and whose
// persistence is disabled: the password may be reset now.
func pictured() *responsehub.Incident {
	seen := time.Date(2026, 11, 23, 9, 21, 0, 0, time.UTC)
	alert := &responsehub.Alert{
		Version: "1", ID: "det-4711", DetectedAt: seen.Add(4 * time.Minute), Severity: responsehub.Critical,
		Title:   "Account takeover",
		Summary: "Pat Doe signed in from a new country with a stolen session; a phish went out from the account.",
		Account: responsehub.Account{ObjectID: "22222222-2222-4222-8222-222222222222", UserPrincipalName: "pat@contoso.example", DisplayName: "Pat Doe"},
		Evidence: []responsehub.Evidence{
			{At: seen, Kind: "sign_in", Text: "Sign-in from an unknown device", IP: "203.0.113.10", Country: "NL"},
			{At: seen.Add(2 * time.Minute), Kind: "inbox_rule", Text: "Inbox rule that deletes replies"},
		},
		Phish: []responsehub.Phish{{InternetMessageID: "<phish-4711@contoso.example>", Sender: "pat@contoso.example", Subject: "Invoice 4711 is overdue"}},
		Persistence: []responsehub.AlertFoothold{
			{Kind: responsehub.InboxRule, ID: "rule-1", Name: "."},
			{Kind: responsehub.ServicePrincipal, ID: "33333333-3333-4333-8333-333333333333", Name: "Mail Backup Pro"},
			{Kind: responsehub.InboundConnector, ID: "44444444-4444-4444-8444-444444444444", Name: "Relay"},
		},
	}
	tenant := responsehub.TenantRef{ID: "contoso", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"}
	opened := alert.DetectedAt.Add(2 * time.Second)
	inc := responsehub.NewIncident("01JD0000000000000000000000", "RH-7K2M", opened, "petra", alert, tenant, true)
	ann := responsehub.Actor{ID: "person:ann", Name: "Ann Berg", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}
	inc.Acknowledged = &responsehub.Acknowledgement{By: ann.By(), At: opened.Add(48 * time.Second)}
	inc.Page = &responsehub.Page{State: responsehub.PageAcknowledged, Attempts: []responsehub.Attempt{
		{Person: "ann", Way: responsehub.ByText, State: responsehub.AttemptDelivered, At: opened.Add(time.Second)},
		{Person: "ann", Way: responsehub.ByCall, State: responsehub.AttemptAcknowledged, At: opened.Add(12 * time.Second)},
	}}
	inc.Tickets = map[string]responsehub.TicketRef{"connectwise": {ID: "4711", Number: "T-4711"}}

	verified := func(id responsehub.StepID, after time.Duration, proof string) *responsehub.Step {
		s := inc.Step(id)
		s.State, s.Round, s.VerifiedAt = responsehub.Done, 1, opened.Add(after)
		s.Proof = &responsehub.Proof{Value: proof, At: s.VerifiedAt}
		return s
	}
	verified(responsehub.Lock, 4*time.Second, "accountEnabled=false, sessions valid from 2026-11-23T09:25:05Z")
	retract := verified(responsehub.Retract, 96*time.Second, "43 of 43 messages lie in Deleted Items, 1180 mailboxes searched")
	retract.Progress = &responsehub.Progress{Searched: 1180, Mailboxes: 1180, Found: 43, Moved: 41, Already: 2}
	for i, s := 0, verified(responsehub.Persistence, 9*time.Second, "3 items of persistence, all disabled, gone or set aside"); i < len(s.Items); i++ {
		s.Items[i].State, s.Items[i].At = responsehub.Done, s.VerifiedAt
	}
	return inc
}
