package oncall_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

func TestTwoAtTheSameInstant(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.dir.tenants[0].Notify.Phone.Wait = time.Second * 5 // both phones ring
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(15 * time.Second)
		codes := map[string]string{"ann": d.code("ann", inc), "bob": d.code("bob", inc)}
		var mu sync.Mutex
		replies := map[string]string{}
		var wg sync.WaitGroup
		for who, code := range codes {
			wg.Go(func() {
				r := d.text(who, "SM"+who, code)
				mu.Lock()
				defer mu.Unlock()
				replies[who] = r
			})
		}
		wg.Wait()
		winner := strings.ToLower(d.look(inc).Acknowledged.By.Name)
		loser := map[string]string{"ann": "bob", "bob": "ann"}[winner]
		if !strings.Contains(replies[winner], "acknowledged, nobody else is called") || !strings.Contains(strings.ToLower(replies[loser]), winner+" was first") {
			t.Errorf("%s won, replies %q", winner, replies)
		}
		d.pass(time.Second)
		for _, l := range d.net.calls {
			if !l.ended || l.end.Sub(d.look(inc).Acknowledged.At) > time.Second {
				t.Errorf("the call to %s goes on: %+v %q", nameOf(l.To), l, d.record(inc))
			}
		}
		n := len(d.net.calls)
		d.starts(inc)
		d.pass(time.Hour)
		if len(d.net.calls) != n {
			t.Errorf("%d calls after the acknowledgement", len(d.net.calls)-n)
		}
	})
}

func TestAcknowledgedInTeamsWhileRinging(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(10 * time.Second)
		d.edit(inc, func(inc *responsehub.Incident) { inc.Acknowledge(teams, time.Now()) })
		acked := time.Now()
		d.pass(time.Second)
		if l := d.net.calls[0]; !l.ended || l.end.Sub(acked) > time.Second {
			t.Errorf("the phone rings on")
		}
		d.starts(inc)
		d.pass(time.Hour)
		d.went("0s call ann", "0s text ann", "10s tell ann")
		if body := d.net.texts[1].Body; body != inc.Ref+" Contoso: Cat has it." {
			t.Errorf("the text says %q", body)
		}
		if s := d.look(inc).Page.State; s != responsehub.PageAcknowledged {
			t.Errorf("the page is %s", s)
		}
	})
}

func TestCodeOfAnotherIncidentAndLateReply(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		one, two := d.alert("a", contoso, responsehub.Low), d.alert("b", tenantID(1), responsehub.Low)
		d.pass(time.Second)
		first, second := d.code("ann", one), d.code("ann", two)
		if first == second {
			t.Fatal("two incidents have one code")
		}
		if r := d.text("ann", "m1", "ack"); !strings.Contains(r, "2 are open") || !strings.Contains(r, "code "+first) || !strings.Contains(r, "code "+second) {
			t.Errorf("a bare ack with two open: %q", r)
		}
		if r := d.text("ann", "m2", " “"+second+"!” "); !strings.HasPrefix(r, two.Ref) {
			t.Errorf("the second's code: %q", r)
		}
		if d.look(one).Acknowledged != nil || d.look(two).Acknowledged == nil {
			t.Error("the code acknowledged the other incident")
		}
		if r := d.text("ann", "m3", "ACK"); !strings.HasPrefix(r, one.Ref) || d.look(one).Acknowledged == nil {
			t.Errorf("a bare ack with one open: %q", r)
		}
		d.edit(one, func(inc *responsehub.Incident) { inc.State, inc.ClosedAt = responsehub.Remediated, time.Now() })
		d.edit(two, func(inc *responsehub.Incident) { inc.State, inc.ClosedAt = responsehub.Remediated, time.Now() })
		d.pass(time.Minute)
		revision := d.look(one).Revision
		if r := d.text("ann", "m4", first); r != one.Ref+" Contoso: closed already." {
			t.Errorf("a late reply: %q", r)
		}
		if d.look(one).Revision != revision {
			t.Error("the late reply wrote something")
		}
		// In the quarantine no other incident gets one of these codes.
		for i := range 40 {
			inc := d.alert(string(rune('c'+i)), tenantID(i+2), responsehub.Low)
			d.pass(time.Second)
			if c := d.code("ann", inc); c == first || c == second {
				t.Errorf("incident %d has a code of another one", i)
			}
		}
	})
}

// TestKilledBetweenRequestAndAnswer kills the hub after the network took the request and
// before its answer is known: after the restart it looks, and neither calls twice nor
// forgets.
func TestKilledBetweenRequestAndAnswer(t *testing.T) {
	for name, answered := range map[string]string{"nobody answers meanwhile": "silent", "answered meanwhile": "4"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{"ann", "bob"}, func(d *desk) {
				d.net.does[numbers["ann"]] = []string{answered}
				once := sync.Once{}
				d.net.lost = func(responsehub.Way, string) error {
					once.Do(func() { d.hub.run.kill() })
					return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "the answer was lost"}
				}
				if answered == "silent" {
					d.net.mute = true
				}
				inc := d.alert("a", contoso, responsehub.Critical)
				d.pass(2 * time.Second)
				d.hub.stop()
				d.net.lost, d.net.mute = nil, false
				d.up()
				d.pass(2 * time.Minute)
				if answered == "silent" {
					d.went("0s call ann", "0s text ann", "1m15s call ann")
					return
				}
				d.went("0s call ann", "0s text ann")
				if d.look(inc).Acknowledged == nil {
					t.Error("the answer was lost")
				}
			})
		})
	}
}

// TestKilledBeforeTheRequest kills the hub after the intent was saved: what never left
// goes out once the hub is back.
func TestKilledBeforeTheRequest(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.fault = func(responsehub.Way, string) error {
			d.hub.run.kill()
			return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "no answer"}
		}
		d.alert("a", contoso, responsehub.Critical)
		d.pass(time.Second)
		d.hub.stop()
		d.net.fault = nil
		d.up()
		d.pass(time.Minute)
		d.went("10s call ann", "10s text ann")
	})
}

// TestRestartsDoNotMoveTheTimes stops the hub over and over: nobody is called later than
// planned by more than a second.
func TestRestartsDoNotMoveTheTimes(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.alert("a", contoso, responsehub.Critical)
		for range 150 {
			d.pass(3700 * time.Millisecond)
			d.hub.stop()
			d.up()
		}
		d.went("0s call ann", "0s text ann", "1m15s call ann", "3m0s call bob", "3m0s text bob", "4m15s call bob",
			"6m0s call ann", "6m0s text ann", "7m15s call ann", "9m0s call bob", "9m0s text bob")
	})
}

// TestProviderIsDownForTenMinutes: nobody's turn goes by meanwhile, whether nothing leaves
// or nobody can say what became of it.
func TestProviderIsDownForTenMinutes(t *testing.T) {
	for name, kind := range map[string]responsehub.Kind{"not reached": responsehub.Unavailable, "answers 503": responsehub.UnknownOutcome} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{"ann", "bob"}, func(d *desk) {
				d.net.fault = func(way responsehub.Way, _ string) error {
					switch {
					case time.Since(d.start) >= 10*time.Minute:
						return nil
					case way == "find":
						return &responsehub.Error{Kind: responsehub.Unavailable, Message: "Twilio has trouble."}
					}
					return &responsehub.Error{Kind: kind, Message: "Twilio has trouble."}
				}
				d.alert("a", contoso, responsehub.Critical)
				d.pass(14 * time.Minute)
				got := d.net.timeline(d.start)
				want := []string{"call ann", "text ann", "call ann", "call bob", "text bob"}
				for i := range got {
					_, got[i], _ = strings.Cut(got[i], " ")
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff, d.net.timeline(d.start))
				}
				if late := d.net.calls[0].at.Sub(d.start.Add(10 * time.Minute)); late > 31*time.Second {
					t.Errorf("the first call went out %s after the provider was back", late)
				}
			})
		})
	}
}

// TestLookingUpIsRefused: an account whose key may not list calls and texts is no reason to
// wait: what may have been lost is asked for again.
func TestLookingUpIsRefused(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.fault = func(way responsehub.Way, _ string) error {
			switch {
			case way == "find":
				return &responsehub.Error{Kind: responsehub.Permanent, Message: "The key may not list calls."}
			case time.Since(d.start) < 5*time.Second:
				return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "Twilio has trouble."}
			}
			return nil
		}
		d.alert("a", contoso, responsehub.Critical)
		d.pass(20 * time.Second)
		d.went("10s call ann", "10s text ann")
	})
}

func TestNumberThatBounces(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.fault = func(_ responsehub.Way, to string) error {
			if to == numbers["ann"] {
				return &responsehub.Error{Kind: responsehub.Permanent, Message: "The number is not valid.", Err: refused("number")}
			}
			return nil
		}
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(30 * time.Second)
		d.went("0s call bob", "0s text bob")
		d.recorded(inc, begun, "Text to Ann: failed. The number is not valid.", "The number of Ann (+1500***0101) does not work. Correct it in the list of people.", "Call to Ann: failed. The number is not valid.", "Call to Bob: no answer")
	})
}

func TestTextThatDoesNotArriveBecomesACall(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.alert("a", contoso, responsehub.Low)
		d.pass(4 * time.Second)
		d.went("0s text ann")
		inc := d.look(&responsehub.Incident{ID: "01INC001"})
		if err := d.pager.Reported(d.t.Context(), inc.Page.Attempts[0].ID, progress("SM1", responsehub.AttemptUndelivered)); err != nil {
			t.Fatal(err)
		}
		d.pass(10 * time.Second)
		d.went("0s text ann", "4s call ann")
	})
}

func TestSeverityChoosesHowLoud(t *testing.T) {
	for severity, want := range map[responsehub.Severity][]string{
		responsehub.Critical: {"0s call ann", "0s text ann", "1m15s call ann", "3m0s call bob", "3m0s text bob"},
		responsehub.High:     {"0s call ann", "0s text ann", "1m15s call ann", "3m0s call bob", "3m0s text bob"},
		responsehub.Medium:   {"0s text ann", "3m0s call ann"},
		responsehub.Low:      {"0s text ann", "3m0s text bob"},
	} {
		bubble(t, []string{"ann", "bob"}, func(d *desk) {
			d.alert("a", contoso, severity)
			d.pass(4 * time.Minute)
			d.went(want...)
		})
	}
}

func TestStop(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(time.Minute)
		if r := d.text("ann", "m1", " Stop. "); r != "" {
			t.Errorf("STOP was answered: %q", r)
		}
		d.pass(6 * time.Minute)
		d.went("0s call ann", "0s text ann", "1m15s call ann", "3m0s call bob", "3m0s text bob", "4m15s call bob", "6m0s call ann")
		if !strings.Contains(strings.Join(d.record(inc), "\n"), "Ann (+1500***0101) wrote STOP: no texts go there, only calls.") {
			t.Errorf("the operators were not told: %q", d.record(inc))
		}
		if r := d.text("ann", "m2", "start"); r != "responsehub: texts are on again." {
			t.Errorf("START was answered %q", r)
		}
		d.pass(6 * time.Minute)
		if last := d.net.timeline(d.start); !strings.Contains(strings.Join(last, " "), "12m0s text ann") {
			t.Errorf("texts are still off: %q", last)
		}
	})
}
