package autotask_test

import (
	"testing"

	"responsehub/connectors/autotask"
	"responsehub/ticket"
)

// TestMergedTickets: which ticket a complete one went into is told by Autotask's own
// note, and by nothing that people write.
func TestMergedTickets(t *testing.T) {
	merged := func(text string) row {
		return row{"id": 900, "ticketID": 128926, "noteType": 93., "title": "Merged Into Ticket", "description": text}
	}
	for name, tt := range map[string]struct {
		notes  []row
		status int
		want   string
	}{
		"merged":                  {[]row{merged("This ticket (T20261123.0001) was merged into T20261123.0002.")}, 5, "128927"},
		"the last merge counts":   {[]row{{"id": 950, "ticketID": 128926, "noteType": 93, "description": "into T20261123.0002"}, merged("into T20261123.0009")}, 5, "128927"},
		"called so elsewhere":     {[]row{{"id": 900, "ticketID": 128926, "noteType": 193, "description": "T20261123.0002"}}, 5, "128927"},
		"opened again":            {[]row{merged("merged into T20261123.0002")}, 8, ""},
		"out of sight":            {[]row{merged("merged into T20261123.0077")}, 5, ""},
		"into itself":             {[]row{merged("merged into T20261123.0001")}, 5, ""},
		"no number":               {[]row{merged("merged")}, 5, ""},
		"what a person wrote":     {[]row{{"id": 900, "ticketID": 128926, "noteType": 3, "description": "merged into T20261123.0002"}}, 5, ""},
		"absorbed another":        {[]row{{"id": 900, "ticketID": 128926, "noteType": 94, "description": "absorbed T20261123.0002"}}, 5, ""},
		"the note of another":     {[]row{{"id": 900, "ticketID": 128927, "noteType": 93, "description": "merged into T20261123.0001"}}, 5, ""},
		"a number inside another": {[]row{merged("see XT20261123.0002")}, 5, ""},
		"closed and nothing else": {nil, 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.noteTypes = append(s.noteTypes, pick(193, "Merged into ticket"))
			d := s.desk(func(c *autotask.Config) { c.Public = true })
			must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
			other := draft()
			other.Ref = "RH-OTHER"
			must[ticket.Ticket](t)(d.Create(t.Context(), other))
			s.tickets[128926]["status"] = tt.status
			s.notes = append(s.notes, tt.notes...)
			got := []ticket.Ticket{must[ticket.Ticket](t)(d.Get(t.Context(), "128926"))}
			got = append(got, must[[]ticket.Ticket](t)(d.List(t.Context(), []string{"128926", "128927"}))[0])
			got = append(got, must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-7K2M"))[0])
			for i, g := range got {
				if g.ID != "128926" || g.MergedInto != tt.want {
					t.Errorf("%s: %s went into %q, want %q", []string{"get", "list", "find"}[i], g.ID, g.MergedInto, tt.want)
				}
			}
		})
	}
}
