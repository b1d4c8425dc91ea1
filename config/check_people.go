package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"responsehub"
)

func (c *checker) people() {
	ids, entra := unique{}, unique{}
	for i, p := range c.cfg.People {
		at := fmt.Sprintf("people[%d]", i)
		c.once(ids, p.ID, at+".id")
		c.once(entra, p.EntraObjectID, at+".entra_object_id")
		if len(p.Tenants) == 0 {
			c.warn(at+".tenants", "is empty: the person sees no tenant; write [\"*\"] for all")
		}
		for n, t := range p.Tenants {
			path := fmt.Sprintf("%s.tenants[%d]", at, n)
			switch {
			case t == "*" && p.Role == string(responsehub.Guest):
				c.fault(path, "must name tenants: a guest never sees all")
			case t != "*" && !c.hasTenant(t):
				c.warn(path, "names no tenant of this file")
			}
		}
	}
}

func (c *checker) hasTenant(name string) bool {
	return slices.ContainsFunc(c.cfg.Tenants, func(t Tenant) bool {
		return strings.EqualFold(t.Name, name) || strings.EqualFold(t.MicrosoftTenantID, name)
	})
}

func (c *checker) tenants() {
	names, ids, sourceIDs := unique{}, unique{}, unique{}
	for i, t := range c.cfg.Tenants {
		at := fmt.Sprintf("tenants[%d]", i)
		c.once(names, t.Name, at+".name")
		c.once(ids, t.MicrosoftTenantID, at+".microsoft_tenant_id")
		for _, source := range slices.Sorted(maps.Keys(t.SourceIDs)) {
			id := t.SourceIDs[source]
			path := at + ".source_ids." + source
			if !slices.ContainsFunc(c.cfg.Sources, func(s Source) bool { return s.Name == source }) {
				c.fault(path, "names no source of this file")
			}
			c.once(sourceIDs, source+"|"+id, path)
		}
		c.accounts(t.BreakGlass, at+".break_glass", "")
		c.accounts(t.SecondPersonFor, at+".second_person_for", responsehub.Admins)
		if mode := responsehub.PasswordMode(t.PasswordMode); !slices.Contains(responsehub.PasswordModes, mode) && t.PasswordMode != unread {
			c.fault(at+".password_mode", "must be cloud, writeback or manual")
		}
		if t.Response && t.Product == string(responsehub.ProductNotify) {
			c.fault(at+".response", "is not part of the product notify: nothing runs by itself with it")
		}
		c.notify(t.Notify, at+".notify")
	}
}

// accounts checks that each entry can name an account: one that cannot protects nobody.
func (c *checker) accounts(names []string, at, also string) {
	for n, name := range names {
		if name != unread && !(also != "" && name == also) && !responsehub.NamesAccount(name) {
			c.fault(fmt.Sprintf("%s[%d]", at, n), "must be a principal name (pat@contoso.com) or an object id")
		}
	}
}

// notify checks that somebody is told and that the ways exist.
func (c *checker) notify(n Notify, at string) {
	if len(n.Teams) == 0 && n.Phone == nil && len(n.Mail) == 0 && len(n.PSA) == 0 && len(n.Slack) == 0 && len(n.Webhooks) == 0 {
		c.warn(at, "is empty: nobody is told about this tenant's incidents")
	}
	c.channels(n.Teams, at+".teams")
	c.addresses(n.Mail, at+".mail")
	if n.Phone != nil {
		c.callable(n.Phone.Sequence, at+".phone.sequence")
	}
	seen := unique{}
	for i, d := range n.PSA {
		c.ticketsAt(d, c.at(at+".psa", i), seen)
	}
}

// ticketsAt checks one of the places where a tenant's tickets go.
func (c *checker) ticketsAt(d Desk, at string, seen unique) {
	if d.Connection == "" || d.Connection == unread {
		return
	}
	c.once(seen, d.Connection, at+".connection")
	i := slices.IndexFunc(c.cfg.PSA, func(p PSA) bool { return p.Name == d.Connection })
	switch {
	case i < 0:
		c.fault(at+".connection", "names no connection under psa")
	case d.Company == "" && c.cfg.PSA[i].CatchAllCompany == "":
		c.fault(at+".company", "is needed: the connection has no catch_all_company")
	}
}

func (c *checker) fallback() {
	f := c.cfg.Fallback
	if len(f.Mail) == 0 && len(f.Phone) == 0 && len(f.Teams) == 0 {
		c.warn("fallback", "is empty: nobody is told about alerts for unknown tenants")
	}
	c.channels(f.Teams, "fallback.teams")
	c.addresses(f.Mail, "fallback.mail")
	c.callable(f.Phone, "fallback.phone")
}

func (c *checker) channels(ids []string, at string) {
	if len(ids) > 0 && c.cfg.Teams == nil {
		c.warn(at, "cannot be posted to: there is no teams section")
	}
}

func (c *checker) addresses(mails []string, at string) {
	if len(mails) > 0 && c.cfg.Mail == nil {
		c.warn(at, "cannot be mailed to: there is no mail section")
	}
}

// callable checks that each of the ids is a person with a number.
func (c *checker) callable(ids []string, at string) {
	if len(ids) > 0 && c.cfg.Twilio == nil {
		c.warn(at, "cannot be called: there is no twilio section")
	}
	for n, id := range ids {
		path := fmt.Sprintf("%s[%d]", at, n)
		i := slices.IndexFunc(c.cfg.People, func(p Person) bool { return p.ID == id })
		scheduled := slices.ContainsFunc(c.cfg.Schedules, func(s Schedule) bool { return s.ID == id })
		switch {
		case id == unread:
		case scheduled && !strings.HasPrefix(at, "fallback"):
		case i < 0:
			c.fault(path, "names nobody under people")
		case c.cfg.People[i].Phone == "":
			c.fault(path, "names a person without a phone")
		}
	}
}
