package oncall_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/oncall"
)

// TestTrial: a phone is tried by the way that a page takes, and only a 4 passes it.
func TestTrial(t *testing.T) {
	for does, want := range map[string]string{
		"7,4":       "ok The test call was answered and its 4 arrived.",
		"7":         "warning The test call: answered, no key pressed. Nobody pressed 4.",
		"silent":    "warning The test call: no answer. Nobody pressed 4.",
		"voicemail": "warning The test call: voicemail. Nobody pressed 4.",
		"nothing":   "warning The test call: answered, no key pressed. Nobody pressed 4.",
	} {
		t.Run(does, func(t *testing.T) {
			bubble(t, []string{"ann"}, func(d *desk) {
				d.net.does[numbers["ann"]] = []string{does}
				got := d.pager.Try(d.t.Context(), "Ann")
				if len(got) != 2 || fmt.Sprint(got[1].Grade, " ", got[1].Sentence) != want {
					t.Errorf("%+v, want %q", got, want)
				}
				inc := d.alert("a", contoso, responsehub.Critical) // the phone is free again
				d.pass(3 * time.Second)
				if p := d.look(inc).Page; p == nil || len(p.Attempts) != 2 || p.Attempts[0].Joined != "" || p.Attempts[1].Joined != "" {
					t.Errorf("the page is %+v", p)
				}
			})
		})
	}
}

// TestUnshown: a phone counts as one that works once a 4 was pressed on a call to it, on a
// test or for an incident, and not for longer than a year.
func TestUnshown(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		unshown := func(want string) {
			t.Helper()
			got := d.pager.Unshown(d.t.Context())
			if len(got) != 1 || (want == "") != (got[0].Grade == responsehub.CheckOK) || !strings.Contains(got[0].Sentence, want) {
				t.Errorf("%+v, want %q", got, want)
			}
		}
		unshown(": Ann, Bob, Cat and Boss.")
		d.net.does = map[string][]string{numbers["ann"]: {"4"}, numbers["bob"]: {"4"}, numbers["cat"]: {"nothing"}, numbers["boss"]: {"4"}}
		d.pager.Try(d.t.Context(), "bob")
		d.pager.Try(d.t.Context(), "cat")
		unshown(": Ann, Cat and Boss.")
		inc := d.alert("a", contoso, responsehub.Critical)
		d.pass(time.Minute)
		d.starts(inc)
		unshown(": Cat and Boss.")
		d.net.does[numbers["cat"]] = []string{"4"}
		d.pager.Try(d.t.Context(), "cat")
		d.pager.Try(d.t.Context(), "boss")
		unshown("")
		d.pass(366 * 24 * time.Hour)
		unshown(": Ann, Bob, Cat and Boss.")
	})
}

// TestTrialOfNobody: what cannot be tried is said, and nobody is called.
func TestTrialOfNobody(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		if err := d.book.Mute(d.t.Context(), numbers["bob"], oncall.MuteAll); err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"nobody", "bob"} {
			if got := d.pager.Try(d.t.Context(), who); len(got) != 1 || got[0].Grade != responsehub.CheckMissing {
				t.Errorf("%s: %+v", who, got)
			}
		}
		d.net.fault = func(responsehub.Way, string) error {
			return &responsehub.Error{Kind: responsehub.Permanent, Message: "no such number", Err: refused(oncall.BadNumber)}
		}
		if got := d.pager.Try(d.t.Context(), "ann"); len(got) != 2 || got[1].Sentence != "no such number" || got[1].Grade != responsehub.CheckMissing {
			t.Errorf("%+v", got)
		}
	})
}
