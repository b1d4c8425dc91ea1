package remediation_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

// TestPausedTenant: its alerts open incidents and call for people, with a sentence on
// every step that would have run; people run them as always; resumed, the next runs.
func TestPausedTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := bubbleRedis(t)
		paused := responsehub.Tenant{Paused: &responsehub.Stop{By: responsehub.By{Name: "Ann"}, At: time.Now()}}
		e := guarded(t, rdb, paused, &responsehub.Settings{}, nil)
		inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "m1")
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
			s := inc.Step(id)
			if s.State.Busy() || !s.Held || !strings.Contains(s.Reason, "Contoso is paused") || !strings.Contains(s.Reason, "Ann") {
				t.Errorf("%s: %s, held %t, %q", id, s.State, s.Held, s.Reason)
			}
		}
		if why := inc.NeedsPeople(time.Now()); why == "" {
			t.Error("nobody is called about it")
		}
		// More evidence for the same account starts nothing either.
		more := alert("a2", on, "pat@contoso.example")
		more.Persistence = []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r9", Name: "."}}
		inc, known := open(t, e, more, "m2")
		if s := inc.Step(responsehub.Persistence); !known || s.State.Busy() {
			t.Errorf("joined %t: step 3 is %s", known, s.State)
		}
		if _, err := e.Request(t.Context(), ann, inc.ID, responsehub.Lock, responsehub.StepRequest{}); err != nil {
			t.Errorf("a person cannot lock: %v", err)
		}
		resumed := guarded(t, rdb, responsehub.Tenant{}, &responsehub.Settings{}, nil)
		if inc, _ := open(t, resumed, alert("a3", on, "sam@contoso.example"), "m3"); inc.Step(responsehub.Lock).State != responsehub.Queued {
			t.Errorf("resumed: the lock is %s", inc.Step(responsehub.Lock).State)
		}
	})
}

// TestNotifyRunsNothingByItself: the product without Response leaves every incident to
// people, and keeps no step from them.
func TestNotifyRunsNothingByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := guarded(t, bubbleRedis(t), responsehub.Tenant{Product: responsehub.ProductNotify}, &responsehub.Settings{}, nil)
		inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "m1")
		if inc.State != responsehub.Unpublished || inc.Step(responsehub.Lock).State != responsehub.Waiting {
			t.Fatalf("%s, lock %s", inc.State, inc.Step(responsehub.Lock).State)
		}
		for _, step := range []responsehub.StepID{responsehub.Publish, responsehub.Lock} {
			if _, err := e.Request(t.Context(), ann, inc.ID, step, responsehub.StepRequest{}); err != nil {
				t.Errorf("%s by a person: %v", step, err)
			}
		}
	})
}

// obedient does all that its lane is asked for.
type obedient responsehub.Lane

func (o obedient) Lane() responsehub.Lane { return responsehub.Lane(o) }

func (o obedient) Wake(*responsehub.Incident, []responsehub.Event) bool { return true }

func (o obedient) Follow(context.Context, *responsehub.Turn) responsehub.Outcome {
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		for i := range inc.Steps {
			s := &inc.Steps[i]
			if s.ID.Lane() != o.Lane() || !s.State.Busy() {
				continue
			}
			if err := s.To(responsehub.Done); err != nil {
				return err
			}
			for k := range s.Items {
				s.Items[k].State = responsehub.Done
			}
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventDone, Step: s.ID})
		}
		return nil
	})
}

// TestTrialEndsWhileAnIncidentIsOpen: every step still goes, at the tenant whose trial
// ended and at a hub whose trial ended; and so does the next incident.
func TestTrialEndsWhileAnIncidentIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := time.Now().Add(time.Minute)
		tenant, hub := responsehub.Tenant{TrialEnds: ends}, responsehub.Subscription{TrialEnds: ends}
		e := guarded(t, bubbleRedis(t), tenant, &responsehub.Settings{}, nil)
		e.Follow(obedient(responsehub.LaneLock), obedient(responsehub.LaneRetract), obedient(responsehub.LanePersistence), obedient(responsehub.LaneAccount))
		inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "m1")
		time.Sleep(2 * time.Minute)
		if hub.MayOnboard(time.Now()) == nil || hub.MaySwitch(&tenant, responsehub.ProductNotify, time.Now()) == nil {
			t.Fatal("the trial did not end")
		}
		running(t, e)
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence, responsehub.Password, responsehub.Reenable, responsehub.Close} {
			time.Sleep(10 * time.Second)
			if !id.Automatic() {
				if _, err := e.Request(t.Context(), ann, inc.ID, id, responsehub.StepRequest{}); err != nil {
					t.Fatalf("%s: %v", id, err)
				}
				time.Sleep(10 * time.Second)
			}
			now, err := e.Incident(t.Context(), ann, inc.ID)
			if err != nil {
				t.Fatal(err)
			}
			if s := now.Step(id); s.State != responsehub.Done {
				t.Errorf("%s is %s: %q", id, s.State, s.Reason)
			}
		}
		if again, _ := open(t, e, alert("a2", on, "sam@contoso.example"), "m2"); again.Step(responsehub.Lock).State != responsehub.Queued {
			t.Errorf("an alert after the end: the lock is %s", again.Step(responsehub.Lock).State)
		}
	})
}
