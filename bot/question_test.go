package bot

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"responsehub"
	"responsehub/bot/card"
)

// buttonsOf are the actions of a card that answered a click.
func buttonsOf(t testing.TB, answer json.RawMessage) map[string]map[string]any {
	t.Helper()
	var c struct{ Actions []map[string]any }
	if err := json.Unmarshal(answer, &c); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, a := range c.Actions {
		title, _ := a["title"].(string)
		out[title] = a
	}
	return out
}

// TestQuestions: what cannot be taken back, or needs a reason, is asked for first; only
// the yes, with the reason, does it, once; and nobody is asked who may not or cannot.
func TestQuestions(t *testing.T) {
	rule := responsehub.ItemID(responsehub.InboxRule, "r1")
	method := responsehub.ItemID(responsehub.AuthMethod, "m1")
	for _, tc := range []struct {
		name, verb string
		data       map[string]any
		prepare    func(*responsehub.Incident)
		says, yes  string // empty: no question
		reason     bool
		done       func(*responsehub.Incident) bool
	}{
		{"delete a rule", "persistence", map[string]any{"step": "persistence", "chosen": "true", "items": rule, "action": "delete"}, nil, "is deleted", "Yes, do it", false,
			func(inc *responsehub.Incident) bool {
				return inc.Step(responsehub.Persistence).Action == responsehub.Delete
			}},
		{"disable a rule", "persistence", map[string]any{"step": "persistence", "chosen": "true", "items": rule, "action": "disable"}, nil, "", "", false, nil},
		{"delete a sign-in method", "persistence", map[string]any{"step": "persistence", "chosen": "true", "items": method}, nil, "register it again", "Yes, do it", false,
			func(inc *responsehub.Incident) bool { return inc.Step(responsehub.Persistence).State.Busy() }},
		{"set a step aside", "retract", map[string]any{"step": "retract", "skip": "true"}, nil, "needs a reason", "Set aside", true,
			func(inc *responsehub.Incident) bool {
				return inc.Step(responsehub.Retract).State == responsehub.Skipped
			}},
		{"lock again", "lock", map[string]any{"step": "lock", "round": "1"}, verifiedLock, "Doing it again needs a reason", "Do it again", true,
			func(inc *responsehub.Incident) bool { return inc.Step(responsehub.Lock).Round == 2 }},
		{"the second to press lock", "lock", map[string]any{"step": "lock", "round": "0"}, verifiedLock, "", "", false, nil},
		{"a new password", "password", map[string]any{"step": "password", "round": "1"}, func(inc *responsehub.Incident) {
			inc.Step(responsehub.Persistence).State, inc.Step(responsehub.Persistence).Items = responsehub.Done, nil
			s := inc.Step(responsehub.Password)
			s.State, s.Round = responsehub.Done, 1
		}, "the one before stops working", "Make a new password", true,
			func(inc *responsehub.Incident) bool { return inc.Step(responsehub.Password).Round == 2 }},
		{"false alarm", "false_alarm", map[string]any{}, verifiedLock, "This stays:", "Yes, a false alarm", true,
			func(inc *responsehub.Incident) bool { return inc.Withdrawal != nil }},
		{"undo", "undo", map[string]any{"step": "lock", "round": "1"}, verifiedLock, "gives the account back", "Take it back", true,
			func(inc *responsehub.Incident) bool { return inc.Step(responsehub.Lock).Undo }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHarness(t)
			inc := h.incident(true)
			inc.AddFoothold(responsehub.Item{Kind: responsehub.AuthMethod, Object: "m1", Name: "Phone"})
			inc.Step(responsehub.Lock).State, inc.Step(responsehub.Retract).State = responsehub.Failed, responsehub.Failed
			inc.Step(responsehub.Persistence).State = responsehub.Failed
			if tc.prepare != nil {
				tc.prepare(inc)
			}
			before := mustJSON(inc)
			maps.Copy(tc.data, about(inc))
			if tc.yes != "" { // nobody is asked who may not
				if r := read(t, h.send(press(ritaID, "a0", tc.verb, tc.data))); !r.says("Your role (reader)") {
					t.Errorf("a reader was answered %s", r.Value)
				}
			}
			r := read(t, h.send(press(annID, "a1", tc.verb, tc.data)))
			if tc.yes == "" {
				if r.Type != asCard || buttonsOf(t, r.Value)["Cancel"] != nil {
					t.Errorf("was asked: %s", r.Value)
				}
				return
			}
			b := buttonsOf(t, r.Value)
			if !r.says(tc.says) || b[tc.yes] == nil || b["Cancel"] == nil || r.says(`"isRequired"`) != tc.reason {
				t.Fatalf("the question: %s", r.Value)
			}
			if got := mustJSON(h.engine.incs[inc.ID]); got != before {
				t.Fatalf("the question alone changed the incident:\n%s\n%s", before, got)
			}
			// Cancel shows the card as it is.
			no := b["Cancel"]
			if r := read(t, h.send(press(annID, "a2", no["verb"].(string), no["data"].(map[string]any)))); r.Type != asCard || !r.says("Remediation") || mustJSON(h.engine.incs[inc.ID]) != before {
				t.Errorf("cancel: %s", r.Value)
			}
			data := b[tc.yes]["data"].(map[string]any)
			if tc.reason {
				data[card.KeyWhy] = "Looked at with the customer."
			}
			for range 2 { // the yes delivered twice
				r = read(t, h.send(press(annID, "a3", b[tc.yes]["verb"].(string), data)))
			}
			if now := h.engine.incs[inc.ID]; !tc.done(now) {
				t.Errorf("after the yes: %s\n%s", r.Value, mustJSON(now))
			}
		})
	}
}

func verifiedLock(inc *responsehub.Incident) {
	s := inc.Step(responsehub.Lock)
	s.State, s.Round, s.Snapshot, s.SentAt = responsehub.Done, 1, []byte(`{"enabled":true}`), inc.OpenedAt
}

// TestOldClientIsNotAsked: a client that cannot be asked back does nothing that cannot be
// taken back.
func TestOldClientIsNotAsked(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(true)
	inc.Step(responsehub.Persistence).State = responsehub.Failed
	act := activity("message", annID)
	act["replyToId"], act["value"] = "17", map[string]any{"verb": "persistence", "incident": inc.ID, "step": "persistence", "chosen": "true", "action": "delete", "items": responsehub.ItemID(responsehub.InboxRule, "r1")}
	h.send(act)
	h.settle()
	posts := h.world.seen("POST")
	if len(h.engine.asked) > 0 || len(posts) == 0 || !strings.Contains(mustJSON(posts[len(posts)-1].Body), "cannot be taken back") {
		t.Errorf("asked %v, said %s", h.engine.asked, mustJSON(posts))
	}
}
