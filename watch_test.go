package responsehub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// watched is an incident whose lock was read back at noon.
func watched(synced bool) *responsehub.Incident {
	inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", takeover(), contoso, true)
	inc.Step(responsehub.Lock).State = responsehub.Done
	inc.BeginWatch(synced, noon, noon)
	inc.TakeEvents()
	return inc
}

func TestWatchSchedule(t *testing.T) {
	for _, c := range []struct {
		last, want time.Duration // after the lock
	}{
		{0, time.Minute}, {time.Minute, 5 * time.Minute}, {2 * time.Minute, 5 * time.Minute}, {5 * time.Minute, 35 * time.Minute},
		{35 * time.Minute, 65 * time.Minute}, {65 * time.Minute, 95 * time.Minute}, {95 * time.Minute, 125 * time.Minute},
		{26 * time.Hour, 26*time.Hour + 5*time.Minute},
	} {
		got := responsehub.WatchSchedule{}.Next(noon, noon.Add(c.last)).Sub(noon)
		if got != c.want {
			t.Errorf("the look after +%s is at +%s, want +%s", c.last, got, c.want)
		}
	}
	own := responsehub.WatchSchedule{Looks: []time.Duration{time.Second}, Every: 2 * time.Second}
	for last, want := range []time.Duration{time.Second, 3 * time.Second, 3 * time.Second, 5 * time.Second} {
		if got := own.Next(noon, noon.Add(time.Duration(last)*time.Second)).Sub(noon); got != want {
			t.Errorf("own schedule: the look after +%d s is at +%s, want +%s", last, got, want)
		}
	}
}

func TestWatchDue(t *testing.T) {
	inc := watched(true)
	due := func() time.Duration { return inc.Watch.Due(responsehub.WatchSchedule{}).Sub(noon) }
	steps := []struct {
		what string
		do   func()
		want time.Duration
	}{
		{"locked", func() {}, time.Minute},
		{"looked", func() { inc.Looked(noon.Add(time.Minute)) }, 5 * time.Minute},
		{"blind", func() { inc.Blinded(noon.Add(5*time.Minute), "No right.") }, 35 * time.Minute},
		{"undone: at once", func() { inc.Undid(noon.Add(35*time.Minute), noon.Add(35*time.Minute), true, noon) }, 35 * time.Minute},
		{"locked again: the schedule begins anew", func() { inc.Relocked(noon, noon.Add(36*time.Minute)) }, 37 * time.Minute},
		{"looked again", func() { inc.Looked(noon.Add(37 * time.Minute)) }, 41 * time.Minute},
	}
	for _, s := range steps {
		if s.do(); due() != s.want {
			t.Fatalf("%s: due at +%s, want +%s", s.what, due(), s.want)
		}
	}
}

func TestWatched(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*responsehub.Incident)
		want   bool
	}{
		{"locked", func(*responsehub.Incident) {}, true},
		{"the lock runs again", func(inc *responsehub.Incident) { inc.Step(responsehub.Lock).State = responsehub.Running }, false},
		{"the lock was taken back", func(inc *responsehub.Incident) { inc.Step(responsehub.Lock).State = responsehub.Undone }, false},
		{"it came back and cannot be done again", func(inc *responsehub.Incident) {
			inc.Undid(noon, noon, true, noon)
			inc.Step(responsehub.Lock).State = responsehub.NeedsHuman
		}, true},
		{"never read back", func(inc *responsehub.Incident) { inc.Step(responsehub.Lock).State = responsehub.NeedsHuman }, false},
		{"step 5 asked for", func(inc *responsehub.Incident) {
			s := inc.Step(responsehub.Reenable)
			s.State, s.RequestedAt = responsehub.Queued, noon.Add(time.Minute)
		}, false},
		{"step 5 failed: somebody wants it open all the same", func(inc *responsehub.Incident) {
			s := inc.Step(responsehub.Reenable)
			s.State, s.RequestedAt = responsehub.Failed, noon.Add(time.Minute)
		}, false},
		{"step 5 set aside", func(inc *responsehub.Incident) {
			if _, err := inc.Ask(responsehub.Reenable, ann, responsehub.StepRequest{Skip: true, Reason: "left the company"}, noon.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"locked again after step 5", func(inc *responsehub.Incident) {
			s := inc.Step(responsehub.Reenable)
			s.State, s.RequestedAt = responsehub.Done, noon.Add(time.Minute)
			inc.Step(responsehub.Lock).RequestedAt = noon.Add(2 * time.Minute)
		}, true},
		{"false alarm declared", func(inc *responsehub.Incident) {
			inc.Withdrawal = &responsehub.Withdrawal{At: noon, Reason: "a trip"}
		}, false},
		{"closed", func(inc *responsehub.Incident) { inc.State = responsehub.Remediated }, false},
		{"false alarm", func(inc *responsehub.Incident) { inc.State = responsehub.FalseAlarm }, false},
	} {
		inc := watched(false)
		c.change(inc)
		if got := inc.Watched(); got != c.want {
			t.Errorf("%s: watched is %t", c.name, got)
		}
	}
}

// The record hears of what changed, not of each look.
func TestWatchRecord(t *testing.T) {
	inc := watched(true)
	inc.Looked(noon.Add(time.Minute))
	inc.Blinded(noon.Add(2*time.Minute), "No right.")
	inc.Blinded(noon.Add(3*time.Minute), "No right.")
	inc.Looked(noon.Add(4 * time.Minute))
	inc.Looked(noon.Add(5 * time.Minute))
	inc.Undid(noon.Add(35*time.Minute), noon.Add(35*time.Minute), true, noon)
	inc.Undid(noon.Add(35*time.Minute), noon.Add(36*time.Minute), true, noon)
	inc.Relocked(noon, noon.Add(37*time.Minute))
	var got []string
	for _, e := range inc.TakeEvents() {
		got = append(got, string(e.Kind)+": "+e.Text)
	}
	at := func(d time.Duration) string { return noon.Add(d).UTC().Format("15:04:05 UTC") }
	want := []string{
		"watch.checked: The hub cannot see whether the account is still locked: No right.",
		"watch.checked: The hub can look after the lock again: the account is still locked",
		"watch.relocked: Directory sync re-enabled the account at " + at(35*time.Minute) + "; locked again at " + at(37*time.Minute),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the record (-want +got):\n%s", d)
	}
	if inc.Watch.Checks != 4 || inc.Watch.Reversed != 1 {
		t.Errorf("%d looks and %d reversals counted", inc.Watch.Checks, inc.Watch.Reversed)
	}
	if s := inc.Watch.Sentence(); !strings.Contains(s, "locked again at") || !strings.Contains(s, "Watched until step 5") {
		t.Errorf("the watch says %q", s)
	}
}

func TestReversalsAreBounded(t *testing.T) {
	inc := watched(false)
	for n := range 100 {
		at := noon.Add(time.Duration(n) * time.Hour)
		inc.Undid(at, at, true, noon)
		inc.Relocked(noon, at)
	}
	if n := len(inc.Watch.Reversals); n > 20 || inc.Watch.Reversed != 100 {
		t.Errorf("%d reversals kept, %d counted", n, inc.Watch.Reversed)
	}
}

func TestTick(t *testing.T) {
	inc := watched(true)
	if !inc.AddTodo("ad-disable", "In on-premises AD: Disable-ADAccount pat") || inc.AddTodo("ad-disable", "again") {
		t.Fatal("a to-do is added once")
	}
	if _, err := inc.Tick(ann, "nothing", noon); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("an unknown to-do: %v", err)
	}
	first, err := inc.Tick(ann, "ad-disable", noon)
	if err != nil || first.Joined || !inc.Todo("ad-disable").Done() {
		t.Fatalf("first tick: %+v, %v", first, err)
	}
	second, err := inc.Tick(bob, "ad-disable", noon.Add(time.Minute))
	if err != nil || !second.Joined || !strings.Contains(second.Sentence, ann.Name) {
		t.Errorf("second tick: %+v, %v", second, err)
	}
	events := inc.TakeEvents()
	if len(events) != 2 || events[0].Kind != responsehub.EventTodoDone || events[1].Kind != responsehub.EventAcknowledged {
		t.Errorf("events: %+v", events)
	}
	inc.AddTodo("ad-reset", "In on-premises AD: reset twice")
	inc.State = responsehub.Remediated
	if _, err := inc.Tick(ann, "ad-reset", noon); responsehub.KindOf(err) != responsehub.Refused {
		t.Errorf("a closed incident: %v", err)
	}
}

// TestNewSession: of the sign-ins the newest that the last revocation did not end counts;
// where Microsoft shows no revocation, as for guests, the last lock that was read back.
func TestNewSession(t *testing.T) {
	at := func(d time.Duration) responsehub.Session { return responsehub.Session{At: noon.Add(d)} }
	inc := watched(false)
	if s, ok := inc.Watch.NewSession([]responsehub.Session{at(-time.Minute), at(0)}); ok {
		t.Errorf("%s began before the lock", s)
	}
	if s, ok := inc.Watch.NewSession([]responsehub.Session{at(time.Minute), at(3 * time.Minute), at(2 * time.Minute)}); !ok || !s.At.Equal(noon.Add(3*time.Minute)) {
		t.Errorf("the newest is %s, %t", s, ok)
	}
	inc.Watch.Sessions = time.Time{}
	inc.Undid(noon, noon, true, noon)
	inc.Relocked(time.Time{}, noon.Add(10*time.Minute))
	if s, ok := inc.Watch.NewSession([]responsehub.Session{at(9 * time.Minute)}); ok {
		t.Errorf("%s began before the lock was done again", s)
	}
	for want, s := range map[string]responsehub.Session{
		"12:00:00 UTC": {}, "12:00:00 UTC (Outlook)": {App: "Outlook"}, "12:00:00 UTC (203.0.113.9)": {IP: "203.0.113.9"}, "12:00:00 UTC (Outlook, 203.0.113.9)": {App: "Outlook", IP: "203.0.113.9"},
	} {
		if s.At = noon; s.String() != want {
			t.Errorf("said as %q, want %q", s, want)
		}
	}
}
