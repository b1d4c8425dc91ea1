package responsehub_test

import (
	"strings"
	"testing"
	"time"

	"responsehub"
)

// state puts a step where the case wants it, without a story.
func state(inc *responsehub.Incident, id responsehub.StepID, to responsehub.StepState) {
	inc.Step(id).State = to
}

func items(inc *responsehub.Incident, to responsehub.StepState) {
	s := inc.Step(responsehub.Persistence)
	for i := range s.Items {
		s.Items[i].State = to
	}
}

func TestGate(t *testing.T) {
	const open = "" // the gate is open
	clean := func(inc *responsehub.Incident) {
		state(inc, responsehub.Persistence, responsehub.Done)
		items(inc, responsehub.Done)
	}
	tests := []struct {
		name   string
		ready  func(*responsehub.Incident)
		step   responsehub.StepID
		refuse []string
	}{
		// The switch per tenant.
		{"unpublished: publish", func(inc *responsehub.Incident) { inc.State = responsehub.Unpublished }, responsehub.Publish, nil},
		{"unpublished: lock names Publish", func(inc *responsehub.Incident) { inc.State = responsehub.Unpublished }, responsehub.Lock, []string{"Publish Incident"}},
		{"unpublished: password names Publish, not the items", func(inc *responsehub.Incident) { inc.State = responsehub.Unpublished }, responsehub.Password, []string{"Publish Incident"}},
		{"unpublished: close names Publish", func(inc *responsehub.Incident) { inc.State = responsehub.Unpublished }, responsehub.Close, []string{"Publish Incident"}},
		{"active: lock", func(*responsehub.Incident) {}, responsehub.Lock, nil},
		{"active: retract", func(*responsehub.Incident) {}, responsehub.Retract, nil},
		{"active: persistence", func(*responsehub.Incident) {}, responsehub.Persistence, nil},
		{"unknown tenant: lock", func(inc *responsehub.Incident) { inc.Tenant = responsehub.TenantRef{Name: "org-9"} }, responsehub.Lock, []string{"does not know the tenant org-9"}},
		{"unknown tenant: publish", func(inc *responsehub.Incident) {
			inc.State, inc.Tenant = responsehub.Unpublished, responsehub.TenantRef{Name: "org-9"}
		}, responsehub.Publish, nil},

		// Reset password.
		{"password: nobody looked", func(inc *responsehub.Incident) { inc.Step(responsehub.Persistence).Items = nil }, responsehub.Password, []string{"Nobody has looked"}},
		{"password: an open rule is named in quotes", func(*responsehub.Incident) {}, responsehub.Password, []string{`inbox rule "hide replies"`, "step 3", "set them aside with a reason"}},
		{"password: a nameless item is named by its id", func(inc *responsehub.Incident) {
			inc.AddFoothold(responsehub.Item{Kind: responsehub.ServicePrincipal, Object: "sp-1"})
		}, responsehub.Password, []string{`"hide replies"`, `enterprise app "sp-1"`}},
		{"password: many items are counted", func(inc *responsehub.Incident) {
			for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
				inc.AddFoothold(responsehub.Item{Kind: responsehub.InboxRule, Object: name, Name: name})
			}
		}, responsehub.Password, []string{`"d" and 2 more`}},
		{"password: a failed item is open", func(inc *responsehub.Incident) {
			clean(inc)
			items(inc, responsehub.Failed)
		}, responsehub.Password, []string{`"hide replies"`}},
		{"password: an item sent but not read back is open", func(inc *responsehub.Incident) {
			clean(inc)
			items(inc, responsehub.Sent)
		}, responsehub.Password, []string{`"hide replies"`}},
		{"password: persistence queued", func(inc *responsehub.Incident) {
			clean(inc)
			state(inc, responsehub.Persistence, responsehub.Queued)
		}, responsehub.Password, []string{"under way"}},
		{"password: persistence sent", func(inc *responsehub.Incident) {
			clean(inc)
			state(inc, responsehub.Persistence, responsehub.Sent)
		}, responsehub.Password, []string{"under way"}},
		{"password: could not be read is not clean", func(inc *responsehub.Incident) {
			clean(inc)
			state(inc, responsehub.Persistence, responsehub.Failed)
			inc.Step(responsehub.Persistence).Reason = "The rules could not be read."
		}, responsehub.Password, []string{"did not end clean", "The rules could not be read."}},
		{"password: part could not be read", func(inc *responsehub.Incident) {
			clean(inc)
			state(inc, responsehub.Persistence, responsehub.Partial)
		}, responsehub.Password, []string{"did not end clean"}},
		{"password: clean", clean, responsehub.Password, nil},
		{"password: nothing found", func(inc *responsehub.Incident) {
			inc.Step(responsehub.Persistence).Items = nil
			state(inc, responsehub.Persistence, responsehub.Done)
		}, responsehub.Password, nil},
		{"password: rule set aside", func(inc *responsehub.Incident) {
			clean(inc)
			items(inc, responsehub.Skipped)
		}, responsehub.Password, nil},
		{"password: persistence set aside", func(inc *responsehub.Incident) {
			state(inc, responsehub.Persistence, responsehub.Skipped)
			items(inc, responsehub.Skipped)
		}, responsehub.Password, nil},
		{"password: what only people can judge does not block", func(inc *responsehub.Incident) {
			clean(inc)
			inc.AddFoothold(responsehub.Item{Kind: responsehub.Forwarding, Object: "x@evil.example"})
			state(inc, responsehub.Persistence, responsehub.NeedsHuman)
		}, responsehub.Password, nil},

		// Re-enable.
		{"re-enable: before the reset", func(*responsehub.Incident) {}, responsehub.Reenable, []string{"step 4, Reset password"}},
		{"re-enable: reset sent, not read back", func(inc *responsehub.Incident) { state(inc, responsehub.Password, responsehub.Sent) }, responsehub.Reenable, []string{"stays locked"}},
		{"re-enable: reset failed", func(inc *responsehub.Incident) { state(inc, responsehub.Password, responsehub.Failed) }, responsehub.Reenable, []string{"stays locked"}},
		{"re-enable: after the reset", func(inc *responsehub.Incident) { state(inc, responsehub.Password, responsehub.Done) }, responsehub.Reenable, nil},
		{"re-enable: reset set aside", func(inc *responsehub.Incident) { state(inc, responsehub.Password, responsehub.Skipped) }, responsehub.Reenable, nil},

		// Mark as remediated.
		{"close: names what is open", func(inc *responsehub.Incident) {
			state(inc, responsehub.Lock, responsehub.Done)
			state(inc, responsehub.Retract, responsehub.Skipped)
		}, responsehub.Close, []string{"3 Disable persistence, 4 Reset password, 5 Re-enable account"}},
		{"close: all settled", func(inc *responsehub.Incident) {
			for _, id := range responsehub.StepIDs[1:6] {
				state(inc, id, responsehub.Done)
			}
		}, responsehub.Close, nil},
		{"close: sent is not done", func(inc *responsehub.Incident) {
			for _, id := range responsehub.StepIDs[1:6] {
				state(inc, id, responsehub.Done)
			}
			state(inc, responsehub.Reenable, responsehub.Sent)
		}, responsehub.Close, []string{"5 Re-enable account"}},
		{"remediated: lock", func(inc *responsehub.Incident) { inc.State = responsehub.Remediated }, responsehub.Lock, []string{"RH-7K2M is closed (remediated)"}},
		{"false alarm: publish", func(inc *responsehub.Incident) { inc.State = responsehub.FalseAlarm }, responsehub.Publish, []string{"closed (false alarm)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inc := published(t)
			tt.ready(inc)
			err := inc.Gate(tt.step)
			if (err == nil) != (len(tt.refuse) == 0) {
				t.Fatalf("gate of %s says %v, want words %q", tt.step, err, tt.refuse)
			}
			if err == nil {
				if got := inc.Blocked(tt.step); got != open {
					t.Errorf("the gate is open, but Blocked says %q", got)
				}
				return
			}
			if kind := responsehub.KindOf(err); kind != responsehub.Refused {
				t.Errorf("kind %s, want refused", kind)
			}
			for _, words := range tt.refuse {
				if !strings.Contains(inc.Blocked(tt.step), words) {
					t.Errorf("the sentence %q lacks %q", inc.Blocked(tt.step), words)
				}
			}
		})
	}
}

func TestAskRefusesAMalformedRequest(t *testing.T) {
	rule := responsehub.ItemID(responsehub.InboxRule, "rule-1")
	tests := []struct {
		name    string
		step    responsehub.StepID
		r       responsehub.StepRequest
		kind    responsehub.Kind
		pointer string
	}{
		{"unknown step", "reboot", responsehub.StepRequest{}, responsehub.NotFound, ""},
		{"reason too long", responsehub.Lock, responsehub.StepRequest{Reason: strings.Repeat("x", responsehub.MaxReason+1)}, responsehub.Invalid, "/reason"},
		{"unknown action", responsehub.Persistence, responsehub.StepRequest{Action: "burn"}, responsehub.Invalid, "/action"},
		{"action on another step", responsehub.Lock, responsehub.StepRequest{Action: responsehub.Disable}, responsehub.Invalid, "/action"},
		{"items on another step", responsehub.Retract, responsehub.StepRequest{Items: []string{rule}}, responsehub.Invalid, "/items"},
		{"unknown item", responsehub.Persistence, responsehub.StepRequest{Items: []string{rule, "nope"}}, responsehub.Invalid, "/items/1"},
		{"set aside without a reason", responsehub.Persistence, responsehub.StepRequest{Skip: true, Reason: " \n"}, responsehub.Invalid, "/reason"},
		{"set publish aside", responsehub.Publish, responsehub.StepRequest{Skip: true, Reason: "x"}, responsehub.Refused, ""},
		{"set close aside", responsehub.Close, responsehub.StepRequest{Skip: true, Reason: "x"}, responsehub.Refused, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inc := published(t)
			_, err := inc.Ask(tt.step, ann, tt.r, noon)
			wantFault(t, err, tt.kind, tt.pointer)
			if events := inc.TakeEvents(); len(events) > 0 {
				t.Errorf("a refused request left %d events, first %+v", len(events), events[0])
			}
		})
	}
}

func TestASecondAskerJoinsTheFirst(t *testing.T) {
	inc := published(t)
	if first := mustAsk(t, inc, responsehub.Lock, ann, responsehub.StepRequest{}); first.Joined {
		t.Fatalf("the first asker joined somebody: %q", first.Sentence)
	}
	inc.TakeEvents()
	for _, at := range []responsehub.StepState{responsehub.Queued, responsehub.Running, responsehub.Sent, responsehub.Done} {
		if err := inc.Step(responsehub.Lock).To(at); err != nil {
			t.Fatal(err)
		}
		second := mustAsk(t, inc, responsehub.Lock, bob, responsehub.StepRequest{})
		if !second.Joined || !strings.Contains(second.Sentence, "started by Ann at 12:00:00 UTC") {
			t.Errorf("%s: Bob reads %q (joined %v), want to read that Ann was first", at, second.Sentence, second.Joined)
		}
		if s := inc.Step(responsehub.Lock); s.State != at || s.Round != 1 || s.RequestedBy.Name != "Ann" {
			t.Errorf("%s: the second asker changed the step to %+v", at, s)
		}
	}
	if events := inc.TakeEvents(); len(events) != 0 {
		t.Errorf("the second asker left events: %+v", events)
	}
}

func TestADoneStepIsDoneAgainOnlyForAReason(t *testing.T) {
	inc := published(t)
	mustAsk(t, inc, responsehub.Lock, ann, responsehub.StepRequest{})
	finish(t, inc, responsehub.Lock, responsehub.Done)
	if hint := mustAsk(t, inc, responsehub.Lock, bob, responsehub.StepRequest{}).Sentence; !strings.Contains(hint, "give a reason") {
		t.Errorf("the answer %q does not say how to do it again", hint)
	}
	mustAsk(t, inc, responsehub.Lock, bob, responsehub.StepRequest{Reason: "sign-ins go on"})
	if s := inc.Step(responsehub.Lock); s.State != responsehub.Queued || s.Round != 2 || s.RequestedBy.Name != "Bob" {
		t.Errorf("asked for again with a reason: %+v, want queued, round 2, by Bob", s)
	}
	again := mustAsk(t, inc, responsehub.Publish, bob, responsehub.StepRequest{Reason: "again"})
	if !again.Joined || inc.Step(responsehub.Publish).Round != 1 {
		t.Errorf("published twice: %q", again.Sentence)
	}
}

func TestAskingForSomeItemsLeavesTheOthers(t *testing.T) {
	inc := published(t)
	inc.AddFoothold(responsehub.Item{Kind: responsehub.ServicePrincipal, Object: "sp-1"})
	rule, app := responsehub.ItemID(responsehub.InboxRule, "rule-1"), responsehub.ItemID(responsehub.ServicePrincipal, "sp-1")
	mustAsk(t, inc, responsehub.Persistence, ann, responsehub.StepRequest{Items: []string{rule}, Action: responsehub.Delete})
	s := inc.Step(responsehub.Persistence)
	if !s.Wants(rule) || s.Wants(app) || s.Action != responsehub.Delete {
		t.Fatalf("asked to delete the rule only, got %+v", s)
	}
	finish(t, inc, responsehub.Persistence, responsehub.Done)
	// Though the step ended done, the other item can still be asked for, by name and without a reason.
	if next := mustAsk(t, inc, responsehub.Persistence, bob, responsehub.StepRequest{Items: []string{app}}); next.Joined {
		t.Errorf("the open item could not be asked for: %q", next.Sentence)
	}
	if s.Wants(rule) || !s.Wants(app) {
		t.Errorf("the second round wants %q, want the app only", s.Asked)
	}
}

func TestSetAside(t *testing.T) {
	skip := responsehub.StepRequest{Skip: true, Reason: "the user's own rule"}
	rule := responsehub.ItemID(responsehub.InboxRule, "rule-1")
	t.Run("one item after the work", func(t *testing.T) {
		inc := published(t)
		mustAsk(t, inc, responsehub.Persistence, ann, responsehub.StepRequest{})
		finish(t, inc, responsehub.Persistence, responsehub.Failed)
		inc.TakeEvents()
		r := skip
		r.Items = []string{rule}
		mustAsk(t, inc, responsehub.Persistence, bob, r)
		it := inc.Step(responsehub.Persistence).Item(rule)
		if it.State != responsehub.Skipped || it.By.Name != "Bob" || !strings.Contains(it.Why, "the user's own rule") {
			t.Errorf("the item is %+v, want it set aside by Bob with his reason", it)
		}
		events := inc.TakeEvents()
		if len(events) != 1 || events[0].Kind != responsehub.EventItemSkipped || !strings.Contains(events[0].Text, "the user's own rule") {
			t.Errorf("events %+v, want one that says who set the item aside and why", events)
		}
	})
	t.Run("the last rule leaves what only people can judge, and opens the reset", func(t *testing.T) {
		inc := published(t)
		mustAsk(t, inc, responsehub.Persistence, ann, responsehub.StepRequest{})
		inc.AddFoothold(responsehub.Item{Kind: responsehub.OAuthGrant, Object: "grant-1", Name: "Mail Backup"})
		finish(t, inc, responsehub.Persistence, responsehub.Partial)
		if inc.Gate(responsehub.Password) == nil {
			t.Fatal("the reset is open while the rule works")
		}
		r := skip
		r.Items = []string{rule}
		mustAsk(t, inc, responsehub.Persistence, bob, r)
		s := inc.Step(responsehub.Persistence)
		if s.State != responsehub.NeedsHuman || !strings.Contains(s.Reason, `"Mail Backup"`) {
			t.Errorf("the step is %s: %s", s.State, s.Reason)
		}
		if err := inc.Gate(responsehub.Password); err != nil {
			t.Errorf("the reset stays shut: %v", err)
		}
	})
	t.Run("an item before the work does not settle the step", func(t *testing.T) {
		inc := published(t)
		r := skip
		r.Items = []string{rule}
		mustAsk(t, inc, responsehub.Persistence, ann, r)
		if err := inc.Gate(responsehub.Password); err == nil || !strings.Contains(err.Error(), "Nobody has looked") {
			t.Errorf("the reset's gate says %v, want that nobody has looked for persistence yet", err)
		}
	})
	t.Run("the step", func(t *testing.T) {
		inc := published(t)
		mustAsk(t, inc, responsehub.Persistence, ann, skip)
		s := inc.Step(responsehub.Persistence)
		if s.State != responsehub.Skipped || s.Items[0].State != responsehub.Skipped || !strings.Contains(s.Reason, "the user's own rule") {
			t.Errorf("set aside, but the step is %+v", s)
		}
		if second := mustAsk(t, inc, responsehub.Persistence, bob, skip); !second.Joined {
			t.Errorf("setting aside twice: %q", second.Sentence)
		}
		if answer := mustAsk(t, inc, responsehub.Persistence, bob, responsehub.StepRequest{}); answer.Joined || s.State != responsehub.Queued {
			t.Errorf("what was set aside cannot be asked for after all: %q, %s", answer.Sentence, s.State)
		}
	})
	t.Run("not while it is under way", func(t *testing.T) {
		inc := published(t)
		mustAsk(t, inc, responsehub.Lock, ann, responsehub.StepRequest{})
		_, err := inc.Ask(responsehub.Lock, bob, skip, noon)
		wantFault(t, err, responsehub.Refused, "")
	})
	t.Run("not before publish", func(t *testing.T) {
		_, err := opened(t, false).Ask(responsehub.Lock, ann, skip, noon)
		wantFault(t, err, responsehub.Refused, "")
		if !strings.Contains(err.Error(), "Publish Incident") {
			t.Errorf("the refusal %q does not name Publish", err)
		}
	})
	t.Run("not after the end", func(t *testing.T) {
		inc := published(t)
		inc.State = responsehub.Remediated
		_, err := inc.Ask(responsehub.Lock, ann, skip, noon)
		wantFault(t, err, responsehub.Refused, "")
	})
}

func TestPublishAndCloseSettleInTheSameWrite(t *testing.T) {
	inc := opened(t, false)
	mustAsk(t, inc, responsehub.Publish, ann, responsehub.StepRequest{})
	if inc.State != responsehub.Active || inc.Step(responsehub.Publish).State != responsehub.Done {
		t.Fatalf("published, but the incident is %s", inc.State)
	}
	for _, id := range responsehub.StepIDs[1:6] {
		state(inc, id, responsehub.Done)
	}
	later := noon.Add(time.Hour)
	if _, err := inc.Ask(responsehub.Close, bob, responsehub.StepRequest{}, later); err != nil {
		t.Fatal(err)
	}
	if inc.State != responsehub.Remediated || !inc.ClosedAt.Equal(later) {
		t.Errorf("closed, but the incident is %s since %s", inc.State, inc.ClosedAt)
	}
	if second := mustAsk(t, inc, responsehub.Close, ann, responsehub.StepRequest{}); !second.Joined || !strings.Contains(second.Sentence, "Bob at 13:00:00 UTC") {
		t.Errorf("the second to close reads %q, want to read that Bob was first", second.Sentence)
	}
}

func TestTheFirstToActAcknowledges(t *testing.T) {
	inc := opened(t, true)
	if inc.Acknowledged != nil {
		t.Fatalf("the policy acknowledged: %+v", inc.Acknowledged)
	}
	mustAsk(t, inc, responsehub.Lock, ann, responsehub.StepRequest{}) // joins the policy's request
	if inc.Acknowledged != nil {
		t.Errorf("joining counts as acknowledging: %+v", inc.Acknowledged)
	}
	if a := inc.Acknowledge(bob, noon); a.Joined || inc.Acknowledged.By.Name != "Bob" {
		t.Errorf("Bob acknowledges first and reads %q", a.Sentence)
	}
	if a := inc.Acknowledge(ann, noon.Add(time.Hour)); !a.Joined || !strings.Contains(a.Sentence, "Bob acknowledged this at 12:00:00 UTC") {
		t.Errorf("Ann acknowledges second and reads %q", a.Sentence)
	}

	inc = published(t) // Ann published: that is an answer
	if inc.Acknowledged == nil || inc.Acknowledged.By.Name != "Ann" {
		t.Errorf("Ann published, but the acknowledgement is %+v", inc.Acknowledged)
	}
}
