package autotask

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"responsehub/ticket"
)

// mergedNote is the type of the note that Autotask itself leaves on a ticket that was
// merged into another. No field of the ticket says so: it is complete and stays, and the
// note names the other by its number.
// https://www.autotask.net/help/content/3_Features/7_ServiceDesk/ManageTickets/Ticket_Merge.htm
const mergedNote = 93

var ticketNumber = regexp.MustCompile(`\bT\d{8}\.\d{4,}\b`)

// merged fills in into which tickets the complete ones among all were merged. One that
// was opened again lives on, whatever its notes say.
func (d *Desk) merged(ctx context.Context, all []ticket.Ticket) error {
	var complete []int64
	for _, t := range all {
		if n, err := number(t.ID); err == nil && t.Closed {
			complete = append(complete, n)
		}
	}
	if len(complete) == 0 {
		return nil
	}
	types, err := d.mergedTypes(ctx)
	if err != nil {
		return err
	}
	type said struct {
		ID     int64  `json:"id"`
		Ticket int64  `json:"ticketID"`
		Title  string `json:"title"`
		Text   string `json:"description"`
	}
	var notes []said
	for some := range slices.Chunk(complete, many) {
		got, err := rows[said](ctx, d, "look whether tickets were merged", "TicketNotes", query{
			Filter: []filter{{Op: "in", Field: "ticketID", Value: some}, {Op: "in", Field: "noteType", Value: types}}, Fields: []string{"id", "ticketID", "title", "description"},
		}, 2000)
		if err != nil {
			return err
		}
		notes = append(notes, got...)
	}
	slices.SortFunc(notes, func(a, b said) int { return int(a.ID - b.ID) })
	into := map[string]string{} // numbers by id: the last merge counts
	for _, n := range notes {
		id := strconv.FormatInt(n.Ticket, 10)
		i := slices.IndexFunc(all, func(t ticket.Ticket) bool { return t.ID == id })
		for _, other := range ticketNumber.FindAllString(n.Title+" "+n.Text, -1) {
			if i >= 0 && other != all[i].Number {
				into[id] = other
				break
			}
		}
	}
	return d.numbered(ctx, all, into)
}

// numbered turns the numbers of the tickets into their ids. One that the hub may not see
// is no place to go on, so its ticket counts as closed and no more.
func (d *Desk) numbered(ctx context.Context, all []ticket.Ticket, into map[string]string) error {
	var wanted []string
	for _, n := range into {
		if !slices.Contains(wanted, n) {
			wanted = append(wanted, n)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	slices.Sort(wanted)
	got, err := rows[record](ctx, d, "look for the ticket into which another was merged", "Tickets", query{
		Filter: []filter{{Op: "in", Field: "ticketNumber", Value: wanted}}, Fields: []string{"id", "ticketNumber"},
	}, 2000)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, r := range got {
		ids[r.Number] = strconv.FormatInt(r.ID, 10)
	}
	for i := range all {
		if id := ids[into[all[i].ID]]; id != all[i].ID {
			all[i].MergedInto = id
		}
	}
	return nil
}

// mergedTypes are the types of the note: Autotask's own number, and what is called so.
func (d *Desk) mergedTypes(ctx context.Context) ([]int, error) {
	all, err := d.of(ctx, ofNotes)
	if err != nil {
		return nil, err
	}
	out := []int{mergedNote}
	for _, c := range named(all, "noteType").Picks {
		if n := c.number(); n != mergedNote && strings.EqualFold(strings.TrimSpace(c.Label), "Merged Into Ticket") {
			out = append(out, n)
		}
	}
	return out, nil
}
