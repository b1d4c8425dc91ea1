package connectwise

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"responsehub"
	"responsehub/ticket"
)

// company looks a company up by its identifier, else by its name. Where several have the
// name, none of them is taken: another customer's ticket is no place to tell of an incident.
func (d *Desk) company(ctx context.Context, name string) (int, error) {
	if name == "" {
		return 0, &responsehub.Error{Kind: responsehub.Permanent, Message: "The connection has no catch-all company. Fill in psa catch_all_company."}
	}
	q, err := quote(name)
	if err != nil {
		return 0, err
	}
	for _, field := range []string{"identifier", "name"} {
		var rows []named
		query := url.Values{"conditions": {field + "=" + q + " and deletedFlag=False"}, "fields": {"id,identifier,name"}, "pageSize": {"2"}, "page": {"1"}}
		if err := d.call(ctx, "look for the company", http.MethodGet, "/company/companies", query, nil, &rows); err != nil {
			return 0, err
		}
		switch len(rows) {
		case 0:
		case 1:
			return rows[0].ID, nil
		default:
			return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("ConnectWise has several companies %q: give the company's identifier instead.", ticket.Short(name, 60))}
		}
	}
	return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("ConnectWise has no company %q.", ticket.Short(name, 60))}
}

// Mapped reports whether there is a company of that identifier, or exactly one of that name.
func (d *Desk) Mapped(ctx context.Context, company string) error {
	_, err := d.company(ctx, company)
	return err
}

// contact looks a principal name up among the mail addresses of a company's contacts;
// 0: there is none.
func (d *Desk) contact(ctx context.Context, company int, user string) (int, error) {
	q, err := quote(user)
	if user == "" || err != nil {
		return 0, err
	}
	var rows []named
	query := url.Values{
		"conditions":      {fmt.Sprintf("company/id=%d and inactiveFlag=False", company)},
		"childConditions": {"communicationItems/value=" + q + ` and communicationItems/communicationType="Email"`},
		"fields":          {"id"}, "pageSize": {"2"}, "page": {"1"},
	}
	if err := d.call(ctx, "look for the contact", http.MethodGet, "/company/contacts", query, nil, &rows); err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].ID, nil
}

// Companies lists up to 50 companies whose name contains the text. A mapping holds the
// identifier.
func (d *Desk) Companies(ctx context.Context, text string) ([]ticket.Company, error) {
	q, err := quote("*" + strings.Trim(text, "*") + "*")
	if err != nil {
		return nil, nil //nolint:nilerr // nothing is called so
	}
	var rows []named
	query := url.Values{"conditions": {"name like " + q + " and deletedFlag=False"}, "orderBy": {"name asc"}, "fields": {"id,identifier,name"}, "pageSize": {"50"}, "page": {"1"}}
	if err := d.call(ctx, "list companies", http.MethodGet, "/company/companies", query, nil, &rows); err != nil {
		return nil, err
	}
	var out []ticket.Company
	for _, r := range rows {
		out = append(out, ticket.Company{ID: strconv.Itoa(r.ID), Name: r.Identifier})
	}
	return out, nil
}
