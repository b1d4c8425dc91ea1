package card

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/sim/teams"
)

// aside are the cards besides that of an incident in its channel, and that with a mention.
func aside() map[string][]byte {
	inc := open(true, alert())
	return map[string][]byte{
		"question_reason": Ask(inc, Question{
			Text: "Taking step 1 back needs a reason. It lets the account sign in again.", Lines: []string{"The sessions that were revoked stay revoked."}, Reason: true,
			Yes: "Take it back", Verb: Undo, Data: map[string]string{KeyStep: string(responsehub.Lock), KeyRound: "1"},
		}),
		"question_lasting": Ask(inc, Question{
			Text: "This cannot be taken back as it was. Do it?", Lines: []string{`Inbox rule ".." is deleted. It can be made anew from its copy at best, under a new id.`},
			Yes: "Yes, do it", Verb: string(responsehub.Persistence), Data: map[string]string{KeyRound: "1", KeyItems: "rule-2", KeyAction: string(responsehub.Delete)},
		}),
		"dialog_password": Dialog("aB3-xY7-qR9-mN2", "Pat (pat@contoso.example)", "Tell it by phone."),
		"list_open":       List("Open incidents", []string{"RH-7K2M · active · critical · Account takeover (Contoso) · Pat (pat@contoso.example)"}),
		"mentioned":       Card(open(false, alert()), View{Mention: Mention{ID: "0a000000-0000-4000-8000-000000000001", Name: "Ann Berg"}}),
		"short":           Short(inc, View{Console: "https://hub.example/incidents/01JD"}),
		"test_posted":     Test(false),
		"test_passed":     Test(true),
	}
}

// TestGoldenAside: questions, the dialog, lists, the short card and the test card have
// golden files too, which the renderer and the schema are held against.
func TestGoldenAside(t *testing.T) {
	for name, got := range aside() {
		t.Run(name, func(t *testing.T) {
			compare(t, name, got)
			if err := teams.CheckCard(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// compare holds a card to its golden file.
func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), pretty.String()); d != "" {
		t.Errorf("card differs from %s (-want +got):\n%s", path, d)
	}
}
