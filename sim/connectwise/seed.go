package connectwise

import (
	"fmt"
	"slices"
	"strings"

	"responsehub/sim/desk"
)

// Who and what is there from the start.
const (
	Board     = "Security"          // has a default team
	CatchAll  = "CATCHALL"          // identifier of the company for tenants that nobody mapped
	hubMember = 150                 // the hub's API member
	clerks    = 201                 // id of desk.People[0], the next has the next
	staffless = "Retired (no team)" // a board on which nothing can be created
)

type board struct {
	id       int
	name     string
	statuses string // the first is the default; a leading > closes
	types    string
	team     string
}

var boards = []board{
	{1, Board, "New,In Progress,Contained,Waiting on Technician,>Closed,Re-opened", "Incident,Request", "Security Team"},
	{2, "Help Desk", "New (portal),Assigned,>Completed,>Cancelled", "Break-fix,Request", "Service Team"},
	{3, staffless, "New,>Closed", "Request", ""},
}

// seed makes boards, priorities, companies and the rest. The same configuration gives the same ids.
func seed(cfg Config) map[string][]desk.Record {
	t := map[string][]desk.Record{}
	add := func(path string, r desk.Record) {
		r["_info"] = desk.Record{"lastUpdated": "2026-11-02T08:00:00Z", "updatedBy": "Admin1"}
		t[path] = append(t[path], r)
	}
	for _, b := range boards {
		add("service/boards", desk.Record{"id": b.id, "name": b.name, "inactiveFlag": b.team == "", "projectFlag": false})
		below, ref := fmt.Sprintf("service/boards/%d/", b.id), desk.Record{"id": b.id, "name": b.name}
		for i, name := range strings.Split(b.statuses, ",") {
			name, closes := strings.CutPrefix(name, ">")
			escalation := "Responded"
			if closes {
				escalation = "Resolved"
			} else if i == 0 {
				escalation = "NotResponded"
			}
			add(below+"statuses", desk.Record{
				"id": b.id*100 + i + 1, "name": name, "board": ref, "sortOrder": i, "displayOnBoard": true, "inactive": false,
				"closedStatus": closes, "timeEntryNotAllowed": closes, "defaultFlag": i == 0, "escalationStatus": escalation,
			})
		}
		for i, name := range strings.Split(b.types, ",") {
			add(below+"types", desk.Record{"id": b.id*100 + 50 + i, "name": name, "defaultFlag": false, "inactiveFlag": false, "board": ref})
		}
		t[below+"subtypes"], t[below+"items"], t[below+"teams"] = []desk.Record{}, []desk.Record{}, []desk.Record{}
		if b.team != "" {
			add(below+"teams", desk.Record{"id": b.id*100 + 80, "name": b.team, "members": []any{clerks}, "defaultFlag": true, "boardId": b.id})
		}
	}
	for i, name := range []string{"Priority 1 - Critical", "Priority 2 - High", "Priority 3 - Normal", "Priority 4 - Low"} {
		add("service/priorities", desk.Record{"id": i + 1, "name": name, "color": []string{"Red", "Orange", "Yellow", "Green"}[i], "sortOrder": i + 1, "defaultFlag": i == 2})
	}
	for i, name := range []string{"Phone", "Email Connector", "Monitoring"} {
		add("service/sources", desk.Record{"id": i + 1, "name": name, "defaultFlag": i == 0})
	}
	for i, name := range []string{"Low", "Medium", "High"} {
		add("service/impacts", desk.Record{"id": i + 1, "name": name, "description": name})
		add("service/severities", desk.Record{"id": i + 1, "name": name, "description": name})
	}
	for i, p := range slices.Concat([]desk.Person{{Name: "Response Hub"}}, desk.People) {
		first, last, _ := strings.Cut(p.Name, " ")
		id, identifier := clerks+i-1, first[:1]+last
		if i == 0 {
			id, identifier = hubMember, "ResponseHub"
		}
		add("system/members", desk.Record{"id": id, "identifier": identifier, "firstName": first, "lastName": last, "licenseClass": map[bool]string{true: "A", false: "F"}[i == 0],
			"officeEmail": p.Mail, "primaryEmail": p.Mail, "inactiveFlag": false, "adminFlag": false, "defaultEmail": "Office", "defaultPhone": "Office", "hireDate": "2026-01-01T00:00:00Z",
			"companyActivityTabFormat": "SummaryList", "invoiceTimeTabFormat": "SummaryList", "invoiceScreenDefaultTabFormat": "ShowInvoicingTab",
			"invoicingDisplayOptions": "RemainOnInvoicingScreen", "agreementInvoicingDisplayOptions": "RemainOnInvoicingScreen"})
	}
	customers := append([]desk.Customer{{Identifier: CatchAll, Name: "Unmapped customers"}}, cfg.Customers...)
	for i, c := range customers {
		ref := desk.Record{"id": 19300 + i, "identifier": c.Identifier, "name": c.Name}
		add("company/companies", desk.Record{"id": 19300 + i, "identifier": c.Identifier, "name": c.Name, "deletedFlag": false, "status": desk.Record{"id": 1, "name": "Active"}})
		for k, p := range c.Contacts {
			add("company/contacts", desk.Record{
				"id": (19300+i)*100 + k, "firstName": p.First, "lastName": p.Last, "company": ref, "inactiveFlag": false,
				"communicationItems": []any{desk.Record{"id": (19300+i)*100 + k, "type": desk.Record{"id": 1, "name": "Email"}, "value": p.Mail, "defaultFlag": true, "communicationType": "Email"}},
			})
		}
	}
	for _, path := range []string{"company/companies", "company/contacts", "company/configurations"} {
		if t[path] == nil {
			t[path] = []desk.Record{}
		}
	}
	return t
}
