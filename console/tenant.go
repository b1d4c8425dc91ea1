package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub"
	"responsehub/hook"
)

// tenantData is what a tenant's page shows.
type tenantData struct {
	Tenant    responsehub.Tenant
	Open      []*responsehub.Incident
	Readiness *responsehub.Readiness
	Ready     string
	Channels  []channelRow
	People    []choice
	Places    []string // the sequence, with room for more
	Phone     responsehub.OnCall
	Desks     []string             // names of the ticket systems
	Tickets   []responsehub.Desk   // where tickets go, and an empty one
	FindAt    string               // the connection that is searched first
	Others    []responsehub.Tenant // to copy from, where they are few
	Copies    bool                 // there are others
	Modes     []responsehub.PasswordMode
	Products  []responsehub.Product
	Product   responsehub.Product
	Locks     int
	MayManage bool
	Trial     string
	Calls     []call // who would be called when
	First     []call // of them, those shown at once
	Later     []call // and the others
	Ways      []way  // how people are told
	MayLook   bool
	Search    companySearch   // for a company of the ticket system
	Searches  bool            // companies can be searched for
	Refused   string          // why the product cannot be switched now, or ""
	Hooks     []hook.Standing // for those who manage the tenant
	Offer     *offer          // to run steps on what was open before Response was on; nil: there is nothing
	MayHook   bool            // outgoing webhooks are looked after here
}

// choice is somebody who can be put into a sequence: a person, or one of the tenant's schedules.
type choice struct{ ID, Label string }

type channelRow struct {
	responsehub.Channel
	Used bool
}

const (
	roomInSequence = 3
	callsAtOnce    = 6 // of a plan
)

func (c *Console) tenantOf(r *http.Request, actor responsehub.Actor, verb responsehub.Verb) (responsehub.Tenant, error) {
	t, ok := c.dir.Tenant(r.PathValue("id"))
	if !ok || !actor.Sees(t.Ref()) {
		return t, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such tenant."}
	}
	return t, actor.May(verb, t.Ref())
}

// tenant is a tenant's page: readiness, open incidents and, for administrators, settings.
func (c *Console) tenant(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.tenantOf(r, actor, responsehub.See)
	if err != nil {
		return err
	}
	open, err := c.open(r.Context(), actor)
	if err != nil {
		return err
	}
	d := tenantData{
		Tenant: t, Open: open[t.ID], Ready: "not looked at yet", People: c.choices(t), Desks: c.cfg.Desks, Modes: responsehub.PasswordModes, Products: responsehub.Products, Product: t.Bought(),
		Locks: t.LocksPerHour(), MayManage: actor.May(responsehub.Manage, t.Ref()) == nil, Trial: trialOf(t, time.Now()),
		Phone: responsehub.OnCall{Wait: 3 * time.Minute, Rounds: 3},
	}
	slices.SortFunc(d.Open, worse)
	if offers := c.offers([]responsehub.Tenant{t}, open, actor); len(offers) > 0 {
		d.Offer = &offers[0]
	}
	if c.cfg.Readiness != nil {
		if kept, ok := c.cfg.Readiness.Known(t.ID); ok {
			d.Readiness, d.Ready = &kept, kept.Words(time.Now())
		}
	}
	for _, ch := range c.dir.Channels() {
		d.Channels = append(d.Channels, channelRow{ch, slices.Contains(t.Notify.Teams, ch.ID)})
	}
	for _, id := range t.Notify.Teams { // configured, but the bot was never seen there
		if _, ok := c.dir.Channel(id); !ok {
			d.Channels = append(d.Channels, channelRow{responsehub.Channel{ID: id, Name: id, Failure: "the bot is not installed there"}, true})
		}
	}
	if p := t.Notify.Phone; p != nil {
		d.Phone = *p
	}
	d.Places = append(slices.Clone(d.Phone.Sequence), make([]string, roomInSequence)...)
	d.Tickets = slices.Clone(t.Notify.PSA)
	if len(d.Tickets) < max(1, len(c.cfg.Desks)) {
		d.Tickets = append(d.Tickets, responsehub.Desk{}) // room for one more
	}
	d.FindAt = d.Tickets[0].Connection
	d.Calls, d.Searches = c.calls(t), c.cfg.Companies != nil && len(c.cfg.Desks) > 0
	d.First, d.Later = d.Calls[:min(len(d.Calls), callsAtOnce)], d.Calls[min(len(d.Calls), callsAtOnce):]
	d.MayLook = c.cfg.Readiness != nil && actor.May(responsehub.Act, t.Ref()) == nil
	d.Ways = c.contacts().ways(t.Notify)
	for _, p := range responsehub.Products {
		if err := c.cfg.Subscription.MaySwitch(&t, p, time.Now()); err != nil {
			d.Refused = responsehub.Sentence(err)
		}
	}
	if d.MayManage {
		d.Search = c.companies(r)
		d.MayHook = c.cfg.Destinations != nil
		if d.Hooks, err = c.destinations(r.Context(), actor, t.ID); err != nil {
			return err
		}
		d.FindAt = cmp.Or(d.Search.Connection, d.FindAt)
	}
	d.Others = c.visible(actor)
	d.Copies = len(d.Others) > 1
	d.Others = toPick(slices.DeleteFunc(d.Others, func(o responsehub.Tenant) bool { return o.ID == t.ID }))
	c.show(w, r, http.StatusOK, "tenant", actor, d)
	return nil
}

// changeTenant stores what one of the forms of a tenant's page says.
func (c *Console) changeTenant(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.tenantOf(r, actor, responsehub.Manage)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return errForm
	}
	what, edit, err := c.editOf(r.PathValue("form"), r.PostForm, actor)
	if err != nil {
		return c.toTenant(w, r, t.ID, "Not saved: "+responsehub.Sentence(err))
	}
	_, err = c.dir.ChangeTenant(r.Context(), actor.By(), what, t.ID, func(t *responsehub.Tenant) error {
		if err := edit(t); err != nil {
			return err
		}
		return t.Check(c.isPerson)
	})
	if e, ok := errors.AsType[*responsehub.Error](err); ok && e.Kind == responsehub.Invalid {
		return c.toTenant(w, r, t.ID, "Not saved: "+e.Message)
	}
	if err != nil {
		return err
	}
	return c.toTenant(w, r, t.ID, "Saved: "+what+".")
}

var errForm = &responsehub.Error{Kind: responsehub.Invalid, Message: "The form could not be read. Go back and try again."}

func (c *Console) toTenant(w http.ResponseWriter, r *http.Request, id, sentence string) error {
	c.tell(r, sentence)
	http.Redirect(w, r, "/tenants/"+id, http.StatusSeeOther)
	return nil
}

func (c *Console) isPerson(id string) bool {
	return slices.ContainsFunc(c.dir.People(), func(p responsehub.Person) bool { return p.ID == id })
}

// editOf reads a form. what says in the record what was changed.
func (c *Console) editOf(form string, f url.Values, actor responsehub.Actor) (what string, edit func(*responsehub.Tenant) error, err error) {
	switch form {
	case "told":
		return "who is told", func(t *responsehub.Tenant) error { return toldBy(t, f) }, nil
	case "company":
		return "the company in the ticket system", func(t *responsehub.Tenant) error {
			desk, _ := t.Notify.PSA.At(f.Get("desk"))
			desk.Connection, desk.Company = f.Get("desk"), strings.TrimSpace(f.Get("company"))
			t.Notify.PSA = t.Notify.PSA.With(desk)
			return nil
		}, nil
	case "guards":
		return "password mode and limits", func(t *responsehub.Tenant) error { return guards(t, f) }, nil
	case "copy":
		from, err := pick(c.visible(actor), f.Get("from"))
		if err != nil {
			return "", nil, err
		}
		return "settings copied from " + from.Name, func(t *responsehub.Tenant) error {
			own := t.Notify.PSA
			t.Notify, t.PasswordMode, t.Limits = from.Notify, from.PasswordMode, from.Limits
			t.Notify.PSA = slices.Clone(from.Notify.PSA)
			for i := range t.Notify.PSA {
				desk, _ := own.At(t.Notify.PSA[i].Connection)
				t.Notify.PSA[i].Company = desk.Company // the customer's own, never another's
			}
			return nil
		}, nil
	}
	return "", nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such form."}
}

func toldBy(t *responsehub.Tenant, f url.Values) error {
	n := &t.Notify
	n.Teams, n.Mail = append(f["teams"], lines(f.Get("more-teams"))...), lines(f.Get("mail"))
	n.Slack, n.Webhooks = kept(n.Slack, f, "slack"), kept(n.Webhooks, f, "webhooks")
	n.PSA = desksOf(f)
	var sequence []string
	for _, id := range f["person"] {
		if id != "" {
			sequence = append(sequence, id)
		}
	}
	if len(sequence) == 0 {
		n.Phone = nil
		return nil
	}
	phone := responsehub.OnCall{}
	if n.Phone != nil {
		phone = *n.Phone
	}
	wait, err := strconv.Atoi(f.Get("wait"))
	rounds, err2 := strconv.Atoi(f.Get("rounds"))
	if err != nil || err2 != nil {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "The wait and the rounds are whole numbers."}
	}
	phone.Sequence, phone.Wait, phone.Rounds = sequence, time.Duration(wait)*time.Second, rounds
	n.Phone = &phone
	return nil
}

// desksOf are the ticket systems that are chosen, each with its company and whether closing
// a ticket there ends the incident: the boxes that are ticked say their place in the form.
func desksOf(f url.Values) responsehub.Desks {
	var out responsehub.Desks
	for i, connection := range f["desk"] {
		if connection == "" {
			continue
		}
		d := responsehub.Desk{Connection: connection, CloseOnTicketClose: slices.Contains(f["close"], strconv.Itoa(i))}
		if i < len(f["company"]) {
			d.Company = strings.TrimSpace(f["company"][i])
		}
		out = append(out, d)
	}
	return out
}

// kept are addresses that hold a secret: they are not shown, so that a form adds to them
// or takes all away.
func kept(was []string, f url.Values, name string) []string {
	if f.Get("clear-"+name) == "on" {
		was = nil
	}
	return append(slices.Clone(was), lines(f.Get(name))...)
}

func guards(t *responsehub.Tenant, f url.Values) error {
	locks, err := strconv.Atoi(strings.TrimSpace(f.Get("locks")))
	if err != nil {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "The number of automatic locks an hour is a whole number; 0 is none."}
	}
	t.PasswordMode, t.Limits.AutomaticLocksPerHour = responsehub.PasswordMode(f.Get("mode")), &locks
	t.LockGroup, t.BreakGlass, t.SecondPersonFor = strings.ToLower(strings.TrimSpace(f.Get("group"))), lines(f.Get("glass")), lines(f.Get("second"))
	return nil
}

// lines are the lines of a text that are not empty.
func lines(s string) []string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// choices are those who can be put into the tenant's sequence: people with a number, who
// are in it already, and the tenant's schedules. Guests without a number may be thousands.
func (c *Console) choices(t responsehub.Tenant) []choice {
	var out []choice
	var in []string
	if t.Notify.Phone != nil {
		in = t.Notify.Phone.Sequence
		for _, s := range t.Notify.Phone.Schedules {
			out = append(out, choice{s.ID, "schedule " + s.ID})
		}
	}
	for _, p := range byName(c.dir.People()) {
		switch {
		case p.Phone != "":
			out = append(out, choice{p.ID, p.Name})
		case slices.Contains(in, p.ID):
			out = append(out, choice{p.ID, p.Name + " (no number)"})
		}
	}
	return out
}

func byName(people []responsehub.Person) []responsehub.Person {
	people = slices.Clone(people)
	slices.SortFunc(people, func(a, b responsehub.Person) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return people
}

// look runs the preflight of a tenant now; nothing is changed there.
func (c *Console) look(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.tenantOf(r, actor, responsehub.Act)
	if err != nil {
		return err
	}
	if c.cfg.Readiness == nil {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub does not look at tenants."}
	}
	found, err := c.cfg.Readiness.Run(r.Context(), t)
	if err != nil {
		return err
	}
	return c.toTenant(w, r, t.ID, "Looked at "+t.Name+": "+found.Words(time.Now())+".")
}

// removeTenant takes a tenant off the list.
func (c *Console) removeTenant(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.tenantOf(r, actor, responsehub.Manage)
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(r.PostFormValue("name")), t.Name) {
		return c.toTenant(w, r, t.ID, "Not removed: type the tenant's name to remove it.")
	}
	open, err := c.open(r.Context(), actor)
	if err != nil {
		return err
	}
	if n := len(open[t.ID]); n > 0 {
		return c.toTenant(w, r, t.ID, "Not removed: "+count(n, "incident is", "incidents are")+" open there. Mark them as remediated first.")
	}
	if err := c.dir.RemoveTenant(r.Context(), actor.By(), t.ID); err != nil {
		return err
	}
	c.tell(r, t.Name+" was removed. Its incidents stay readable.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
