package card

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"responsehub"
)

// TestAnyIncident: whatever an incident looks like, its card keeps the rules of Teams,
// shows no button of a step whose gate is shut, and one check mark for each step that was
// read back.
func TestAnyIncident(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) { anyIncident(t, r) })
}

func anyIncident(t *testing.T, r *rapid.T) {
	inc := drawIncident(r)
	view := View{
		Answer: rapid.SampledFrom([]string{"", "Done.", strings.Repeat("why ", 400)}).Draw(r, "answer"), ReadOnly: rapid.Bool().Draw(r, "read only"),
		Console: rapid.SampledFrom([]string{"", "https://hub.example/incidents/1", "javascript:alert(1)"}).Draw(r, "console"), Now: t0,
		Person: func(id string) string { return strings.Repeat(id, 3) },
	}
	drawn := Card(inc, view)
	check(t, drawn)
	var c map[string]any
	if err := json.Unmarshal(drawn, &c); err != nil {
		r.Fatal(err)
	}
	for _, id := range asked(c) {
		if id != "" && inc.Gate(responsehub.StepID(id)) != nil {
			r.Fatalf("there is a button for %s, whose gate is shut: %s", id, inc.Blocked(responsehub.StepID(id)))
		}
	}
	marks := 0
	for _, id := range responsehub.StepIDs[1:] {
		if s := inc.Step(id); s.State == responsehub.Done && !s.ByHand && !s.VerifiedAt.IsZero() {
			marks++
		}
	}
	if got := strings.Count(string(drawn), checkMark); got != marks {
		r.Fatalf("%d check marks for %d steps that were read back", got, marks)
	}
	if t.Failed() {
		r.Fatalf("the card breaks a rule: %s", drawn)
	}
}

// asked are the steps that the card's buttons ask for, but for those that take back.
func asked(card map[string]any) (ids []string) {
	actions, _ := card["actions"].([]any)
	for _, a := range actions {
		action := a.(map[string]any)
		if inner, ok := action["card"].(map[string]any); ok {
			ids = append(ids, asked(inner)...)
			continue
		}
		data, _ := action["data"].(map[string]any)
		if id, _ := data[KeyStep].(string); action["verb"] == id {
			ids = append(ids, id)
		}
	}
	return ids
}

// nasty are pieces of texts that strangers write.
var nasty = []string{
	"plain", "**bold** [link](https://evil.example)", "<at>Everyone</at><script>", "{{TIME(2026-01-01T00:00:00Z)}}", "\u202egnp.exe", "✅ ✓ verified",
	"\x00\x1b[2J", "a\nb\r\n- c", strings.Repeat("👩‍👩‍👧‍👦", 2000), strings.Repeat("Z\u0300", 50), "\xff\xfe", "規則",
}

func drawIncident(r *rapid.T) *responsehub.Incident {
	text := func(label string) string { return rapid.SampledFrom(nasty).Draw(r, label) }
	a := alert()
	a.Title, a.Summary, a.Account.DisplayName, a.Link = text("title"), text("summary"), text("name"), rapid.SampledFrom([]string{"", "https://detector.example/1", text("link")}).Draw(r, "link")
	for i := range rapid.IntRange(0, 20).Draw(r, "evidence") {
		a.Evidence = append(a.Evidence, responsehub.Evidence{Text: fmt.Sprint(i, text("evidence text"))})
	}
	for i := range rapid.SampledFrom([]int{0, 1, 9, 60}).Draw(r, "items") {
		kind := rapid.SampledFrom(responsehub.PersistenceKinds).Draw(r, "kind")
		a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: kind, ID: fmt.Sprint("r", i), Name: text("item")})
	}
	ref := contoso()
	if rapid.IntRange(0, 9).Draw(r, "known") == 0 {
		ref = responsehub.TenantRef{Name: text("tenant")}
	}
	inc := open(rapid.Bool().Draw(r, "response"), a)
	inc.Tenant = ref
	inc.State = rapid.SampledFrom(responsehub.IncidentStates).Draw(r, "state")
	states := []responsehub.StepState{
		responsehub.Waiting, responsehub.Queued, responsehub.Running, responsehub.Sent, responsehub.Done, responsehub.Partial,
		responsehub.Failed, responsehub.NeedsHuman, responsehub.Skipped, responsehub.Undone,
	}
	for i := range inc.Steps {
		s := &inc.Steps[i]
		s.State, s.Reason = rapid.SampledFrom(states).Draw(r, "step"), text("reason")
		if s.State == responsehub.Done {
			s.VerifiedAt, s.Proof, s.ByHand = t0.Add(time.Hour), &responsehub.Proof{Value: text("proof")}, rapid.IntRange(0, 4).Draw(r, "by hand") == 0
		}
		for j := range s.Items {
			s.Items[j].State, s.Items[j].Why = rapid.SampledFrom(states).Draw(r, "item state"), text("why")
		}
	}
	for i := range rapid.IntRange(0, 12).Draw(r, "todos") {
		inc.AddTodo(fmt.Sprint("todo", i), text("todo"))
	}
	if rapid.Bool().Draw(r, "paged") {
		inc.Page = &responsehub.Page{State: responsehub.PageExhausted}
		for range rapid.IntRange(0, 9).Draw(r, "attempts") {
			inc.Page.Attempts = append(inc.Page.Attempts, responsehub.Attempt{Person: text("person"), Way: responsehub.ByCall, State: responsehub.AttemptFailed, At: t0})
		}
		inc.Tickets = map[string]responsehub.TicketRef{text("desk"): {Number: text("number"), Failure: text("failure")}}
	}
	if rapid.IntRange(0, 5).Draw(r, "false alarm") == 0 {
		inc.Withdrawal = &responsehub.Withdrawal{At: t0, Left: []string{text("left")}}
		if rapid.Bool().Draw(r, "ended") {
			inc.Withdrawal.EndedAt = t0.Add(time.Hour)
		}
	}
	return inc
}
