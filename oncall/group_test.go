package oncall_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/oncall"
)

// group is the code for all in the last text that somebody got.
func (d *desk) group(who string) string {
	d.t.Helper()
	d.net.mu.Lock()
	defer d.net.mu.Unlock()
	for i := len(d.net.texts) - 1; i >= 0; i-- {
		if before, _, ok := strings.Cut(d.net.texts[i].Body, " to take all "); ok && d.net.texts[i].To == numbers[who] {
			return before[len(before)-4:]
		}
	}
	d.t.Fatalf("%s got no code for all", who)
	return ""
}

// TestOneCodeTakesAll: the second text of a phone has the codes of both and one for both;
// it takes what was open then and nothing that came in later.
func TestOneCodeTakesAll(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		var incs []*responsehub.Incident
		for i := range 4 {
			incs = append(incs, d.alert(string(rune('a'+i)), tenantID(i), responsehub.Low))
			d.pass(time.Second)
			if body := d.net.texts[len(d.net.texts)-1].Body; !strings.HasPrefix(body, incs[i].Ref) || strings.Contains(body, "to take all") != (i > 0) {
				t.Errorf("text %d: %q", i, body)
			}
		}
		last := d.net.texts[3].Body
		if want := " to take all 4"; !strings.HasSuffix(last, want) || strings.Count(last, incs[0].Ref[:3]) != 3 {
			t.Errorf("the last text: %q", last)
		}
		all := d.group("ann")
		late := d.alert("late", tenantID(9), responsehub.Low)
		d.pass(time.Second)
		if r := d.text("ann", "m0", d.code("ann", incs[0])); !strings.Contains(r, "acknowledged") {
			t.Errorf("the code of one: %q", r)
		}
		want := "responsehub: 3 of 4 are yours, the others were not open any more. Now act in Teams or the console."
		d.pass(time.Second)
		for _, sid := range []string{"m1", "m1"} { // the same text again is answered alike
			if r := d.text("ann", sid, "ack "+all); r != want {
				t.Errorf("the code of all: %q", r)
			}
		}
		for i, inc := range incs {
			if a := d.look(inc).Acknowledged; a == nil || a.By.Name != "Ann" || a.By.Via != responsehub.ViaText {
				t.Errorf("incident %d is acknowledged %+v", i, a)
			}
		}
		if d.look(late).Acknowledged != nil {
			t.Error("what came in later was taken too")
		}
		d.pass(time.Minute)
		if r := d.text("ann", "m2", all); !strings.HasPrefix(r, "responsehub: none of these is open") {
			t.Errorf("the code of all, again: %q", r)
		}
		if r := d.text("bob", "m3", all); !strings.Contains(r, "not open for you") {
			t.Errorf("somebody else's code: %q", r)
		}
		if d.look(late).Acknowledged != nil {
			t.Error("somebody else's code took it")
		}
	})
}

func TestNextForAll(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		one := d.alert("a", contoso, responsehub.Low)
		d.pass(time.Second)
		two := d.alert("b", tenantID(1), responsehub.Low)
		d.pass(2 * time.Second)
		if r := d.text("ann", "m1", "next "+d.group("ann")); r != "responsehub: the next person is called now for 2." {
			t.Errorf("next: %q", r)
		}
		d.pass(2 * time.Second)
		for _, inc := range []*responsehub.Incident{one, two} {
			if d.look(inc).Page.Step != 1 || d.look(inc).Acknowledged != nil {
				t.Errorf("%s: %+v", inc.Ref, d.look(inc).Page)
			}
		}
	})
}

// TestOperatorsAreTold: what belongs to no incident reaches whoever gets the alarms, and
// what every incident would find anew does once a day.
func TestOperatorsAreTold(t *testing.T) {
	bubble(t, []string{"ann"}, func(d *desk) {
		d.text("bob", "m1", "STOP")
		d.text("bob", "m2", "stop")
		for i := range 5 {
			d.text("cat", "g"+string(rune('0'+i)), "000"+string(rune('0'+i)))
		}
		d.text("cat", "m3", "1234")
		d.net.fault = func(_ responsehub.Way, to string) error {
			if to != numbers["ann"] {
				return nil
			}
			return &responsehub.Error{Kind: responsehub.Permanent, Message: "no such number", Err: refused(oncall.BadNumber)}
		}
		for i := range 3 {
			d.alert(string(rune('a'+i)), tenantID(i), responsehub.Critical)
			d.pass(time.Minute)
		}
		d.net.mu.Lock()
		defer d.net.mu.Unlock()
		for i, words := range d.net.tells {
			d.net.tells[i], _, _ = strings.Cut(words, " (")
		}
		want := []string{"Bob", "Five wrong codes came from the number of Cat", "The number of Ann"}
		if diff := cmp.Diff(want, d.net.tells); diff != "" {
			t.Errorf("the operators were told (-want +got):\n%s", diff)
		}
	})
}
