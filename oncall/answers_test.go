package oncall_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"responsehub"
)

func TestNextPersonByKeyAndByText(t *testing.T) {
	bubble(t, []string{"ann", "bob", "cat"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"5"}
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(20 * time.Second)
		d.went("0s call ann", "0s text ann", "8s call bob", "8s text bob")
		if r := d.text("bob", "m1", "next "+d.code("bob", inc)); !strings.Contains(r, "next person is called now") {
			t.Errorf("next: %q", r)
		}
		d.pass(time.Second)
		d.went("0s call ann", "0s text ann", "8s call bob", "8s text bob", "20s call cat", "20s text cat")
	})
}

func TestFiftyIncidentsOneCall(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"1,4"}
		for i := range 50 {
			d.alert(tenantID(i), tenantID(i), responsehub.Critical)
		}
		d.pass(2 * time.Minute)
		if len(d.net.calls) != 1 {
			t.Errorf("%d calls", len(d.net.calls))
		}
		for i := range 50 {
			inc := d.look(&responsehub.Incident{ID: incID(i + 1)})
			if inc.Acknowledged == nil || inc.Page.State != responsehub.PageAcknowledged {
				t.Fatalf("incident %d is not acknowledged: %+v", i, inc.Page)
			}
		}
		said := d.net.said[numbers["ann"]]
		if want := "This is responsehub. 50 incidents need you: Tenant 00, Tenant 01, Tenant 02, Tenant 03, Tenant 04 and 45 more."; !strings.HasPrefix(said[0], want) {
			t.Errorf("said %q", said[0])
		}
		if want := "You have acknowledged all 50. Nobody else is called."; !strings.HasPrefix(said[2], want) {
			t.Errorf("said %q", said[2])
		}
	})
}

// TestTooLateForTheCall: what comes in after the person was told is not taken by the key,
// and is called about next.
func TestTooLateForTheCall(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"7,4", "4"}
		one := d.alert("a", contoso, responsehub.Critical)
		d.pass(10 * time.Second)
		d.net.does[numbers["ann"]] = []string{"4"}
		two := d.alert("b", tenantID(1), responsehub.Critical)
		d.pass(1500 * time.Millisecond)
		if d.look(one).Acknowledged == nil || d.look(two).Acknowledged != nil {
			t.Errorf("acknowledged: %v, %v", d.look(one).Acknowledged, d.look(two).Acknowledged)
		}
		d.pass(30 * time.Second)
		if len(d.net.calls) != 2 || d.look(two).Acknowledged == nil {
			t.Errorf("%d calls", len(d.net.calls))
		}
	})
}

func TestUnknownTenantCallsTheFallback(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		d.alert("a", "99999999-9999-4999-8999-999999999999", responsehub.Critical)
		d.pass(time.Minute)
		d.went("0s call boss", "0s text boss")
	})
}

func TestGuessedCodesAndLoops(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		inc := d.alert("a", contoso, responsehub.Low)
		d.pass(time.Second)
		code := d.code("ann", inc)
		wrong := func(i int) string {
			c := "000" + string(rune('0'+i))
			if c == code {
				c = "9999"
			}
			return c
		}
		for i := range 5 {
			d.text("ann", "guess"+wrong(i), wrong(i))
		}
		if r := d.text("ann", "right", code); r != "" || d.look(inc).Acknowledged != nil {
			t.Errorf("the sixth, right, was taken: %q", r)
		}
		if !strings.Contains(strings.Join(d.record(inc), "\n"), "Five wrong codes came from the number of Ann") {
			t.Errorf("nobody was told: %q", d.record(inc))
		}
		if r, err := d.pager.Texted(d.t.Context(), incoming("x1", "+15559998888", "status")); r != "" || err != nil {
			t.Errorf("a stranger got %q", r)
		}
		answered := 0
		for i := range 20 {
			if d.text("bob", "loop"+string(rune('a'+i)), "I am driving, I will call you back") != "" {
				answered++
			}
		}
		if answered != 5 {
			t.Errorf("%d answers to a machine", answered)
		}
		d.pass(time.Hour)
		if r := d.text("ann", "right2", code); !strings.Contains(r, "acknowledged") {
			t.Errorf("after an hour: %q", r)
		}
	})
}

func TestNotMyNumber(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"9,9"}
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(8 * time.Minute)
		got := strings.Join(d.net.timeline(d.start), ", ")
		if strings.Count(got, " ann") != 2 || !strings.Contains(got, "11s call bob") {
			t.Errorf("went out: %s", got)
		}
		if !strings.Contains(strings.Join(d.record(inc), "\n"), "says that it is not theirs") {
			t.Errorf("nobody was told: %q", d.record(inc))
		}
	})
}

func TestResponseOnPagesOnlyWhenNeeded(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.hub.dir.tenants[0].Response = true
		d.dir.tenants[0].Response = true
		done := d.alert("a", contoso, responsehub.Critical)
		d.edit(done, func(inc *responsehub.Incident) {
			for i := range inc.Steps {
				if inc.Steps[i].ID.Automatic() {
					inc.Steps[i].State = responsehub.Done
				}
			}
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventDone, Step: responsehub.Lock})
		})
		d.pass(time.Hour)
		d.went("0s tell ann")
		if body := d.net.texts[0].Body; body != done.Ref+" Contoso: account takeover. The account is locked, steps 1 to 3 are done. Steps 4 to 6 wait for you." {
			t.Errorf("the text says %q", body)
		}
		d.edit(done, func(inc *responsehub.Incident) {
			inc.Step(responsehub.Persistence).State = responsehub.NeedsHuman
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventItemReturned, Step: responsehub.Persistence})
		})
		d.pass(time.Minute)
		d.went("0s tell ann", "1h0m0s call ann", "1h0m0s text ann")
	})
}

func TestLockThatTakesTooLongPages(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		d.hub.dir.tenants[0].Response = true
		d.alert("a", contoso, responsehub.Critical)
		d.pass(6 * time.Minute)
		d.went("5m0s call ann", "5m0s text ann")
	})
}

// TestCallThatCannotBeEnded: nobody waits for the network to be told that somebody has it.
func TestCallThatCannotBeEnded(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.deaf = 3
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(10 * time.Second)
		d.edit(inc, func(inc *responsehub.Incident) { inc.Acknowledge(teams, time.Now()) })
		d.starts(inc)
		d.pass(14 * time.Second)
		d.went("0s call ann", "0s text ann", "10s tell ann")
		if l := d.net.calls[0]; !l.ended {
			t.Errorf("the phone rings on after %s", time.Since(l.at))
		}
	})
}

// TestKilledDuringACall: the key is pressed while one hub is gone and another one answers.
func TestKilledDuringACall(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"*,4"}
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(6 * time.Second)
		d.hub.stop()
		d.up()
		d.pass(time.Minute)
		d.went("0s call ann", "0s text ann")
		if a := d.look(inc).Acknowledged; a == nil || a.By.Name != "Ann" {
			t.Errorf("acknowledged %+v", a)
		}
	})
}

// TestTheSameKeyAgain: a key that is sent again is answered alike and changes nothing.
func TestTheSameKeyAgain(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(6 * time.Second)
		call := d.look(inc).Page.Attempts[1].ID
		if d.look(inc).Page.Attempts[1].Way != responsehub.ByCall {
			t.Fatal("the second attempt is no call")
		}
		if _, err := d.pager.Answered(d.t.Context(), call); err != nil {
			t.Fatal(err)
		}
		var first string
		for i := range 5 {
			speech, err := d.pager.Pressed(d.t.Context(), call, "CA1", "4", 0)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(speech.Lines, " ")
			if first == "" {
				first = said
			}
			if said != first || !strings.Contains(said, "You have acknowledged it") {
				t.Errorf("time %d: %q, first %q", i, said, first)
			}
		}
		acks := 0
		for _, text := range d.record(inc) {
			if text == "Acknowledged by Ann" {
				acks++
			}
		}
		if acks != 1 {
			t.Errorf("%d acknowledgements", acks)
		}
		// The second person is told who was first, and the same each time.
		if _, err := d.pager.Pressed(d.t.Context(), call, "CA1", "5", 0); err != nil {
			t.Fatal(err)
		}
		if d.look(inc).Page.Attempt(call).Passed {
			t.Error("a 5 after the 4 passed it on")
		}
	})
}

// TestSlowStore: while a key cannot be stored the person is asked for a moment, and is
// never told that it worked.
func TestSlowStore(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(6 * time.Second)
		call := d.look(inc).Page.Attempts[1].ID
		ctx, cancel := context.WithCancel(d.t.Context())
		cancel()
		for try := range 4 {
			speech, err := d.pager.Pressed(ctx, call, "CA1", "4", try)
			if err != nil {
				t.Fatal(err)
			}
			if try < 3 && speech.Wait != "4" || try == 3 && (speech.Wait != "" || !strings.Contains(speech.Lines[0], "could not be saved")) {
				t.Errorf("try %d: %+v", try, speech)
			}
		}
		if d.look(inc).Acknowledged != nil {
			t.Error("it was acknowledged")
		}
	})
}
