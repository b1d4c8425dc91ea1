package autotask

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"responsehub/ticket"
)

// complete is the status that closes a ticket in every database; others are the
// customer's own.
const complete = 5

// record is a ticket as Autotask gives it.
type record struct {
	ID        int64  `json:"id"`
	Number    string `json:"ticketNumber"`
	External  string `json:"externalID"`
	Company   int    `json:"companyID"`
	Contact   int    `json:"contactID"`
	Queue     int    `json:"queueID"`
	Status    int    `json:"status"`
	Owner     int    `json:"assignedResourceID"`
	Creator   int    `json:"creatorResourceID"`
	Completed string `json:"completedDate"`
	ClosedBy  int    `json:"completedByResourceID"`
	UpdatedBy int    `json:"lastActivityResourceID"`
}

// ticketFields are what the hub reads of a ticket.
var ticketFields = []string{
	"id", "ticketNumber", "externalID", "companyID", "contactID", "queueID", "status", "assignedResourceID", "creatorResourceID", "completedDate", "completedByResourceID", "lastActivityResourceID",
}

// draft is a ticket to be made, and change what is to change of one: only what is given.
type draft struct {
	Company     int    `json:"companyID"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Status      int    `json:"status,omitempty"`
	Priority    int    `json:"priority,omitempty"`
	Queue       int    `json:"queueID"` // without it Autotask wants a person
	Category    int    `json:"ticketCategory,omitempty"`
	Source      int    `json:"source,omitempty"`
	Contact     int    `json:"contactID,omitempty"`
	External    string `json:"externalID"`
}

type change struct {
	ID         int64  `json:"id"`
	Status     int    `json:"status,omitempty"`
	Company    int    `json:"companyID,omitempty"`
	Resolution string `json:"resolution,omitempty"`
}

type note struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Type        int    `json:"noteType"`
	Publish     int    `json:"publish"`
}

// made is the whole answer to what was made.
type made struct {
	ID int64 `json:"itemId"`
}

// read is tickets as the hub knows them.
func (d *Desk) read(ctx context.Context, rs ...record) ([]ticket.Ticket, error) {
	if len(rs) == 0 {
		return nil, nil
	}
	all, err := d.of(ctx, ofTickets)
	if err != nil {
		return nil, err
	}
	z, err := d.zone(ctx, "")
	if err != nil {
		return nil, err
	}
	status, queue := named(all, "status"), named(all, "queueID")
	var ids []int
	for _, r := range rs {
		ids = append(ids, r.Owner, r.UpdatedBy, r.ClosedBy)
	}
	who := d.names(ctx, ids)
	var out []ticket.Ticket
	for _, r := range rs {
		id := strconv.FormatInt(r.ID, 10)
		t := ticket.Ticket{
			ID: id, Number: r.Number, URL: door(z, id), Ref: r.External, Company: strconv.Itoa(r.Company), Board: queue.label(r.Queue), Status: status.label(r.Status),
			Closed: d.closes(r.Status, status.label(r.Status), r.Completed != ""), Owner: who[r.Owner], UpdatedBy: who[r.UpdatedBy],
		}
		if t.Number == "" {
			t.Number = "#" + id
		}
		if t.Closed {
			t.ClosedAt, t.ClosedBy = when(r.Completed), who[r.ClosedBy]
		}
		out = append(out, t)
	}
	return out, nil
}

// closes reports whether a ticket of the status is closed. A date of completion stays on
// tickets that were opened again, so it counts only where the configuration does not know
// the status better.
func (d *Desk) closes(status int, label string, completed bool) bool {
	if status == complete || d.cfg.Statuses[ticket.Closed] != "" && same(label, d.cfg.Statuses[ticket.Closed]) {
		return true
	}
	for _, stage := range ticket.Stages {
		if name := d.cfg.Statuses[stage]; name != "" && same(label, name) {
			return false
		}
	}
	return completed
}

// when reads a date: Autotask leaves the zone out, which is UTC, or gives it.
func when(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// door is the ticket's page for people.
// https://www.autotask.net/help/content/AdminSetup/2ExtensionsIntegrations/APIs/ExecuteCommandAPI/ExecuteCommandAPI.htm
func door(z zone, id string) string {
	u, err := url.Parse(z.Web)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return strings.TrimRight(u.String(), "/") + "/Autotask/AutotaskExtend/ExecuteCommand.aspx?Code=OpenTicketDetail&TicketID=" + url.QueryEscape(id)
}

// fit shortens a text to n characters and keeps the marker at its end, by which it is
// found again.
func fit(text string, n int) string {
	const most = 120 // of a marker
	at := strings.LastIndex(text, "[RH-")
	if at < 0 || len(text)-at > most || !strings.HasSuffix(text, "]") {
		return ticket.Short(text, n)
	}
	mark := text[at:]
	if len([]rune(text)) <= n {
		return text
	}
	return ticket.Short(strings.TrimSpace(text[:at]), n-len(mark)-1) + " " + mark
}
