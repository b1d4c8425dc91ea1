package responsehub_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"responsehub"
)

// machine is an incident between people who ask for anything at any time and
// followers whose work ends in any way the table allows.
type machine struct {
	inc   *responsehub.Incident
	now   time.Time
	first string // who acknowledged first, as the model knows it
	seq   int64
	head  string
	log   [][]byte
}

// FuzzAsk is the property of TestAnyStory for the fuzzer.
func FuzzAsk(f *testing.F) { f.Fuzz(rapid.MakeFuzz(anyStory)) }

func TestAnyStory(t *testing.T) { rapid.Check(t, anyStory) }

func anyStory(t *rapid.T) {
	response := rapid.Bool().Draw(t, "response")
	m := &machine{now: noon, inc: responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", takeover(), contoso, response)}
	m.write(t, nil)
	t.Repeat(map[string]func(*rapid.T){
		"ask":         m.ask,
		"work":        m.work,
		"join":        m.join,
		"hurry":       m.hurry,
		"undo":        m.undo,
		"false alarm": m.falseAlarm,
		"acknowledge": m.acknowledge,
		"":            m.invariants,
	})
}

func person(t *rapid.T) responsehub.Actor {
	return rapid.SampledFrom([]responsehub.Actor{ann, bob, responsehub.Policy}).Draw(t, "who")
}

// ask asks for any step in any way, and checks what the write may have changed.
func (m *machine) ask(t *rapid.T) {
	id := rapid.SampledFrom(responsehub.StepIDs).Draw(t, "step")
	r := responsehub.StepRequest{
		Skip:   rapid.Bool().Draw(t, "skip"),
		Reason: rapid.SampledFrom([]string{"", "because"}).Draw(t, "reason"),
	}
	if id == responsehub.Persistence {
		for _, it := range m.inc.Step(id).Items {
			if rapid.Bool().Draw(t, "item "+it.ID) {
				r.Items = append(r.Items, it.ID)
			}
		}
		r.Action = rapid.SampledFrom([]responsehub.Action{"", responsehub.Disable, responsehub.Delete}).Draw(t, "action")
	}
	who := person(t)
	before := stored(t, m.inc)
	answer, err := m.inc.Ask(id, who, r, m.now)

	was, is := before.Step(id), m.inc.Step(id)
	started := is.Round != was.Round
	switch {
	case err != nil:
		m.same(t, before, "a refusal")
		if responsehub.Sentence(err) == "" {
			t.Fatalf("%s was refused without a sentence", id)
		}
	case answer.Joined:
		m.same(t, before, "joining")
		if answer.Sentence == "" {
			t.Fatalf("%s was joined without a sentence", id)
		}
	}
	if started {
		if before.State.Closed() {
			t.Fatalf("%s was started in a closed incident", id)
		}
		if before.State == responsehub.Unpublished && id != responsehub.Publish {
			t.Fatalf("%s was started before Publish", id)
		}
		if was.State.Busy() {
			t.Fatalf("%s was started while it was %s", id, was.State)
		}
		if was.State == responsehub.Done && r.Reason == "" && len(r.Items) == 0 {
			t.Fatalf("%s was done and was started again without a reason", id)
		}
	}
	if id == responsehub.Password && is.State == responsehub.Queued && was.State != responsehub.Queued {
		m.passwordMayBeReset(t, before)
	}
	if id == responsehub.Reenable && started {
		if s := before.Step(responsehub.Password).State; s != responsehub.Done && s != responsehub.Skipped {
			t.Fatalf("the account was re-enabled while the reset was %s", s)
		}
	}
	if id == responsehub.Close && started {
		for _, other := range responsehub.StepIDs[1:6] {
			if s := before.Step(other).State; !s.Settled() {
				t.Fatalf("the incident was closed while %s was %s", other, s)
			}
		}
	}
	if m.first == "" && m.inc.Acknowledged != nil {
		if who.ID == responsehub.Policy.ID {
			t.Fatal("the policy acknowledged")
		}
		m.first = who.Name
	}
	m.write(t, before)
}

// undo asks for any step to be taken back, in any way.
func (m *machine) undo(t *rapid.T) {
	id := rapid.SampledFrom(responsehub.StepIDs).Draw(t, "step")
	r := responsehub.UndoRequest{Reason: rapid.SampledFrom([]string{"", "because"}).Draw(t, "reason")}
	if id == responsehub.Persistence {
		for _, it := range m.inc.Step(id).Items {
			if rapid.Bool().Draw(t, "item "+it.ID) {
				r.Items = append(r.Items, it.ID)
			}
		}
	}
	before := stored(t, m.inc)
	answer, err := m.inc.AskUndo(id, m.who(t), r, m.now)
	was, is := before.Step(id), m.inc.Step(id)
	switch {
	case err != nil, answer.Joined:
		m.same(t, before, "a refused or joined undo")
	case !is.Undo || is.State != responsehub.Queued || was.State.Busy() || r.Reason == "" || before.State != responsehub.Active:
		t.Fatalf("the undo of %s, which was %s, was queued: %+v", id, was.State, is)
	case id != responsehub.Lock && id != responsehub.Retract && id != responsehub.Persistence:
		t.Fatalf("%s has no undo", id)
	}
	m.acknowledged()
	m.write(t, before)
}

// falseAlarm declares the incident a false alarm. It closes only when nothing is at work
// and nothing that can be taken back is left, or when a person has seen what is.
func (m *machine) falseAlarm(t *rapid.T) {
	if rapid.IntRange(0, 2).Draw(t, "doubt") > 0 {
		return
	}
	before := stored(t, m.inc)
	answer, err := m.inc.FalseAlarm(m.who(t), rapid.SampledFrom([]string{"", "because"}).Draw(t, "reason"), m.now)
	if err != nil || answer.Joined {
		m.same(t, before, "a refused or joined false alarm")
	}
	m.acknowledged()
	m.write(t, before)
}

func (m *machine) who(t *rapid.T) responsehub.Actor {
	return rapid.SampledFrom([]responsehub.Actor{ann, bob}).Draw(t, "who")
}

// acknowledged notes who was first, when it was this write.
func (m *machine) acknowledged() {
	if a := m.inc.Acknowledged; m.first == "" && a != nil {
		m.first = a.By.Name
	}
}

func (m *machine) passwordMayBeReset(t *rapid.T, before *responsehub.Incident) {
	s := before.Step(responsehub.Persistence)
	for _, it := range s.Items {
		if it.Kind.Blocks() && !it.State.Settled() {
			t.Fatalf("the reset was queued while %s was %s", it.Title(), it.State)
		}
	}
	if !s.State.Settled() && s.State != responsehub.NeedsHuman {
		t.Fatalf("the reset was queued while persistence was %s", s.State)
	}
}

// work lets one follower bring its step one move on, with its items.
func (m *machine) work(t *rapid.T) {
	var busy []responsehub.StepID
	for _, s := range m.inc.Steps {
		if s.State.Busy() {
			busy = append(busy, s.ID)
		}
	}
	if len(busy) == 0 {
		return
	}
	before := stored(t, m.inc)
	s := m.inc.Step(rapid.SampledFrom(busy).Draw(t, "busy"))
	var ways []responsehub.StepState
	for _, tr := range responsehub.Transitions {
		if tr.From == s.State {
			ways = append(ways, tr.To)
		}
	}
	to := rapid.SampledFrom(ways).Draw(t, "outcome")
	for i := range s.Items {
		if it := &s.Items[i]; s.Wants(it.ID) && it.Kind.Blocks() && !it.State.Settled() {
			it.State = rapid.SampledFrom([]responsehub.StepState{responsehub.Waiting, responsehub.Done, responsehub.Failed}).Draw(t, "item")
			it.Snapshot = []byte(`{}`)
		}
	}
	if s.ID == responsehub.Lock {
		s.Snapshot = []byte(`{}`)
	}
	if err := s.To(to); err != nil {
		t.Fatal(err)
	}
	m.write(t, before)
}

// join lets another alert for the account come in, as the engine does: a closed
// incident takes none.
func (m *machine) join(t *rapid.T) {
	if m.inc.State.Closed() {
		return
	}
	before := stored(t, m.inc)
	a := takeover()
	if rapid.Bool().Draw(t, "phish") {
		a.Phish[0].InternetMessageID = rapid.StringMatching(`<[a-c]>`).Draw(t, "message")
	}
	if rapid.Bool().Draw(t, "foothold") {
		a.Persistence[0].Kind = rapid.SampledFrom(responsehub.PersistenceKinds).Draw(t, "kind")
		a.Persistence[0].ID = rapid.StringMatching(`[a-c]`).Draw(t, "object")
	}
	m.inc.Join(m.now, "petra", a)
	for i := range m.inc.Steps {
		was, is := before.Steps[i], m.inc.Steps[i]
		if started := is.Round > was.Round; started && (before.State != responsehub.Active || !is.ID.Automatic()) {
			t.Fatalf("an alert started %s in an incident that was %s", is.ID, before.State)
		}
	}
	m.write(t, before)
}

// hurry sets aside what can be set aside and closes where the gate lets it, so that
// many stories go on after the end.
func (m *machine) hurry(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "patience") > 0 {
		return
	}
	for _, id := range responsehub.StepIDs {
		before := stored(t, m.inc)
		skip := responsehub.StepRequest{Skip: id.Skippable()}
		if skip.Skip {
			skip.Reason = "in a hurry"
		}
		if _, err := m.inc.Ask(id, ann, skip, m.now); err == nil && m.first == "" && m.inc.Acknowledged != nil {
			m.first = ann.Name
		}
		m.write(t, before)
	}
}

func (m *machine) acknowledge(t *rapid.T) {
	who := rapid.SampledFrom([]responsehub.Actor{ann, bob}).Draw(t, "who")
	before := stored(t, m.inc)
	answer := m.inc.Acknowledge(who, m.now)
	if answer.Joined != (m.first != "") {
		t.Fatalf("%s acknowledged after %q: joined is %v", who.Name, m.first, answer.Joined)
	}
	if m.first == "" {
		m.first = who.Name
	} else if !strings.Contains(answer.Sentence, m.first) {
		t.Fatalf("%s was first, but %s reads %q", m.first, who.Name, answer.Sentence)
	}
	m.write(t, before)
}

// write stores the incident and its events, and reads the incident back.
func (m *machine) write(t *rapid.T, before *responsehub.Incident) {
	m.now = m.now.Add(time.Second)
	m.legal(t, before)
	asked := stored(t, m.inc)
	m.inc.Advance(m.now) // as every write of the engine does
	m.legal(t, asked)
	if asked.Withdrawal.Running() && asked.State == responsehub.Active && m.inc.State == responsehub.FalseAlarm {
		for _, s := range m.inc.Steps {
			if s.State.Busy() || m.inc.Reversible(s.ID) {
				t.Fatalf("the false alarm was closed while %s was %s", s.ID, s.State)
			}
		}
	}
	added, head, err := responsehub.Chain(m.seq, m.head, m.inc.TakeEvents())
	if err != nil {
		t.Fatal(err)
	}
	m.log, m.head, m.seq = append(m.log, added...), head, m.seq+int64(len(added))
	m.inc = stored(t, m.inc)
}

// legal checks that a write moved the steps and the incident as the tables allow.
func (m *machine) legal(t *rapid.T, before *responsehub.Incident) {
	if before != nil {
		for i := range m.inc.Steps {
			if from, to := before.Steps[i].State, m.inc.Steps[i].State; from != to && !from.May(to) {
				t.Fatalf("%s went from %s to %s, which the table does not know", m.inc.Steps[i].ID, from, to)
			}
		}
		if before.State.Closed() && m.inc.State != before.State {
			t.Fatalf("the incident was %s and is %s", before.State, m.inc.State)
		}
		if before.State == responsehub.Active && m.inc.State == responsehub.Unpublished {
			t.Fatal("the incident was published and is not any more")
		}
	}
}

func (m *machine) same(t *rapid.T, before *responsehub.Incident, what string) {
	a, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(m.inc)
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Fatalf("%s changed the incident from\n%s\nto\n%s", what, a, b)
	}
}

func (m *machine) invariants(t *rapid.T) {
	if a := m.inc.Acknowledged; (a == nil) != (m.first == "") || a != nil && a.By.Name != m.first {
		t.Fatalf("%q acknowledged first, the incident says %+v", m.first, a)
	}
	if err := responsehub.CheckChain(m.log, m.head); err != nil {
		t.Fatal(err)
	}
	for _, s := range m.inc.Steps {
		if m.inc.State == responsehub.Unpublished && s.Round > 0 {
			t.Fatalf("%s was started before Publish", s.ID)
		}
	}
}
