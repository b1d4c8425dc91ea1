package card

import (
	"testing"
	"time"

	"responsehub"
)

// TestTold: each attempt says what came of it and what it was for, and that nobody took
// it stands there only while nobody has.
func TestTold(t *testing.T) {
	inc := open(false, alert())
	at := func(d time.Duration) time.Time { return inc.ReceivedAt.Add(d) }
	inc.Page = &responsehub.Page{State: responsehub.PageRunning, Begun: inc.ReceivedAt, Alarmed: at(20 * time.Minute), Attempts: []responsehub.Attempt{
		{Person: "ann", Way: responsehub.ByCall, State: responsehub.AttemptHeard, Passed: true, At: at(0)},
		{Person: "bob", Way: responsehub.ByCall, State: responsehub.AttemptVoicemail, At: at(time.Minute)},
		{Person: "bob", Way: responsehub.ByText, State: responsehub.AttemptDelivered, For: responsehub.ToTell, At: at(2 * time.Minute)},
		{Person: "eve", Way: responsehub.ByText, State: responsehub.AttemptSent, For: responsehub.ToShare, At: at(3 * time.Minute)},
	}}
	view := View{Person: func(id string) string { return map[string]string{"ann": "Ann", "bob": "Bob"}[id] }}
	line := func() string { return told(inc, view) }
	clock := func(d time.Duration) string { return moment(inc, at(d)) }
	tries := "called Ann " + clock(0) + ", cannot take it, the next person is called; called Bob " + clock(time.Minute) + ", voicemail; texted Bob " +
		clock(2*time.Minute) + ", delivered (that nobody is needed any more); texted eve " + clock(3*time.Minute) + ", sent (what was done by itself)"
	if got, want := line(), tries+"; nobody took it by phone."; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	inc.Acknowledge(responsehub.Actor{ID: "person:bob", Name: "Bob"}, at(30*time.Minute))
	if got := line(); got != tries+"." {
		t.Errorf("taken: %s", got)
	}
}
