package responsehub_test

import (
	"strings"
	"testing"
	"time"

	"responsehub"
)

func TestLetterKeysTellCaseApart(t *testing.T) {
	seen := map[string]string{}
	for _, c := range [][2]string{{"box", "AAkA"}, {"box", "AAka"}, {"box2", "AAkA"}, {"bo", "xAAkA"}} {
		key := responsehub.LetterKey(c[0], c[1])
		if other, twice := seen[key]; twice {
			t.Errorf("%v and %s share a key", c, other)
		}
		seen[key] = c[0] + " " + c[1]
	}
}

func TestLetterAsAnItem(t *testing.T) {
	moved := responsehub.Letter{Mailbox: "m", Address: "sam@contoso.example", ID: "AAk", Subject: "Invoice", Rule: responsehub.BySender, State: responsehub.Done, Hub: true, At: noon, RequestID: "req"}
	gone, kept := moved, moved
	gone.Hub, gone.Why = false, "Was not in the mailbox any more."
	kept.State, kept.Why = responsehub.Skipped, "Kept."
	for _, c := range []struct {
		name   string
		letter responsehub.Letter
		proof  string
		why    string
	}{
		{"moved", moved, "in Deleted Items", "sender, subject and time"},
		{"gone", gone, "not in its mailbox any more", "any more"},
		{"kept", kept, "", "Kept."},
	} {
		it := c.letter.Item()
		if it.Kind != responsehub.Message || it.Mailbox != "m" || it.Object != "AAk" || !strings.Contains(it.Why, c.why) {
			t.Errorf("%s: %+v", c.name, it)
		}
		if (it.Proof == nil) != (c.proof == "") || it.Proof != nil && (it.Proof.Value != c.proof || it.Proof.RequestID != "req" || !it.Proof.At.Equal(noon)) {
			t.Errorf("%s: proof %+v", c.name, it.Proof)
		}
	}
}

// Looking beforehand and searching everywhere are ways of asking for step 2, and only
// for that.
func TestPreviewAndEverywhere(t *testing.T) {
	inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", takeover(), contoso, false)
	ask := func(id responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error) {
		return inc.Ask(id, ann, r, noon.Add(time.Minute))
	}
	if _, err := ask(responsehub.Publish, responsehub.StepRequest{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id responsehub.StepID
		r  responsehub.StepRequest
	}{
		"/preview":    {responsehub.Lock, responsehub.StepRequest{Preview: true}},
		"/everywhere": {responsehub.Persistence, responsehub.StepRequest{Everywhere: true}},
		"/skip":       {responsehub.Retract, responsehub.StepRequest{Preview: true, Skip: true, Reason: "x"}},
	} {
		if _, err := ask(c.id, c.r); responsehub.KindOf(err) != responsehub.Invalid || err.(*responsehub.Error).Pointer != name { //nolint:errorlint // made right there
			t.Errorf("%s: got %v", name, err)
		}
	}
	s := inc.Step(responsehub.Retract)
	first, err := ask(responsehub.Retract, responsehub.StepRequest{Preview: true})
	if err != nil || first.Joined || !s.Preview || s.State != responsehub.Queued {
		t.Fatalf("the preview: %+v, %v, %+v", first, err, s)
	}
	if second, err := ask(responsehub.Retract, responsehub.StepRequest{Preview: true}); err != nil || !second.Joined {
		t.Errorf("the second preview should join the first: %+v, %v", second, err)
	}
	if real, err := ask(responsehub.Retract, responsehub.StepRequest{}); err != nil || real.Joined || s.Next == nil || s.Next.Preview {
		t.Errorf("a retraction is more than the preview under way: %+v, %v, %+v", real, err, s.Next)
	}
	if wide, err := ask(responsehub.Retract, responsehub.StepRequest{Everywhere: true}); err != nil || wide.Joined || !s.Next.Everywhere {
		t.Errorf("a search everywhere is more than that: %+v, %v, %+v", wide, err, s.Next)
	}
	s.Next, s.State, s.Preview = nil, responsehub.Done, false
	if again, err := ask(responsehub.Retract, responsehub.StepRequest{}); err != nil || !again.Joined {
		t.Errorf("what is done is not done again without a reason: %+v, %v", again, err)
	}
	if wide, err := ask(responsehub.Retract, responsehub.StepRequest{Everywhere: true}); err != nil || wide.Joined || !s.Everywhere || s.State != responsehub.Queued {
		t.Errorf("a wider search needs none: %+v, %v", wide, err)
	}
}
