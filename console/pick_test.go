package console

import (
	"fmt"
	"strings"
	"testing"

	"responsehub"
)

// TestATenantIsPickedByWhatIsTyped: by its ids, by its whole name even where others begin
// with it, by a part that is its alone; otherwise a sentence says what to type.
func TestATenantIsPickedByWhatIsTyped(t *testing.T) {
	t.Parallel()
	tenants := []responsehub.Tenant{
		{ID: "t1", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"}, {ID: "t2", Name: "Contoso Europe", MicrosoftTenantID: "22222222-2222-4222-8222-222222222222"},
	}
	for i := range 20 {
		tenants = append(tenants, responsehub.Tenant{ID: fmt.Sprint("c", i), Name: fmt.Sprintf("Customer %02d", i), MicrosoftTenantID: fmt.Sprintf("33333333-0000-4000-8000-%012d", i)})
	}
	for typed, want := range map[string]string{
		"t2": "t2", " contoso ": "t1", "CONTOSO EUROPE": "t2", "europe": "t2", "22222222-2222-4222-8222-222222222222": "t2", "omer 07": "c7",
	} {
		if got, err := pick(tenants, typed); err != nil || got.ID != want {
			t.Errorf("%q picks %q (%v), want %q", typed, got.ID, err, want)
		}
	}
	for typed, want := range map[string]string{
		"": "Type the tenant's name", "conto": "2 tenants have", "customer": "and more. Type more of it", "nobody": "There is no tenant with",
	} {
		if _, err := pick(tenants, typed); err == nil || !strings.Contains(responsehub.Sentence(err), want) {
			t.Errorf("%q answers %v, want %q", typed, err, want)
		}
	}
}

func TestANewPersonsID(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{"ann-berg": true, "ann-berg-2": true}
	for name, want := range map[string]string{"Bob Carr": "bob-carr", "Ann Berg": "ann-berg-3", "李": "person", "  O'Neil, Kim ": "o-neil-kim"} {
		if got := newID(name, func(id string) bool { return taken[id] }); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestWaysThatReachNobody: a way that is set up and reaches nobody shows as such.
func TestWaysThatReachNobody(t *testing.T) {
	t.Parallel()
	all := contacts{
		numbers:  map[string]bool{"ann": true, "bob": false},
		channels: map[string]responsehub.Channel{"here": {Installed: true}, "gone": {Failure: "The bot was removed."}},
		desks:    []string{"cw"},
	}
	week := []responsehub.Schedule{{ID: "nights", Layers: []responsehub.Layer{{People: []string{"bob", "ann"}}}}, {ID: "days", Layers: []responsehub.Layer{{People: []string{"bob"}}}}}
	for what, c := range map[string]struct {
		told responsehub.Notify
		want way
	}{
		"a channel":                 {responsehub.Notify{Teams: []string{"gone", "here"}}, way{Name: "Teams", Now: true}},
		"a channel without the bot": {responsehub.Notify{Teams: []string{"gone"}}, way{Name: "Teams", Fault: "The bot was removed."}},
		"a channel never seen":      {responsehub.Notify{Teams: []string{"new"}}, way{Name: "Teams", Fault: "the bot is in none of the channels"}},
		"people":                    {responsehub.Notify{Phone: &responsehub.OnCall{Sequence: []string{"bob", "ann"}}}, way{Name: "Phone: 2 people", Now: true}},
		"people without a number":   {responsehub.Notify{Phone: &responsehub.OnCall{Sequence: []string{"bob"}}}, way{Name: "Phone: 1 person", Fault: "nobody has a number"}},
		"a schedule":                {responsehub.Notify{Phone: &responsehub.OnCall{Sequence: []string{"nights"}, Schedules: week}}, way{Name: "Phone: 1 person", Now: true}},
		"an empty schedule":         {responsehub.Notify{Phone: &responsehub.OnCall{Sequence: []string{"days"}, Schedules: week}}, way{Name: "Phone: 1 person", Fault: "nobody has a number"}},
		"a ticket":                  {responsehub.Notify{PSA: responsehub.Desks{{Connection: "cw", Company: "Contoso"}}}, way{Name: "Ticket"}},
		"a ticket for no company":   {responsehub.Notify{PSA: responsehub.Desks{{Connection: "cw"}}}, way{Name: "Ticket", Fault: "no company is chosen at cw"}},
		"a desk that is gone":       {responsehub.Notify{PSA: responsehub.Desks{{Connection: "old", Company: "C"}}}, way{Name: "Ticket", Fault: "no ticket system is called old"}},
		"mail, which waits":         {responsehub.Notify{Mail: []string{"soc@msp.example"}}, way{Name: "Mail"}},
	} {
		if got := all.ways(c.told); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %+v, want %+v", what, got, c.want)
		}
	}
}
