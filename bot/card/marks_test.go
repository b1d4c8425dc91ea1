package card

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMarks holds the promise that others count on: one check mark for each numbered
// step that was read back, and no other.
func TestMarks(t *testing.T) {
	want := map[string]int{"response_on_running": 1, "all_verified": 5, "shut_gate": 2, "partial": 1, "watching": 1, "relocked": 1, "ad_todos": 1, "password_ready": 4, "closed": 6, "many_requests": 1, "told_by_phone": 1, "response_off_published": 1, "response_off_contained_again": 3, "false_alarm_waits": 1, "false_alarm_running": 1}
	for _, g := range goldens {
		got := 0
		for _, r := range string(Card(g.inc(), g.view)) {
			if strings.ContainsRune("✓✔✅☑🗸🗹", r) {
				got++
			}
		}
		if got != want[g.name] {
			t.Errorf("%s: %d check marks, want %d", g.name, got, want[g.name])
		}
	}
}

func TestButtons(t *testing.T) {
	want := map[string][]string{
		"unpublished":                  {"Publish Incident", "Open the detector's page"},
		"response_on_running":          {"More", "Undo..."},
		"all_verified":                 {"6 Mark as remediated", "More", "Undo..."},
		"shut_gate":                    {"3 Disable persistence", "More", "Undo..."},
		"failed_with_reason":           {"1 Revoke sessions and lock account", "More", "Undo..."},
		"watching":                     {"More", "Undo..."},
		"relocked":                     {"More", "Undo..."},
		"ad_todos":                     {"More", "Undo..."},
		"partial":                      {"2 Retract phishing emails", "More", "Undo..."},
		"needs_human":                  {"3 Disable persistence", "4 Reset password", "More", "Open in the console", "Undo..."},
		"retract_progress":             {"Open the detector's page", "Undo..."},
		"password_ready":               {"5 Re-enable account", "Show password", "More", "Undo..."},
		"closed":                       {"Open the detector's page"},
		"unknown_tenant":               {"Publish Incident", "Open the detector's page"},
		"hostile_text":                 {"Publish Incident"},
		"long_lists":                   {"3 Disable persistence", "More", "Undo..."},
		"many_requests":                {"3 Disable persistence", "More", "Open in the console", "Undo..."},
		"told_by_phone":                {"More", "Undo..."},
		"response_off_published":       {"2 Retract phishing emails", "3 Disable persistence", "More", "Open in the console", "Undo..."},
		"response_off_contained_again": {"4 Reset password", "More", "Open in the console", "Undo..."},
		"set_aside_and_taken_back":     {"More", "Undo..."},
		"held_back":                    {"1 Revoke sessions and lock account", "More", "Undo..."},
		"false_alarm_waits":            {"More", "Undo..."},
		"false_alarm_running":          {"Open the detector's page"},
		"copy_to_read":                 nil,
	}
	for _, g := range goldens {
		var c struct{ Actions []struct{ Title string } }
		if err := json.Unmarshal(Card(g.inc(), g.view), &c); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range c.Actions {
			got = append(got, a.Title)
		}
		if d := cmp.Diff(want[g.name], got); d != "" {
			t.Errorf("%s: buttons (-want +got):\n%s", g.name, d)
		}
	}
}
