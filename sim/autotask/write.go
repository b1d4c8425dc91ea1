package autotask

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// writable are the entities that the hub may write, by table.
var writable = []string{"Tickets", "TicketNotes", "TicketWebhooks", "TicketWebhookFields", "TicketWebhookExcludedResources"}

// writeTo is POST, PATCH and PUT of a collection. The answer of each is the id alone.
func (s *Service) writeTo(r *http.Request, entity string, parent desk.Record) (any, *refusal) {
	if !slices.Contains(writable, entity) || r.Method == http.MethodGet || r.Method == http.MethodDelete || entity == "TicketNotes" && len(parent) == 0 {
		s.unexpected(r.Method + " " + r.URL.Path)
		return nil, noMethod
	}
	var in desk.Record
	if bad := read(r, &in); bad != nil || in == nil {
		return nil, noJSON
	}
	maps.Copy(in, parent)
	before, after := desk.Record(nil), desk.Record{}
	if r.Method != http.MethodPost {
		if before = find(s.tables[entity], in.Int("id")); before == nil {
			return nil, noMatches
		}
		after = before.Clone()
	}
	if r.Method == http.MethodPut { // what is left out is emptied
		for _, d := range defs[entity] {
			if !strings.Contains(d.marks, "-") {
				delete(after, d.name)
			}
		}
	}
	for k, v := range in {
		if v == nil {
			delete(after, k)
		} else if k != "id" {
			after[k] = v
		}
	}
	if entity == "TicketWebhooks" && before != nil && in["secretKey"] == nil {
		after["secretKey"] = before["secretKey"]
	}
	if wrong := s.judge(entity, in, after); len(wrong) > 0 {
		return nil, invalid(wrong...)
	}
	return desk.Record{"itemId": s.store(entity, before, after, hub).Int("id")}, nil
}

// store writes a record for a resource and tells the webhooks.
func (s *Service) store(entity string, before, after desk.Record, by int) desk.Record {
	created := before == nil
	was := before.Clone()
	if created {
		before = desk.Record{}
		after["id"] = s.id()
		s.tables[entity] = append(s.tables[entity], before)
	}
	switch entity {
	case "Tickets":
		s.finishTicket(was, after, by)
	case "TicketNotes":
		if created {
			after["createDateTime"], after["creatorResourceID"] = desk.Now(), by
			s.effect("ticket.note", after.Int("ticketID"), after.Text("description"))
		}
		after["lastActivityDate"] = desk.Now()
	case "TicketWebhooks":
		if created {
			after["isReady"], after["webhookGUID"] = false, fmt.Sprintf("a7a5c0de-0000-4000-8000-%012d", after.Int("id"))
		}
		if after.Flag("isActive") {
			delete(s.failures, after.Int("id"))
		}
	}
	clear(before)
	maps.Copy(before, after)
	switch entity {
	case "Tickets":
		action := "Update"
		if created {
			action = "Create"
		}
		s.happened(action, was, before, by)
	case "TicketWebhookFields":
		s.ready(after.Int("webhookID"))
	}
	return before
}

// finishTicket sets what Autotask sets by itself.
func (s *Service) finishTicket(was, t desk.Record, by int) {
	if was == nil {
		t["createDate"], t["creatorResourceID"], t["creatorType"] = desk.Now(), by, 1
		t["ticketNumber"] = fmt.Sprintf("T%s.%04d", time.Now().UTC().Format("20060102"), t.Int("id")%10000)
		if t["ticketCategory"] == nil {
			t["ticketCategory"] = 3
		}
		s.effect("ticket.create", t.Int("id"), t.Text("externalID"))
	}
	t["lastActivityDate"], t["lastActivityResourceID"], t["lastTrackedModificationDateTime"] = desk.Now(), by, desk.Now()
	if closed := t.Int("status") == complete; closed != (t["completedDate"] != nil) {
		delete(t, "completedDate")
		delete(t, "completedByResourceID")
		if closed {
			t["completedDate"], t["completedByResourceID"] = desk.Now(), by
		}
	}
	if was != nil && was.Int("status") != t.Int("status") {
		s.effect("ticket.status", t.Int("id"), s.label("status", t.Int("status")))
	}
}

// drop removes a record.
func (s *Service) drop(entity string, id int) {
	s.tables[entity] = slices.DeleteFunc(s.tables[entity], func(r desk.Record) bool { return r.Int("id") == id })
}

// ready says of a webhook that it has a subscribed field.
func (s *Service) ready(webhook int) {
	if h := find(s.tables["TicketWebhooks"], webhook); h != nil {
		h["isReady"] = slices.ContainsFunc(s.tables["TicketWebhookFields"], func(f desk.Record) bool {
			return f.Int("webhookID") == webhook && f.Flag("isSubscribedField")
		})
	}
}

func (s *Service) effect(kind string, ticket int, detail string) {
	s.cfg.Log.Effect(wire.Effect{Vendor: vendor, Kind: kind, Target: strconv.Itoa(ticket), Detail: detail})
}
