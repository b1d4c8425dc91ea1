package bot

import (
	"responsehub"
	"responsehub/bot/card"
)

// mention is the person to ask on the incident's card.
func (b *Bot) mention(inc *responsehub.Incident) card.Mention {
	t, ok := b.directory.Tenant(inc.Tenant.ID)
	if !ok || inc.Tenant.ID == "" {
		return card.Mention{}
	}
	p, ok := b.answers(t)
	if !ok || p.EntraObjectID == "" {
		return card.Mention{}
	}
	return card.Mention{ID: p.EntraObjectID, Name: p.Name}
}

// answers is who is on call for a tenant now, as far as anybody can be mentioned.
func (b *Bot) answers(t responsehub.Tenant) (responsehub.Person, bool) {
	if b.cfg.OnCall != nil {
		return b.cfg.OnCall(t)
	}
	if t.Notify.Phone == nil {
		return responsehub.Person{}, false
	}
	people := map[string]responsehub.Person{}
	for _, p := range b.directory.People() {
		people[p.ID] = p
	}
	for _, id := range t.Notify.Phone.Sequence {
		if p := people[id]; p.EntraObjectID != "" {
			return p, true
		}
	}
	return responsehub.Person{}, false
}

// personName is the name of a person by the hub's id, or "".
func (b *Bot) personName(id string) string {
	for _, p := range b.directory.People() {
		if p.ID == id {
			return p.Name
		}
	}
	return ""
}
