package oncall_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"responsehub"
)

func (d *desk) went(want ...string) {
	d.t.Helper()
	if diff := gocmp.Diff(want, d.net.timeline(d.start)); diff != "" {
		d.t.Errorf("what went out (-want +got):\n%s", diff)
	}
}

func (d *desk) recorded(inc *responsehub.Incident, want ...string) {
	d.t.Helper()
	if diff := gocmp.Diff(want, d.record(inc)); diff != "" {
		d.t.Errorf("the record (-want +got):\n%s", diff)
	}
}

const begun = "People are called: Response is off: nothing is done by itself"

var teams = responsehub.Actor{ID: "person:cat", Name: "Cat", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}

// starts lets whoever acknowledged ask for a step, so that nobody is called again.
func (d *desk) starts(inc *responsehub.Incident) {
	d.edit(inc, func(inc *responsehub.Incident) {
		s := inc.Step(responsehub.Publish)
		s.State, s.RequestedAt, s.RequestedBy = responsehub.Done, time.Now(), teams.By()
	})
}

func TestFirstAnswers(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"4"}
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(5 * time.Minute)
		d.starts(inc)
		d.pass(time.Hour)
		d.went("0s call ann", "0s text ann")
		d.recorded(inc, begun, "Acknowledged by Ann", "Call to Ann: acknowledged")
		if a := d.look(inc).Acknowledged; a == nil || a.By.Via != responsehub.ViaPhone || a.At.Sub(d.start).Round(time.Second) != 8*time.Second {
			t.Errorf("acknowledged %+v", a)
		}
	})
}

func TestAcknowledgedAndNothingStarted(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"4"}
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(15 * time.Minute)
		d.starts(inc)
		d.pass(time.Hour)
		d.went("0s call ann", "0s text ann", "10m8s call ann", "10m8s text ann")
		d.recorded(inc, begun, "Acknowledged by Ann", "Call to Ann: acknowledged",
			"Ann acknowledged at 00:00:08 UTC but nothing was started within 10 min. People are called again.",
			begun, "Acknowledged by Ann", "Call to Ann: acknowledged")
	})
}

func TestVoicemailThenSecond(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.does[numbers["ann"]] = []string{"voicemail"}
		d.net.does[numbers["bob"]] = []string{"silent", "7,*,4"}
		inc := d.alert("a", contoso, responsehub.High)
		d.pass(5 * time.Minute)
		d.starts(inc)
		d.pass(time.Hour)
		d.went("0s call ann", "0s text ann", "5s call bob", "5s text bob", "1m20s call bob", "1m34s tell ann")
		d.recorded(inc, begun, "Call to Ann: voicemail", "Call to Bob: no answer", "Acknowledged by Bob", "Call to Bob: acknowledged")
		want := []string{
			"This is responsehub. Contoso has an account takeover. Severity high. Press 4 to acknowledge. Press 5 for the next person. Press star to repeat.",
			"That key does nothing. This is responsehub. Contoso has an account takeover. Severity high. Press 4 to acknowledge. Press 5 for the next person. Press star to repeat.",
			"This is responsehub. Contoso has an account takeover. Severity high. Press 4 to acknowledge. Press 5 for the next person. Press star to repeat.",
			"You have acknowledged it. Nobody else is called. Now act in Teams or the console. Goodbye.",
		}
		if diff := gocmp.Diff(want, d.net.said[numbers["bob"]]); diff != "" {
			t.Errorf("what Bob heard:\n%s", diff)
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.dir.tenants[0].Notify.Phone.Nobody = time.Hour // here only the end of the sequence counts
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(25*time.Minute - time.Second)
		d.went(
			"0s call ann", "0s text ann", "1m15s call ann",
			"3m0s call bob", "3m0s text bob", "4m15s call bob",
			"6m0s call ann", "6m0s text ann", "7m15s call ann",
			"9m0s call bob", "9m0s text bob", "10m15s call bob",
			"12m0s call ann", "12m0s text ann", "13m15s call ann",
			"15m0s call bob", "15m0s text bob", "16m15s call bob",
			"18m0s call ann", "18m0s call bob", "18m0s text ann", "18m0s text bob", "19m15s call ann", "19m15s call bob",
			"21m0s call boss", "21m0s text boss", "22m15s call boss",
			"24m0s call ann", "24m0s call bob", "24m0s call boss", "24m0s text ann", "24m0s text bob", "24m0s text boss",
		)
		page := d.look(inc).Page
		if page.State != responsehub.PageExhausted {
			t.Errorf("the page is %s", page.State)
		}
		var alarms []string
		for _, text := range d.record(inc) {
			if len(text) > 6 && text[:6] == "Nobody" {
				alarms = append(alarms, text)
			}
		}
		if diff := gocmp.Diff([]string{"Nobody has been reached by phone in 21 min. Tried: Ann (no answer), Bob (no answer)."}, alarms); diff != "" {
			t.Error(diff)
		}
	})
}

// TestNobodyWithinMinutes: the fallback contacts are called when the minutes are over,
// though the sequence has not been tried to its end, and it goes on beside them.
func TestNobodyWithinMinutes(t *testing.T) {
	for minutes, want := range map[time.Duration][]string{
		0:               {"15m0s call bob", "15m0s call boss", "15m0s text bob", "15m0s text boss"}, // the default
		4 * time.Minute: {"4m0s call boss", "4m0s text boss", "4m15s call bob", "5m15s call boss"},
	} {
		bubble(t, []string{"ann", "bob"}, func(d *desk) {
			d.dir.tenants[0].Notify.Phone.Nobody = minutes
			inc := d.alert("a", contoso, responsehub.Critical)
			d.pass(cmp.Or(minutes, 15*time.Minute) - time.Second)
			sent := len(d.net.timeline(d.start))
			if page := d.look(inc).Page; !page.Alarmed.IsZero() {
				t.Errorf("the alarm was raised at %s", page.Alarmed.Sub(d.start))
			}
			d.pass(77 * time.Second)
			got := d.net.timeline(d.start)[sent:]
			if diff := gocmp.Diff(want, got[:min(len(got), len(want))]); diff != "" {
				t.Errorf("after %s (-want +got):\n%s", minutes, diff)
			}
			if page := d.look(inc).Page; page.State != responsehub.PageRunning || page.Alarmed.IsZero() {
				t.Errorf("the page is %s, alarmed %s", page.State, page.Alarmed)
			}
			if words := strings.Join(d.record(inc), "\n"); strings.Count(words, "Nobody has been reached by phone in ") != 1 {
				t.Errorf("the record says %q", words)
			}
		})
	}
}
