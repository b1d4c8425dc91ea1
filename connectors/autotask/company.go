package autotask

import (
	"context"
	"fmt"
	"strconv"

	"responsehub"
	"responsehub/ticket"
)

type company struct {
	ID   int    `json:"id"`
	Name string `json:"companyName"`
}

// active is the condition that a company or contact is in use.
var active = filter{Op: "eq", Field: "isActive", Value: true}

// company looks an active company up by its name. Where several are called so, none of
// them is taken: another customer's ticket is no place to tell of an incident.
func (d *Desk) company(ctx context.Context, name string) (int, error) {
	if name == "" {
		return 0, &responsehub.Error{Kind: responsehub.Permanent, Message: "The connection has no catch-all company. Fill in psa catch_all_company."}
	}
	got, err := d.companies(ctx, "look for the company", filter{Op: "eq", Field: "companyName", Value: name}, 2)
	if err != nil {
		return 0, err
	}
	if id, nerr := strconv.Atoi(name); len(got) == 0 && nerr == nil && id >= 0 {
		if got, err = d.companies(ctx, "look for the company", filter{Op: "eq", Field: "id", Value: id}, 2); err != nil {
			return 0, err
		}
	}
	switch len(got) {
	case 0:
		return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("Autotask has no active company %q.", ticket.Short(name, 60))}
	case 1:
		return got[0].ID, nil
	}
	return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("Autotask has several active companies %q: give the company's number instead.", ticket.Short(name, 60))}
}

func (d *Desk) companies(ctx context.Context, what string, f filter, most int) ([]company, error) {
	return rows[company](ctx, d, what, "Companies", query{Filter: []filter{f, active}, Fields: []string{"id", "companyName"}}, most)
}

// Mapped reports whether there is exactly one active company of that name.
func (d *Desk) Mapped(ctx context.Context, name string) error {
	if err := d.begin(ctx, asking, false); err != nil {
		return err
	}
	_, err := d.company(ctx, name)
	return err
}

// contact looks a principal name up among the mail addresses of a company's contacts; 0:
// there is none.
func (d *Desk) contact(ctx context.Context, company int, user string) (int, error) {
	if user == "" {
		return 0, nil
	}
	type contact struct {
		ID int `json:"id"`
	}
	got, err := rows[contact](ctx, d, "look for the contact", "Contacts", query{
		Filter: []filter{{Op: "eq", Field: "companyID", Value: company}, {Op: "eq", Field: "emailAddress", Value: user}, {Op: "eq", Field: "isActive", Value: 1}},
		Fields: []string{"id"},
	}, 2)
	if err != nil || len(got) == 0 {
		return 0, err
	}
	return got[0].ID, nil
}

// Companies lists up to 50 active companies whose name contains the text.
func (d *Desk) Companies(ctx context.Context, text string) ([]ticket.Company, error) {
	if err := d.begin(ctx, asking, false); err != nil {
		return nil, err
	}
	got, err := d.companies(ctx, "list companies", filter{Op: "contains", Field: "companyName", Value: text}, 50)
	if err != nil {
		return nil, err
	}
	var out []ticket.Company
	for _, c := range got {
		out = append(out, ticket.Company{ID: strconv.Itoa(c.ID), Name: c.Name})
	}
	return out, nil
}
