package autotask

import (
	"strconv"
	"strings"

	"responsehub/sim/desk"
)

// Who and what is there from the start.
const (
	Queue    = "Security"           // name of a queue
	CatchAll = "Unmapped customers" // name of the company for tenants that nobody mapped
	hub      = 4                    // resource of the hub's API user
	clerks   = 29682885             // resource of desk.People[0], the next has the next
	role     = 29683396             // the only role
	complete = 5                    // the status that closes, the same everywhere
	// Types of notes that only Autotask writes, and the type of a ticket that is not merged.
	mergedNote   = 93
	absorbedNote = 94
	problemType  = 3
)

// choice is a value of a picklist. Value is a string here and a number on the record.
type choice struct {
	Value    string `json:"value"`
	Label    string `json:"label"`
	Default  bool   `json:"isDefaultValue"`
	Sort     int    `json:"sortOrder"`
	Parent   string `json:"parentValue"`
	Active   bool   `json:"isActive"`
	IsSystem bool   `json:"isSystem"`
}

// picklists are "value=label" by field; the first is the default, a leading ! is switched off, :n behind
// the label is the parent.
func picklists() map[string][]choice {
	out := map[string][]choice{}
	for field, list := range map[string]string{
		"status":         "1=New,8=In Progress,12=Contained,7=Waiting Customer,9=Waiting on Technician,5=Complete,13=Re-opened,!20=Old",
		"priority":       "2=Medium,4=Critical,1=High,3=Low",
		"queueID":        "29682833=Security,29682834=Service Desk,!29682835=Retired",
		"source":         "4=Email,2=Phone,8=Monitoring Alert",
		"ticketCategory": "3=Standard,101=Security Incident",
		"ticketType":     "1=Service Request,2=Incident,3=Problem,5=Alert",
		"issueType":      "10=Security,11=Computer",
		"subIssueType":   "136=Account takeover:10,137=Phishing:10,138=Hardware:11",
		"noteType":       "1=Task Summary,2=Task Detail,3=Task Notes,13=Workflow Rule Note - Task,18=Client Portal Note,91=Workflow Rule Action Note,93=Merged Into Ticket,94=Absorbed Another Ticket",
		"publish":        "1=All Autotask Users,2=Internal Project Team",
	} {
		for i, entry := range strings.Split(list, ",") {
			entry, off := strings.CutPrefix(entry, "!")
			value, label, _ := strings.Cut(entry, "=")
			label, parent, _ := strings.Cut(label, ":")
			out[field] = append(out[field], choice{value, label, i == 0, i + 1, parent, !off, value == "1" || value == "5"})
		}
	}
	for i, f := range hookable {
		out["fieldID"] = append(out["fieldID"], choice{Value: strconv.Itoa(i + 1), Label: f, Sort: i + 1, Active: true})
	}
	return out
}

// hookable are the fields of a ticket that a webhook can watch; the id of one is its place, from 1.
var hookable = []string{"status", "queueID", "priority", "assignedResourceID", "title", "externalID", "companyID", "completedDate", "resolution", "ticketNumber", "description"}

// seed makes companies, contacts and resources. The same configuration gives the same ids.
func seed(cfg Config) map[string][]desk.Record {
	t := map[string][]desk.Record{
		"Tickets": {}, "TicketNotes": {}, "Contacts": {}, "TicketWebhooks": {}, "TicketWebhookFields": {}, "TicketWebhookExcludedResources": {}, "WebhookEventErrorLogs": {},
		"Companies": {{"id": 0, "companyName": "Security Desk", "isActive": true, "companyType": 1}, {"id": 29680000, "companyName": CatchAll, "isActive": true, "companyType": 1}},
		"Resources": {{"id": hub, "userName": cfg.Username, "firstName": "Response", "lastName": "Hub", "email": cfg.Username, "isActive": true}},
	}
	for i, p := range desk.People {
		first, last, _ := strings.Cut(p.Name, " ")
		t["Resources"] = append(t["Resources"], desk.Record{"id": clerks + i, "userName": p.Key, "firstName": first, "lastName": last, "email": p.Mail, "isActive": true})
	}
	for i, c := range cfg.Customers {
		id := 29680001 + i
		t["Companies"] = append(t["Companies"], desk.Record{"id": id, "companyName": c.Name, "isActive": true, "companyType": 1})
		for k, p := range c.Contacts {
			t["Contacts"] = append(t["Contacts"], desk.Record{"id": id*10 + k, "companyID": id, "firstName": p.First, "lastName": p.Last, "emailAddress": p.Mail, "isActive": 1})
		}
	}
	return t
}

// label is what a picklist calls a value.
func (s *Service) label(field string, value int) string {
	for _, c := range s.lists[field] {
		if c.Value == strconv.Itoa(value) {
			return c.Label
		}
	}
	return ""
}

// labelled is the value that a picklist calls so, 0 when there is none.
func (s *Service) labelled(field, label string) int {
	for _, c := range s.lists[field] {
		if desk.Same(c.Label, label) && c.Active {
			n, _ := strconv.Atoi(c.Value) // they are numbers
			return n
		}
	}
	return 0
}
