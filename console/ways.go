package console

import (
	"slices"

	"responsehub"
)

// way is one way by which a tenant's people are told, and whether it works.
type way struct {
	Name  string
	Fault string // why it reaches nobody, or ""
	Now   bool   // it reaches somebody at once: a card or a call, not a mail that waits
}

// contacts are what is looked up to judge the ways of many tenants.
type contacts struct {
	numbers  map[string]bool // ids of people with a number
	channels map[string]responsehub.Channel
	desks    []string
}

func (c *Console) contacts() contacts {
	all := contacts{numbers: map[string]bool{}, channels: map[string]responsehub.Channel{}, desks: c.cfg.Desks}
	for _, p := range c.dir.People() {
		all.numbers[p.ID] = p.Phone != ""
	}
	for _, ch := range c.dir.Channels() {
		all.channels[ch.ID] = ch
	}
	return all
}

// ways are the notification methods of a tenant at a glance.
func (all contacts) ways(n responsehub.Notify) []way {
	var out []way
	if len(n.Teams) > 0 {
		out = append(out, all.teams(n.Teams))
	}
	if n.Phone != nil && len(n.Phone.Sequence) > 0 {
		w := way{Name: "Phone: " + count(len(n.Phone.Sequence), "person", "people"), Now: true}
		if !slices.ContainsFunc(n.Phone.Sequence, func(id string) bool { return all.callable(*n.Phone, id) }) {
			w.Now, w.Fault = false, "nobody has a number"
		}
		out = append(out, w)
	}
	if len(n.PSA) > 0 {
		w := way{Name: "Ticket"}
		if len(n.PSA) > 1 {
			w.Name = "Tickets: " + count(len(n.PSA), "system", "systems")
		}
		for _, desk := range n.PSA {
			switch {
			case !slices.Contains(all.desks, desk.Connection):
				w.Fault = "no ticket system is called " + desk.Connection
			case desk.Company == "":
				w.Fault = "no company is chosen at " + desk.Connection
			}
		}
		out = append(out, w)
	}
	for _, quiet := range []struct {
		name string
		to   []string
	}{{"Mail", n.Mail}, {"Slack", n.Slack}, {"Webhook", n.Webhooks}} {
		if len(quiet.to) > 0 {
			out = append(out, way{Name: quiet.name})
		}
	}
	return out
}

func (all contacts) teams(ids []string) way {
	w := way{Name: "Teams", Fault: "the bot is in none of the channels"}
	for _, id := range ids {
		switch ch, known := all.channels[id]; {
		case known && ch.Installed && ch.Failure == "":
			w.Fault, w.Now = "", true
		case known && ch.Failure != "" && w.Fault != "":
			w.Fault = ch.Failure
		}
	}
	return w
}

// callable reports whether the person has a number, or anybody of the schedule.
func (all contacts) callable(phone responsehub.OnCall, id string) bool {
	for _, s := range phone.Schedules {
		if s.ID != id {
			continue
		}
		return slices.ContainsFunc(s.Layers, func(l responsehub.Layer) bool {
			return slices.ContainsFunc(l.People, func(p string) bool { return all.numbers[p] })
		})
	}
	return all.numbers[id]
}
