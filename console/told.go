package console

import (
	"cmp"
	"slices"
	"time"

	"responsehub"
)

// notice is one way by which somebody was told, and what became of it.
type notice struct {
	At   time.Time // zero where it is not known
	Text string
	Bad  bool // it did not get there
}

// told says by what ways people were told, the first one first. Names are shown, no ids
// and no numbers.
func (c *Console) told(inc *responsehub.Incident) []notice {
	var all []notice
	add := func(at time.Time, text, failure string) {
		if failure != "" {
			text += ": " + failure
		}
		all = append(all, notice{At: at, Text: text, Bad: failure != ""})
	}
	for id, ref := range inc.Cards {
		name := "Teams, " + c.channelName(id)
		if ref.Failure == "" && ref.Activity == "" {
			continue
		}
		if ref.Failure == "" {
			name += ": card posted"
		}
		add(ref.DrawnAt, name, ref.Failure)
	}
	if p := inc.Page; p != nil {
		for _, a := range p.Attempts {
			way := "Call to "
			if a.Way == responsehub.ByText {
				way = "Text to "
			}
			n := notice{At: a.At, Text: way + c.personName(a.Person) + ": " + a.State.Words()}
			if a.Reason != "" {
				n.Text += " (" + a.Reason + ")"
			}
			n.Bad = a.State == responsehub.AttemptFailed || a.State == responsehub.AttemptUndelivered
			all = append(all, n)
		}
	}
	for connection, t := range inc.Tickets {
		switch {
		case t.Number != "" && t.Status != "" && t.Failure == "":
			add(t.IntentAt, "Ticket "+t.Number+" at "+connection+": "+t.Status, "")
		case t.Number != "":
			add(t.IntentAt, "Ticket "+t.Number+" at "+connection, t.Failure)
		case t.Failure != "":
			add(t.Since, "Ticket at "+connection, t.Failure)
		}
	}
	for to, m := range inc.Mails {
		switch {
		case m.Failure != "":
			add(cmp.Or(m.At, m.Begun), "Mail to "+to, m.Failure)
		case m.Sent > 0:
			add(m.At, "Mail to "+to+": "+count(m.Sent, "mail", "mails")+" taken by the server", "")
		case m.Next != "":
			add(m.Begun, "Mail to "+to+": on its way", "")
		}
	}
	for _, h := range inc.Hooks {
		way := "Webhook, " + h.Host
		if h.Chat {
			way = "Slack, " + h.Host
		}
		switch {
		case h.Failure != "":
			add(h.Since, way, h.Failure)
		case h.Sent > 0:
			add(h.At, way+": "+count(h.Sent, "message", "messages")+" taken", "")
		}
	}
	slices.SortFunc(all, func(a, b notice) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Text, b.Text)) })
	return all
}

// channelName is a channel as people know it.
func (c *Console) channelName(id string) string {
	ch, ok := c.dir.Channel(id)
	switch {
	case !ok || ch.Name == "" && ch.TeamName == "":
		return "channel " + id
	case ch.TeamName == "":
		return ch.Name
	}
	return ch.TeamName + ": " + cmp.Or(ch.Name, "General")
}

// personName is the name of a person, also of one who was removed since: then the id is
// all there is.
func (c *Console) personName(id string) string {
	for _, p := range c.dir.People() {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}
