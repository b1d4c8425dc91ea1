package halopsa

import (
	"fmt"
	"strings"

	"responsehub/sim/desk"
)

// Who and what is there from the start.
const (
	Team      = "Security"
	CatchAll  = "Unmapped customers" // client for tenants that nobody mapped
	Type      = "Security Incident"  // a ticket type
	hub       = 3                    // agent of the hub's application
	clerks    = 11                   // agent of desk.People[0], the next has the next
	closed    = 9                    // the status that closes
	firstType = 21
	private   = 7 // outcome of an internal note, the stock one
)

// seed makes clients, statuses and the rest. The same configuration gives the same ids.
func seed(cfg Config) map[string][]desk.Record {
	t := map[string][]desk.Record{"tickets": {}, "actions": {}, "webhook": {}, "webhookevent": {}, "notification": {}, "users": {}}
	for i, name := range []string{"New", "In Progress", "Contained", "Waiting on Technician", "Re-opened"} {
		t["status"] = append(t["status"], desk.Record{"id": i + 1, "name": name, "type": 0, "sequence": i})
	}
	t["status"] = append(t["status"], desk.Record{"id": closed, "name": "Closed", "type": 0, "sequence": 9})
	for i, name := range []string{Type, "Service Request"} {
		t["tickettype"] = append(t["tickettype"], desk.Record{"id": firstType + i, "name": name, "use": "ticket", "default_sla": 1, "initial_status": 1, "cancreate": true, "visible": true, "reopenedstatus": 5})
	}
	for i, name := range []string{"Critical", "High", "Medium", "Low"} {
		t["priority"] = append(t["priority"], desk.Record{"id": fmt.Sprintf("1-%d", i+1), "slaid": 1, "priorityid": i + 1, "name": name, "ishidden": false})
	}
	for _, o := range []struct {
		id     int
		name   string
		hidden bool
	}{{private, "Private Note", true}, {5, "Email User", false}, {16, "Public Note", false}} {
		t["outcome"] = append(t["outcome"], desk.Record{"id": o.id, "outcome": o.name, "buttonname": o.name, "hidden": false, "hidefromuser": o.hidden})
	}
	for i, name := range []string{Team, "1st Line"} {
		t["team"] = append(t["team"], desk.Record{"id": i + 1, "name": name, "inactive": false})
	}
	t["agent"] = []desk.Record{{"id": hub, "name": "Response Hub", "isapionly": true}}
	for i, p := range desk.People {
		t["agent"] = append(t["agent"], desk.Record{"id": clerks + i, "name": p.Name, "email": p.Mail})
	}
	for i, c := range append([]desk.Customer{{Name: CatchAll}}, cfg.Customers...) {
		t["client"] = append(t["client"], desk.Record{"id": 12 + i, "name": c.Name, "inactive": false, "toplevel_name": "Customers"})
		for _, p := range c.Contacts {
			t["users"] = append(t["users"], desk.Record{"id": 400 + len(t["users"]), "name": p.First + " " + p.Last, "emailaddress": p.Mail, "client_id": 12 + i, "site_id": 50 + i, "inactive": false})
		}
		if c.TenantID != "" {
			t["mappings"] = append(t["mappings"], desk.Record{"azure_tenant_id": c.TenantID, "client_id": 12 + i, "client_name": c.Name})
		}
	}
	return t
}

// called is the record of a table with the name, nil when there is none.
func (s *Service) called(table, name string) desk.Record {
	for _, r := range s.tables[table] {
		if name != "" && desk.Same(r.Text("name"), name) {
			return r
		}
	}
	return nil
}

// plain is the text of HTML, for the page.
func plain(html string) string {
	var out strings.Builder
	inside := false
	for _, r := range strings.NewReplacer("<br>", "\n", "<br/>", "\n", "</p>", "\n", "</li>", "\n").Replace(html) {
		switch {
		case r == '<':
			inside = true
		case r == '>' && inside:
			inside = false
		case !inside:
			out.WriteRune(r)
		}
	}
	return strings.TrimSpace(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#39;", "'", "&#34;", `"`, "&quot;", `"`, "&amp;", "&").Replace(out.String()))
}
