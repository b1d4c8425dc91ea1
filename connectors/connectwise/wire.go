package connectwise

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"responsehub/ticket"
)

// named is a reference to a record, or a record of which only this counts.
type named struct {
	ID         int    `json:"id,omitempty"`
	Name       string `json:"name,omitempty"`
	Identifier string `json:"identifier,omitempty"`
}

func ref(id int) *named {
	if id == 0 {
		return nil
	}
	return &named{ID: id}
}

func (n *named) id() int {
	if n == nil {
		return 0
	}
	return n.ID
}

// record is a ticket as ConnectWise gives it.
type record struct {
	ID         int        `json:"id"`
	Board      *named     `json:"board"`
	Status     *named     `json:"status"`
	Company    *named     `json:"company"`
	Owner      *named     `json:"owner"`
	XRef       string     `json:"externalXRef"`
	Closed     bool       `json:"closedFlag"`
	ClosedDate *time.Time `json:"closedDate"`
	ClosedBy   string     `json:"closedBy"`
	Merged     *named     `json:"mergedParentTicket"`
	Info       struct {
		UpdatedBy string `json:"updatedBy"`
		EnteredBy string `json:"enteredBy"`
	} `json:"_info"`
}

// draft is a ticket to be made. The initial texts can be given only now.
type draft struct {
	Summary       string `json:"summary"`
	Board         *named `json:"board"`
	Company       *named `json:"company"`
	Status        *named `json:"status,omitempty"`
	Priority      *named `json:"priority,omitempty"`
	Type          *named `json:"type,omitempty"`
	Source        *named `json:"source,omitempty"`
	Contact       *named `json:"contact,omitempty"`
	XRef          string `json:"externalXRef"`
	Description   string `json:"initialDescription,omitempty"`
	Internal      string `json:"initialInternalAnalysis,omitempty"`
	Notifications bool   `json:"processNotifications"`
}

// patch replaces one top-level property by a whole object: a path below it is answered
// 200 and changes nothing.
type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// note must have one of the flags.
type note struct {
	Text          string `json:"text"`
	Discussion    bool   `json:"detailDescriptionFlag"`
	Internal      bool   `json:"internalAnalysisFlag"`
	Resolution    bool   `json:"resolutionFlag"`
	Notifications bool   `json:"processNotifications"`
}

type status struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Inactive bool   `json:"inactive"`
	Closed   bool   `json:"closedStatus"`
}

type team struct {
	ID      int    `json:"id"`
	Name    string `json:"name"`
	Default bool   `json:"defaultFlag"`
}

type callback struct {
	ID          int    `json:"id,omitempty"`
	Description string `json:"description"`
	URL         string `json:"url"`
	ObjectID    int    `json:"objectId"`
	Type        string `json:"type"`
	Level       string `json:"level"`
	Payload     string `json:"payloadVersion,omitempty"`
	Inactive    bool   `json:"inactiveFlag"`
}

// read is the ticket as the hub knows it.
func (d *Desk) read(r *record) ticket.Ticket {
	t := ticket.Ticket{
		ID: strconv.Itoa(r.ID), Number: "#" + strconv.Itoa(r.ID), URL: d.page(r.ID), Ref: r.XRef, Closed: r.Closed, ClosedBy: r.ClosedBy, UpdatedBy: r.Info.UpdatedBy,
	}
	if r.Company != nil {
		t.Company = strconv.Itoa(r.Company.ID)
	}
	if r.Board != nil {
		t.Board = r.Board.Name
	}
	if r.Status != nil {
		t.Status = r.Status.Name
	}
	if r.Owner != nil {
		if t.Owner = r.Owner.Name; t.Owner == "" {
			t.Owner = r.Owner.Identifier
		}
	}
	if r.ClosedDate != nil {
		t.ClosedAt = r.ClosedDate.UTC()
	}
	if r.Merged.id() != 0 && r.Merged.ID != r.ID {
		t.MergedInto = strconv.Itoa(r.Merged.ID)
	}
	return t
}

// page is the ticket's page for people.
func (d *Desk) page(id int) string {
	return fmt.Sprintf("%s/v4_6_release/services/system_io/Service/fv_sr100_request.rails?service_recid=%d&companyName=%s", d.site, id, url.QueryEscape(d.cfg.Company))
}
