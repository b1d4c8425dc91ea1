package halopsa

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"responsehub"
	"responsehub/ticket"
)

type client struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Inactive bool   `json:"inactive"`
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// client looks an active client up by its name, its number, or the id of its Microsoft
// tenant as HaloPSA's own integration maps it. Where several are called so, none of them is
// taken: another customer's ticket is no place to tell of an incident.
func (d *Desk) client(ctx context.Context, name string) (int, error) {
	if name == "" {
		return 0, &responsehub.Error{Kind: responsehub.Permanent, Message: "The connection has no catch-all company. Fill in psa catch_all_company."}
	}
	if guid.MatchString(name) {
		return d.tenant(ctx, name)
	}
	got, err := d.clients(ctx, "look for the client", name, 100)
	if err != nil {
		return 0, err
	}
	var found []int
	for _, c := range got {
		if same(c.Name, name) && !c.Inactive {
			found = append(found, c.ID)
		}
	}
	if id, nerr := strconv.Atoi(name); len(found) == 0 && nerr == nil && id > 0 {
		return d.numbered(ctx, id)
	}
	switch len(found) {
	case 0:
		return 0, unmapped(name)
	case 1:
		return found[0], nil
	}
	return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("HaloPSA has several active clients %q: give the client's number instead.", ticket.Short(name, 60))}
}

func unmapped(name string) error {
	return &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("HaloPSA has no active client %q.", ticket.Short(name, 60))}
}

// numbered reports whether a client of the number is active.
func (d *Desk) numbered(ctx context.Context, id int) (int, error) {
	var c client
	if err := d.call(ctx, request{what: "look for the client", method: http.MethodGet, path: "/Client/" + strconv.Itoa(id)}, &c); err != nil {
		return 0, err
	}
	if c.ID != id || c.Inactive {
		return 0, unmapped(strconv.Itoa(id))
	}
	return id, nil
}

func (d *Desk) clients(ctx context.Context, what, text string, most int) ([]client, error) {
	var got struct {
		Clients []client `json:"clients"`
	}
	err := d.call(ctx, request{what: what, method: http.MethodGet, path: "/Client", query: first(most, url.Values{"search": {text}})}, &got)
	return got.Clients, err
}

// tenant returns the client to which HaloPSA's own Microsoft integration maps a tenant: an
// exact mapping that somebody made, no guess by names.
func (d *Desk) tenant(ctx context.Context, id string) (int, error) {
	type connection struct {
		ID int `json:"id"`
	}
	all, err := list[connection](ctx, d, "Microsoft connections", "/AzureADConnection")
	if err != nil {
		return 0, err
	}
	for _, c := range all {
		var got struct {
			Mappings []struct {
				Tenant string `json:"azure_tenant_id"`
				Client int    `json:"client_id"`
			} `json:"mappings_client"`
		}
		q := url.Values{"type": {"2"}, "includedetails": {"true"}, "includetenants": {"true"}}
		if err := d.call(ctx, request{what: "read the mapping of tenants", method: http.MethodGet, path: "/AzureADConnection/" + strconv.Itoa(c.ID), query: q}, &got); err != nil {
			return 0, err
		}
		for _, m := range got.Mappings {
			if strings.EqualFold(m.Tenant, id) && m.Client > 0 {
				return d.numbered(ctx, m.Client)
			}
		}
	}
	return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: "HaloPSA maps no client to the Microsoft tenant " + id + "."}
}

// user is an end user of a client. Which field holds the principal name depends on how an
// instance is kept in step with Entra.
type user struct {
	ID       int    `json:"id"`
	Site     int    `json:"site_id"`
	Client   int    `json:"client_id"`
	Mail     string `json:"emailaddress"`
	Login    string `json:"networklogin"`
	Entra    string `json:"aaduserid"`
	Inactive bool   `json:"inactive"`
}

// contact looks the account's owner up among the users of the client; without one HaloPSA
// puts the ticket under the client's general user. The search finds parts of names too, so
// what it finds is compared. See Get-HaloUser.ps1 of https://github.com/KelvinTegelaar/CIPP-API.
func (d *Desk) contact(ctx context.Context, client int, name string) (user, error) {
	if name == "" || client <= 0 {
		return user{}, nil
	}
	var got struct {
		Users []user `json:"users"`
	}
	q := first(50, url.Values{"client_id": {strconv.Itoa(client)}, "search": {name}, "includeinactive": {"false"}})
	if err := d.call(ctx, request{what: "look for the user", method: http.MethodGet, path: "/Users", query: q}, &got); err != nil {
		return user{}, err
	}
	for _, u := range got.Users {
		if !u.Inactive && u.ID > 0 && (u.Client == 0 || u.Client == client) && (same(u.Mail, name) || same(u.Login, name) || same(u.Entra, name)) {
			return u, nil
		}
	}
	return user{}, nil
}

// unknown says in the ticket that it is under the general user.
func unknown(u user, name string, err error) string {
	if name == "" || u.ID > 0 {
		return ""
	}
	if err != nil {
		return "\nThe hub could not look for " + name + " among the client's users: the ticket is under its general user."
	}
	return "\nThe client has no user " + name + ": the ticket is under its general user."
}

// Mapped reports whether there is exactly one active client of that name, number or tenant.
func (d *Desk) Mapped(ctx context.Context, company string) error {
	_, err := d.client(ctx, company)
	return err
}

// Companies lists up to 50 active clients whose name contains the text, or the one to
// which a Microsoft tenant's id is mapped.
func (d *Desk) Companies(ctx context.Context, text string) ([]ticket.Company, error) {
	if guid.MatchString(text) {
		id, err := d.tenant(ctx, text)
		if responsehub.KindOf(err) == responsehub.NotFound && err != nil {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []ticket.Company{{ID: strconv.Itoa(id), Name: text}}, nil
	}
	got, err := d.clients(ctx, "list clients", text, 50)
	if err != nil {
		return nil, err
	}
	var out []ticket.Company
	for _, c := range got {
		if !c.Inactive {
			out = append(out, ticket.Company{ID: strconv.Itoa(c.ID), Name: c.Name})
		}
	}
	return out, nil
}
