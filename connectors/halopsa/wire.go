package halopsa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"time"

	"responsehub"
	"responsehub/ticket"
)

// closed is the status that closes a ticket in every instance.
const closed = 9

// nobody is the agent to whom tickets belong that nobody took.
const nobody = 1

// record is a ticket as HaloPSA gives it.
type record struct {
	ID        int    `json:"id"`
	Summary   string `json:"summary"`
	Details   string `json:"details"`
	Status    int    `json:"status_id"`
	Client    int    `json:"client_id"`
	Team      string `json:"team"`
	Agent     int    `json:"agent_id"`
	AgentName string `json:"agent_name"`
	Ref       string `json:"third_party_id_string"`
	Done      bool   `json:"hasbeenclosed"`
	DoneAt    string `json:"dateclosed"`
	Merged    int    `json:"merged_into_id"`
}

// draft is a ticket to be made, and change what is to change of one. Both go out in an
// array, and one with an id is a change.
type draft struct {
	Summary  string `json:"summary"`
	Details  string `json:"details_html"`
	Client   int    `json:"client_id"`
	User     int    `json:"user_id,omitempty"`
	Site     int    `json:"site_id,omitempty"` // of the user: needed with one
	Type     int    `json:"tickettype_id,omitempty"`
	Priority int    `json:"priority_id,omitempty"`
	Status   int    `json:"status_id,omitempty"`
	Team     string `json:"team,omitempty"`
	Ref      string `json:"third_party_id_string"`
	// Plain keeps a template of the type from replacing the hub's texts.
	Plain bool `json:"donotapplytemplateintheapi"`
}

type change struct {
	ID     int `json:"id"`
	Status int `json:"status_id,omitempty"`
	Client int `json:"client_id,omitempty"`
}

type action struct {
	Ticket  int    `json:"ticket_id"`
	Outcome int    `json:"outcome_id"`
	Note    string `json:"note_html"`
	Hidden  bool   `json:"hiddenfromuser"`
	Mail    bool   `json:"sendemail"`
}

// one is an answer that is an object, or an array of one: instances differ.
type one[T any] struct{ v T }

func (o *one[T]) UnmarshalJSON(b []byte) error {
	if b = []byte(strings.TrimSpace(string(b))); len(b) > 0 && b[0] == '[' {
		var all []T
		if err := json.Unmarshal(b, &all); err != nil {
			return err
		}
		if len(all) == 0 {
			return errors.New("an empty list")
		}
		o.v = all[0]
		return nil
	}
	return json.Unmarshal(b, &o.v)
}

// markup makes a plain text HTML that shows it as it is.
func markup(text string) string {
	return strings.ReplaceAll(html.EscapeString(strings.ReplaceAll(text, "\r", "")), "\n", "<br>")
}

// number reads the id of a ticket.
func number(id string) (int, error) {
	n, err := strconv.Atoi(id)
	if err != nil || n <= 0 {
		return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("%q is no ticket of HaloPSA.", ticket.Short(id, 40))}
	}
	return n, nil
}

// read is a ticket as the hub knows it.
func (d *Desk) read(ctx context.Context, r *record) (ticket.Ticket, error) {
	all, err := list[status](ctx, d, "status", "/Status")
	if err != nil {
		return ticket.Ticket{}, err
	}
	id, label := strconv.Itoa(r.ID), strconv.Itoa(r.Status)
	for _, s := range all {
		if s.ID == r.Status {
			label = s.Name
		}
	}
	t := ticket.Ticket{ID: id, Number: "#" + id, URL: d.web + "/tickets?id=" + url.QueryEscape(id), Ref: r.Ref, Company: strconv.Itoa(r.Client), Board: r.Team, Status: label, Closed: d.closes(r, label)}
	if r.Agent > nobody {
		if t.Owner = r.AgentName; t.Owner == "" {
			t.Owner = d.agent(ctx, r.Agent)
		}
	}
	if t.Closed {
		t.ClosedAt = when(r.DoneAt)
	}
	if r.Merged > 0 && r.Merged != r.ID {
		t.MergedInto = strconv.Itoa(r.Merged)
	}
	return t, nil
}

// closes reports whether a ticket is closed. That it has been stays on one that was opened
// again, so it counts only where the configuration does not know the status better.
func (d *Desk) closes(r *record, label string) bool {
	if r.Status == closed || d.cfg.Statuses[ticket.Closed] != "" && same(label, d.cfg.Statuses[ticket.Closed]) {
		return true
	}
	for _, stage := range ticket.Stages {
		if name := d.cfg.Statuses[stage]; name != "" && same(label, name) {
			return false
		}
	}
	return r.Done
}

// when reads a date, with or without its zone, which is UTC. A year of 1900 is none.
func when(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1901 {
			return at.UTC()
		}
	}
	return time.Time{}
}

// agent is the name of an agent, or a number where the hub may not read it.
func (d *Desk) agent(ctx context.Context, id int) string {
	type agent struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	all, err := list[agent](ctx, d, "agents", "/Agent")
	if err == nil {
		for _, a := range all {
			if a.ID == id && a.Name != "" {
				return a.Name
			}
		}
	}
	return fmt.Sprintf("agent %d", id)
}
