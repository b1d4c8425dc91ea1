package responsehub_test

import (
	"slices"
	"strings"
	"testing"

	"responsehub"
)

// cleaned is an incident whose steps 1 to 3 are done.
func cleaned(t *testing.T) *responsehub.Incident {
	t.Helper()
	inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", takeover(), contoso, true)
	for _, id := range responsehub.StepIDs[1:4] {
		inc.Step(id).State = responsehub.Done
	}
	inc.Step(responsehub.Lock).Snapshot = []byte(`{"enabled":true}`)
	inc.Step(responsehub.Retract).Progress = &responsehub.Progress{Searched: 100, Mailboxes: 100, Found: 97, Moved: 96, Already: 1}
	for i := range inc.Step(responsehub.Persistence).Items {
		it := &inc.Step(responsehub.Persistence).Items[i]
		it.State, it.Action, it.Snapshot = responsehub.Done, responsehub.Disable, []byte(`{}`)
	}
	return inc
}

func TestAskUndo(t *testing.T) {
	for _, c := range []struct {
		name string
		step responsehub.StepID
		edit func(*responsehub.Incident)
		r    responsehub.UndoRequest
		want string // part of the sentence
		kind responsehub.Kind
		join bool
	}{
		{name: "lock", step: responsehub.Lock, r: responsehub.UndoRequest{Reason: "r"}, want: "gives the account back as it was"},
		{name: "retract", step: responsehub.Retract, r: responsehub.UndoRequest{Reason: "r"}, want: "moves 96 messages back"},
		{name: "no reason", step: responsehub.Lock, r: responsehub.UndoRequest{Reason: " "}, want: "needs a reason", kind: responsehub.Invalid},
		{name: "a reason without end", step: responsehub.Lock, r: responsehub.UndoRequest{Reason: strings.Repeat("x", 1001)}, want: "longer than", kind: responsehub.Invalid},
		{name: "password", step: responsehub.Password, r: responsehub.UndoRequest{Reason: "r"}, want: "cannot be brought back", kind: responsehub.Refused},
		{name: "unknown step", step: "reboot", r: responsehub.UndoRequest{Reason: "r"}, want: "no step", kind: responsehub.NotFound},
		{name: "items of another step", step: responsehub.Lock, r: responsehub.UndoRequest{Items: []string{"x"}, Reason: "r"}, want: "takes no items", kind: responsehub.Invalid},
		{name: "an unknown item", step: responsehub.Persistence, r: responsehub.UndoRequest{Items: []string{"x"}, Reason: "r"}, want: "no item", kind: responsehub.Invalid},
		{name: "at work", step: responsehub.Lock, edit: func(inc *responsehub.Incident) { inc.Step(responsehub.Lock).State = responsehub.Sent }, r: responsehub.UndoRequest{Reason: "r"}, want: "Wait until it ends", kind: responsehub.Refused},
		{name: "nothing was done", step: responsehub.Lock, edit: func(inc *responsehub.Incident) {
			inc.Step(responsehub.Lock).State, inc.Step(responsehub.Lock).Snapshot = responsehub.Waiting, nil
		}, r: responsehub.UndoRequest{Reason: "r"}, want: "changed nothing in step 1", kind: responsehub.Refused},
		{name: "nothing was moved", step: responsehub.Retract, edit: func(inc *responsehub.Incident) { inc.Step(responsehub.Retract).Progress.Moved = 0 }, r: responsehub.UndoRequest{Reason: "r"}, want: "changed nothing in step 2", kind: responsehub.Refused},
		{name: "closed", step: responsehub.Lock, edit: func(inc *responsehub.Incident) { inc.State = responsehub.Remediated }, r: responsehub.UndoRequest{Reason: "r"}, want: "is closed", kind: responsehub.Refused},
		{name: "the second asker", step: responsehub.Lock, edit: func(inc *responsehub.Incident) {
			if _, err := inc.AskUndo(responsehub.Lock, bob, responsehub.UndoRequest{Reason: "r"}, noon); err != nil {
				panic(err)
			}
		}, r: responsehub.UndoRequest{Reason: "r"}, want: "is being taken back; Bob asked", join: true},
		{name: "taken back already", step: responsehub.Lock, edit: func(inc *responsehub.Incident) {
			inc.Step(responsehub.Lock).State = responsehub.Undone
		}, r: responsehub.UndoRequest{}, want: "was taken back already", join: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inc := cleaned(t)
			if c.edit != nil {
				c.edit(inc)
			}
			answer, err := inc.AskUndo(c.step, ann, c.r, noon)
			sentence := answer.Sentence
			if err != nil {
				sentence = responsehub.Sentence(err)
			}
			if (err != nil) != (c.kind != "") || err != nil && responsehub.KindOf(err) != c.kind || answer.Joined != c.join || !strings.Contains(sentence, c.want) {
				t.Errorf("%q, %v, joined %t", sentence, err, answer.Joined)
			}
		})
	}
}

func TestWhatIsUndoneCanBeAskedForAgain(t *testing.T) {
	inc := cleaned(t)
	if _, err := inc.AskUndo(responsehub.Lock, ann, responsehub.UndoRequest{Reason: "r"}, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := inc.Ask(responsehub.Lock, bob, responsehub.StepRequest{}, noon); responsehub.KindOf(err) != responsehub.Refused {
		t.Errorf("a lock while the lock is taken back: %v", err)
	}
	inc.Step(responsehub.Lock).State = responsehub.Undone
	if _, err := inc.Ask(responsehub.Lock, bob, responsehub.StepRequest{}, noon); err != nil || inc.Step(responsehub.Lock).Undo {
		t.Errorf("a lock after the undo: %v", err)
	}
}

func TestIrreversible(t *testing.T) {
	inc := cleaned(t)
	inc.Step(responsehub.Password).State = responsehub.Done
	it := &inc.Step(responsehub.Persistence).Items[0]
	it.Action = responsehub.Delete
	all := strings.Join(inc.Irreversible(), "\n")
	for _, want := range []string{"sessions were revoked", "mail that was opened", "under a new id: " + it.Title(), "old one cannot be brought back"} {
		if !strings.Contains(all, want) {
			t.Errorf("nobody is told of %q:\n%s", want, all)
		}
	}
	it.Hidden = true
	if got := inc.Irreversible(responsehub.Persistence); len(got) != 1 || !strings.Contains(got[0], "a person has to") {
		t.Errorf("a hidden rule that was deleted: %v", got)
	}
	if got := responsehub.NewIncident("i", "r", noon, "petra", takeover(), contoso, false).Irreversible(); len(got) != 0 {
		t.Errorf("nothing was done, yet: %v", got)
	}
}

// endUndo ends the undo of each step that is at work.
func endUndo(inc *responsehub.Incident, state responsehub.StepState) (did []responsehub.StepID) {
	for i := range inc.Steps {
		if s := &inc.Steps[i]; s.Undo && s.State.Busy() {
			s.State = state
			did = append(did, s.ID)
		}
	}
	inc.Advance(noon)
	return did
}

func TestFalseAlarmOrder(t *testing.T) {
	inc := cleaned(t)
	if _, err := inc.FalseAlarm(ann, "", noon); responsehub.KindOf(err) != responsehub.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := inc.FalseAlarm(ann, "on holiday", noon); err != nil {
		t.Fatal(err)
	}
	if answer, err := inc.FalseAlarm(bob, "me too", noon); err != nil || !answer.Joined || !strings.Contains(answer.Sentence, "Ann") {
		t.Errorf("the second one: %+v %v", answer, err)
	}
	if _, err := inc.Ask(responsehub.Reenable, ann, responsehub.StepRequest{}, noon); responsehub.KindOf(err) != responsehub.Refused {
		t.Errorf("a step meanwhile: %v", err)
	}
	if did := endUndo(inc, responsehub.Undone); !slices.Equal(did, []responsehub.StepID{responsehub.Retract, responsehub.Persistence}) {
		t.Errorf("first %v", did)
	}
	if did := endUndo(inc, responsehub.Undone); !slices.Equal(did, []responsehub.StepID{responsehub.Lock}) || inc.State != responsehub.FalseAlarm || inc.ClosedAt.IsZero() {
		t.Errorf("then %v, the incident is %s", did, inc.State)
	}
	if answer, err := inc.FalseAlarm(bob, "r", noon); err != nil || !answer.Joined {
		t.Errorf("once closed: %+v %v", answer, err)
	}
}

func TestFalseAlarmLeavesWhatCannotBeTakenBack(t *testing.T) {
	inc := cleaned(t)
	if _, err := inc.FalseAlarm(ann, "on holiday", noon); err != nil {
		t.Fatal(err)
	}
	endUndo(inc, responsehub.Undone)
	inc.Step(responsehub.Lock).Reason = "The hub's app lacks a right."
	endUndo(inc, responsehub.NeedsHuman)
	if inc.State != responsehub.Active || inc.Step(responsehub.Close).State != responsehub.NeedsHuman || !strings.Contains(inc.Step(responsehub.Close).Reason, "lacks a right") {
		t.Fatalf("%s, %+v", inc.State, inc.Step(responsehub.Close))
	}
	called := cleaned(t)
	*called = *inc
	called.Steps = slices.Clone(inc.Steps)
	if _, err := inc.FalseAlarm(bob, "opened by hand", noon); err != nil || inc.State != responsehub.FalseAlarm {
		t.Errorf("confirmed: %v, %s", err, inc.State)
	}
	// Whoever goes on with the steps instead calls it off.
	if _, err := called.Ask(responsehub.Lock, bob, responsehub.StepRequest{}, noon); err != nil || called.Withdrawal != nil || called.Step(responsehub.Close).State != responsehub.Waiting {
		t.Errorf("gone on with: %v, %+v", err, called.Withdrawal)
	}
}

func TestNewEvidenceCallsOffAFalseAlarm(t *testing.T) {
	inc := cleaned(t)
	if _, err := inc.FalseAlarm(ann, "on holiday", noon); err != nil {
		t.Fatal(err)
	}
	endUndo(inc, responsehub.Undone)
	a := takeover()
	a.ID = "det-2"
	a.Phish[0].InternetMessageID = "<another@evil.example>"
	if !inc.Join(noon, "petra", a) {
		t.Fatal("the evidence was not new")
	}
	endUndo(inc, responsehub.Undone) // of the lock, which was under way
	if inc.Withdrawal != nil || inc.State != responsehub.Active {
		t.Fatalf("%+v, %s", inc.Withdrawal, inc.State)
	}
	if s := inc.Step(responsehub.Lock); s.Next == nil && s.State != responsehub.Queued {
		t.Errorf("the account is not locked again: %+v", s)
	}
	if s := inc.Step(responsehub.Persistence); s.State != responsehub.Queued || s.Undo {
		t.Errorf("persistence is %s", s.State)
	}
}

func TestFalseAlarmBeforePublish(t *testing.T) {
	inc := responsehub.NewIncident("i", "RH-1", noon, "petra", takeover(), contoso, false)
	answer, err := inc.FalseAlarm(ann, "a test of the detector", noon)
	if err != nil || inc.State != responsehub.FalseAlarm || !strings.Contains(answer.Sentence, "Nothing had to be taken back") {
		t.Errorf("%+v %v %s", answer, err, inc.State)
	}
}

// TestOpeningNeedsTwo: what opens the account again by one person's word must not be
// easier than to shut it.
func TestOpeningNeedsTwo(t *testing.T) {
	type ask func(*responsehub.Incident, responsehub.Actor) (responsehub.Answer, error)
	undo := func(id responsehub.StepID) ask {
		return func(inc *responsehub.Incident, who responsehub.Actor) (responsehub.Answer, error) {
			return inc.AskUndo(id, who, responsehub.UndoRequest{Reason: "on holiday", TwoPeople: true}, noon)
		}
	}
	withdraw := func(inc *responsehub.Incident, who responsehub.Actor) (responsehub.Answer, error) {
		return inc.Withdraw(who, responsehub.UndoRequest{Reason: "on holiday", TwoPeople: true}, noon)
	}
	relock := func(inc *responsehub.Incident, who responsehub.Actor) (responsehub.Answer, error) {
		return inc.Ask(responsehub.Lock, who, responsehub.StepRequest{Reason: "again", TwoPeople: true}, noon)
	}
	type press struct {
		who  responsehub.Actor
		ask  ask
		says string
	}
	for _, c := range []struct {
		name    string
		edit    func(*responsehub.Incident)
		presses []press
		opens   bool // the last press takes the lock back, or will
	}{
		{"undo by one", nil, []press{{ann, undo(responsehub.Lock), "Step 1 is not taken back yet: this account needs two people. Somebody else has to confirm by asking for the undo again."}}, false},
		{"undo by the same twice", nil, []press{{ann, undo(responsehub.Lock), "not taken back yet"}, {ann, undo(responsehub.Lock), "You asked for this at"}}, false},
		{"undo by two", nil, []press{{ann, undo(responsehub.Lock), "not taken back yet"}, {bob, undo(responsehub.Lock), "Undo of step 1: started."}}, true},
		{"mail needs nobody else", nil, []press{{ann, undo(responsehub.Retract), "Undo of step 2: started."}}, false},
		{"false alarm by one", nil, []press{{ann, withdraw, "The false alarm takes the lock back, so it does not begin yet: this account needs two people."}}, false},
		{"false alarm by the same twice", nil, []press{{ann, withdraw, "two people"}, {ann, withdraw, "declaring the false alarm again"}}, false},
		{"false alarm by two", nil, []press{{ann, withdraw, "two people"}, {bob, withdraw, "what was done is being taken back"}}, true},
		{"a false alarm confirms no undo", nil, []press{{ann, withdraw, "two people"}, {bob, undo(responsehub.Lock), "not taken back yet"}}, false},
		{"a lock confirms no undo", nil, []press{{ann, relock, "two people"}, {bob, undo(responsehub.Lock), "not taken back yet"}}, false},
		{"an undo confirms no lock", nil, []press{{ann, undo(responsehub.Lock), "two people"}, {bob, relock, "is not started yet"}}, false},
		{"an account on its way to being locked", func(inc *responsehub.Incident) {
			inc.Step(responsehub.Lock).State = responsehub.Sent
		}, []press{{ann, withdraw, "two people"}}, false},
		{"an account that the hub did not lock", func(inc *responsehub.Incident) {
			inc.Step(responsehub.Lock).State, inc.Step(responsehub.Lock).Snapshot = responsehub.Waiting, nil
		}, []press{{ann, withdraw, "what was done is being taken back"}}, true},
		{"more evidence in between", func(inc *responsehub.Incident) {
			if _, err := withdraw(inc, ann); err != nil {
				panic(err)
			}
			more := takeover()
			more.ID, more.Phish = "more", []responsehub.Phish{{Sender: "x@evil.example", Subject: "new"}}
			if !inc.Join(noon, "petra", more) {
				panic("nothing new")
			}
		}, []press{{bob, withdraw, "two people"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inc := cleaned(t)
			if c.edit != nil {
				c.edit(inc)
			}
			for i, p := range c.presses {
				a, err := p.ask(inc, p.who)
				if err != nil || !strings.Contains(a.Sentence, p.says) {
					t.Fatalf("press %d: %q, %v", i, a.Sentence, err)
				}
			}
			lock := inc.Step(responsehub.Lock)
			if opens := inc.Withdrawal != nil || lock.Undo && lock.State == responsehub.Queued; opens != c.opens {
				t.Errorf("the account is opened: %v, want %v", opens, c.opens)
			}
			if c.opens && lock.Confirm != nil {
				t.Error("the confirmation is still open")
			}
		})
	}
}
