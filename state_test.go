package responsehub_test

import (
	"reflect"
	"testing"
	"time"

	"responsehub"
)

func TestTransitionsAreTheOnlyMoves(t *testing.T) {
	allowed := map[[2]responsehub.StepState]bool{}
	for _, tr := range responsehub.Transitions {
		if allowed[[2]responsehub.StepState{tr.From, tr.To}] {
			t.Errorf("%s -> %s stands in the table twice", tr.From, tr.To)
		}
		allowed[[2]responsehub.StepState{tr.From, tr.To}] = true
		if tr.On == "" {
			t.Errorf("%s -> %s does not say what causes it", tr.From, tr.To)
		}
	}
	for _, from := range responsehub.StepStates {
		for _, to := range responsehub.StepStates {
			s := responsehub.Step{ID: responsehub.Lock, State: from}
			err := s.To(to)
			if from == to {
				if err != nil {
					t.Errorf("staying %s: %v", from, err)
				}
				continue
			}
			if legal := allowed[[2]responsehub.StepState{from, to}]; legal != (err == nil) || legal != from.May(to) {
				t.Errorf("%s -> %s: error %v, May says %v, the table says %v", from, to, err, from.May(to), legal)
			}
			if err != nil && s.State != from {
				t.Errorf("%s -> %s was refused, but the step is %s now", from, to, s.State)
			}
		}
	}
}

func TestEveryStateIsReachedAndLeft(t *testing.T) {
	known := map[responsehub.StepState]bool{}
	for _, s := range responsehub.StepStates {
		known[s] = true
	}
	next := map[responsehub.StepState][]responsehub.StepState{}
	for _, tr := range responsehub.Transitions {
		if !known[tr.From] || !known[tr.To] {
			t.Errorf("%s -> %s: a state that StepStates does not list", tr.From, tr.To)
		}
		next[tr.From] = append(next[tr.From], tr.To)
	}
	reached := map[responsehub.StepState]bool{responsehub.Waiting: true}
	for todo := []responsehub.StepState{responsehub.Waiting}; len(todo) > 0; todo = todo[1:] {
		for _, to := range next[todo[0]] {
			if !reached[to] {
				reached[to] = true
				todo = append(todo, to)
			}
		}
	}
	for _, s := range responsehub.StepStates {
		if !reached[s] {
			t.Errorf("%s cannot be reached from waiting", s)
		}
		if len(next[s]) == 0 {
			t.Errorf("%s cannot be left: a technician would be stuck", s)
		}
		if s.Busy() && s.Settled() {
			t.Errorf("%s is under way and settled at once", s)
		}
	}
}

func TestStepsNumbersTitlesLanes(t *testing.T) {
	for i, id := range responsehub.StepIDs {
		if id.Number() != i || !id.Valid() || id.Title() == "" {
			t.Errorf("%s: number %d, valid %v, title %q; want number %d and a title", id, id.Number(), id.Valid(), id.Title(), i)
		}
		noWork := id == responsehub.Publish || id == responsehub.Close
		if (id.Lane() == "") != noWork {
			t.Errorf("%s has lane %q", id, id.Lane())
		}
		if id.Skippable() == noWork {
			t.Errorf("%s: skippable is %v", id, id.Skippable())
		}
	}
	if responsehub.StepID("reboot").Valid() {
		t.Error("an unknown step is valid")
	}
	// The reset and the re-enabling share a lane, so they cannot overtake each other; the
	// lock shares with nobody, so it waits for nothing.
	if responsehub.Password.Lane() != responsehub.Reenable.Lane() {
		t.Error("password and re-enable may overtake each other")
	}
	for _, id := range responsehub.StepIDs {
		if id != responsehub.Lock && id.Lane() == responsehub.Lock.Lane() {
			t.Errorf("lock waits for %s", id)
		}
	}
}

// TestUntouchedLooksAtEveryField gives each field in turn a value: a step that is not
// stored must have nothing to store.
func TestUntouchedLooksAtEveryField(t *testing.T) {
	if s := (responsehub.Step{ID: responsehub.Lock, State: responsehub.Waiting}); !s.Untouched() {
		t.Error("a new step counts as touched")
	}
	for f := range reflect.TypeFor[responsehub.Step]().Fields() {
		if f.Name == "ID" {
			continue
		}
		s := responsehub.Step{ID: responsehub.Lock, State: responsehub.Waiting}
		v := reflect.ValueOf(&s).Elem().FieldByIndex(f.Index)
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int:
			v.SetInt(1)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				v.Set(reflect.ValueOf(time.Unix(1, 0)))
			} else {
				v.Field(0).SetString("x")
			}
		default:
			t.Fatalf("%s is of a kind this test does not know", f.Name)
		}
		if s.Untouched() {
			t.Errorf("a step with %s counts as untouched and would not be stored", f.Name)
		}
	}
}
