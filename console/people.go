package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub"
)

var errWhole = &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only an administrator of the whole hub may do this."}

// people is the list of people, for administrators of the whole hub.
func (c *Console) people(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	query := strings.ToLower(strings.TrimSpace(r.FormValue("q")))
	edited := responsehub.Person{Role: responsehub.Responder, Tenants: []string{"*"}}
	all := byName(c.dir.People())
	if i := slices.IndexFunc(all, func(p responsehub.Person) bool { return p.ID == r.FormValue("id") }); i >= 0 {
		edited = all[i]
	}
	listed := slices.DeleteFunc(all, func(p responsehub.Person) bool {
		return query != "" && !strings.Contains(strings.ToLower(p.Name+"\n"+p.Email+"\n"+p.ID+"\n"+strings.Join(p.Tenants, "\n")), query)
	})
	shown, page, pages := pageOf(listed, r)
	c.show(w, r, http.StatusOK, "people", actor, map[string]any{
		"People": shown, "Total": len(listed), "Query": r.FormValue("q"), "Page": page, "Pages": pages, "Person": edited, "Roles": responsehub.Roles, "Old": edited.ID != "", "Me": strings.TrimPrefix(actor.ID, "person:"),
	})
	return nil
}

// pageOf is the page of a list that was asked for, its number, and how many there are.
func pageOf[T any](list []T, r *http.Request) (shown []T, page, pages int) {
	page, _ = strconv.Atoi(r.FormValue("page"))
	pages = max(1, (len(list)+perPage-1)/perPage)
	page = min(max(page, 1), pages)
	return list[(page-1)*perPage : min(page*perPage, len(list))], page, pages
}

func (c *Console) putPerson(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	f := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	var p responsehub.Person // with what the form does not show, of somebody who is there
	if i := slices.IndexFunc(c.dir.People(), func(p responsehub.Person) bool { return p.ID == f("id") }); i >= 0 {
		p = c.dir.People()[i]
	}
	p = responsehub.Person{
		V: p.V, Language: cmp.Or(f("language"), p.Language),
		ID: cmp.Or(f("id"), newID(f("name"), c.isPerson)), Name: f("name"), EntraObjectID: strings.ToLower(f("entra")), Phone: strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(f("phone")), Email: f("email"),
		Role: responsehub.Role(f("role")), Tenants: lines(strings.ReplaceAll(f("tenants"), ",", "\n")), TimeZone: f("zone"),
	}
	if err := p.Check(); err != nil {
		return c.to(w, r, "/people", "Not saved: "+responsehub.Sentence(err))
	}
	if err := c.dir.PutPerson(r.Context(), actor.By(), p); err != nil {
		return err
	}
	return c.to(w, r, "/people", p.Name+" is saved.")
}

// newID makes an id of a name, as ann-berg, that nobody has yet.
func newID(name string, taken func(string) bool) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	base := limit(cmp.Or(strings.Join(words, "-"), "person"), 40)
	id := base
	for n := 2; taken(id); n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	return id
}

// removePerson takes a person off the list: their sessions end, and no button answers
// them any more. Who is in a phone sequence or one of its schedules stays until that is changed.
func (c *Console) removePerson(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	id := r.PathValue("id")
	switch {
	case !administers(actor):
		return errWhole
	case actor.ID == "person:"+id:
		return c.to(w, r, "/people", "Not removed: that is you. Another administrator has to do it.")
	}
	for _, t := range c.dir.Tenants() {
		if t.Notify.Phone != nil && t.Notify.Phone.Names(id) {
			return c.to(w, r, "/people", "Not removed: "+t.Name+" would call this person. Change its phone sequence first.")
		}
	}
	if err := c.dir.RemovePerson(r.Context(), actor.By(), id); err != nil {
		return err
	}
	return c.to(w, r, "/people", "Removed. Their sessions are over.")
}

func (c *Console) to(w http.ResponseWriter, r *http.Request, page, sentence string) error {
	c.tell(r, sentence)
	http.Redirect(w, r, page, http.StatusSeeOther)
	return nil
}

// keys are the API keys: names and roles, never the keys themselves.
func (c *Console) keys(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	c.show(w, r, http.StatusOK, "keys", actor, map[string]any{"Keys": c.dir.Keys(), "Roles": []responsehub.Role{responsehub.Reader, responsehub.Responder, responsehub.Admin}})
	return nil
}

// makeKey shows a new key, once: it is an answer to a form, not a page with an address.
func (c *Console) makeKey(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	if c.cfg.NewKey == nil {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "Keys are made by `responsehub key create` here."}
	}
	tenants := lines(strings.ReplaceAll(r.PostFormValue("tenants"), ",", "\n"))
	if i := slices.IndexFunc(tenants, func(name string) bool { return name != "*" && !c.isTenant(name) }); i >= 0 {
		return c.to(w, r, "/keys", "Not made: there is no tenant "+strconv.Quote(limit(tenants[i], 60))+". A key's tenants are named by name or id.")
	}
	plain, key, err := c.cfg.NewKey(strings.TrimSpace(r.PostFormValue("name")), responsehub.Role(r.PostFormValue("role")), tenants)
	if err != nil {
		return c.to(w, r, "/keys", "Not made: "+responsehub.Sentence(err))
	}
	if err := c.dir.PutKey(r.Context(), actor.By(), key); err != nil {
		return err
	}
	c.show(w, r, http.StatusOK, "key", actor, map[string]any{"Key": string(plain), "Name": key.Name})
	return nil
}

// isTenant reports whether somebody for whom the name stands in a list of tenants sees one.
func (c *Console) isTenant(name string) bool {
	a := responsehub.Actor{Tenants: []string{name}}
	return slices.ContainsFunc(c.dir.Tenants(), func(t responsehub.Tenant) bool { return a.Sees(t.Ref()) })
}

func (c *Console) removeKey(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	if err := c.dir.DeleteKey(r.Context(), actor.By(), r.PathValue("id")); err != nil {
		return err
	}
	return c.to(w, r, "/keys", "The key is removed. Whoever uses it is refused from now on.")
}

// setAutomatic stops or starts all automatic action at every tenant.
func (c *Console) setAutomatic(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	s := c.dir.Settings()
	on := r.PostFormValue("on") == "true"
	if on == (s.Stopped == nil) {
		return c.to(w, r, "/", "It stands so already.")
	}
	s.Stopped = nil
	sentence := "Automatic action runs again where Response is on."
	if !on {
		s.Stopped = &responsehub.Stop{By: actor.By(), At: time.Now().UTC()}
		sentence = "All automatic action is stopped, at every tenant. People have to run each step."
	}
	if err := c.dir.PutSettings(r.Context(), actor.By(), s); err != nil {
		return err
	}
	c.log.Warn("console: automatic action switched", "on", on, "actor", actor.ID)
	return c.to(w, r, "/", sentence)
}
