package autotask

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"responsehub"
)

// fieldsKept is how long what people edit in the setup is kept.
const fieldsKept = time.Hour

// field is what Autotask says of a field of an entity.
type field struct {
	Name     string   `json:"name"`
	Length   int      `json:"length"`
	Required bool     `json:"isRequired"`
	ReadOnly bool     `json:"isReadOnly"`
	Picks    []choice `json:"picklistValues"`
}

// choice is a value of a picklist: a number written as a text here and as a number in
// records.
type choice struct {
	Value   string `json:"value"`
	Label   string `json:"label"`
	Default bool   `json:"isDefaultValue"`
	Active  bool   `json:"isActive"`
	Order   int    `json:"sortOrder"`
}

func (c choice) number() int {
	n, _ := strconv.Atoi(c.Value)
	return n
}

// fields keeps what is known of entities by their paths.
type fields struct {
	mu    sync.Mutex
	lists map[string]list
}

type list struct {
	at     time.Time
	fields []field
}

// The entities whose fields the hub reads.
const (
	ofTickets  = "Tickets"
	ofNotes    = "TicketNotes"
	ofWebhooks = "TicketWebhookFields"
)

// of returns the fields of an entity, at most an hour old.
func (d *Desk) of(ctx context.Context, entity string) ([]field, error) {
	d.fields.mu.Lock()
	known, ok := d.fields.lists[entity]
	d.fields.mu.Unlock()
	if ok && time.Since(known.at) < fieldsKept {
		return known.fields, nil
	}
	var got struct {
		Fields []field `json:"fields"`
	}
	if err := d.call(ctx, request{what: "read the fields of " + entity, method: http.MethodGet, path: entity + "/entityInformation/fields"}, &got); err != nil {
		return nil, err
	}
	d.fields.mu.Lock()
	defer d.fields.mu.Unlock()
	if d.fields.lists == nil {
		d.fields.lists = map[string]list{}
	}
	d.fields.lists[entity] = list{time.Now(), got.Fields}
	return got.Fields, nil
}

// forget has everything read anew: something was not there.
func (d *Desk) forget() {
	d.fields.mu.Lock()
	defer d.fields.mu.Unlock()
	d.fields.lists = nil
}

func named(all []field, name string) field {
	for _, f := range all {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return field{}
}

// most is the longest text that the field takes.
func (f field) most(otherwise int) int {
	if f.Length > 0 {
		return f.Length
	}
	return otherwise
}

// same reports whether two labels are the same for people.
func same(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// labelled finds an active value by its label.
func (f field) labelled(label string) (choice, bool) {
	i := slices.IndexFunc(f.Picks, func(c choice) bool { return c.Active && same(c.Label, label) })
	if i < 0 {
		return choice{}, false
	}
	return f.Picks[i], true
}

// label is the label of a value, or the value where it has none any more.
func (f field) label(value int) string {
	if value == 0 {
		return ""
	}
	for _, c := range f.Picks {
		if c.number() == value && c.Label != "" {
			return c.Label
		}
	}
	return strconv.Itoa(value)
}

// usual is the value that Autotask would offer a person.
func (f field) usual() (choice, bool) {
	active := slices.DeleteFunc(slices.Clone(f.Picks), func(c choice) bool { return !c.Active })
	slices.SortStableFunc(active, func(a, b choice) int { return a.Order - b.Order })
	if i := slices.IndexFunc(active, func(c choice) bool { return c.Default }); i >= 0 {
		return active[i], true
	}
	if len(active) == 0 {
		return choice{}, false
	}
	return active[0], true
}

// pick looks a label up in a picklist of tickets. A label that is not there is looked for
// in a fresh list once.
func (d *Desk) pick(ctx context.Context, name, label string) (int, error) {
	for try := range 2 {
		all, err := d.of(ctx, ofTickets)
		if err != nil {
			return 0, err
		}
		if c, ok := named(all, name).labelled(label); ok {
			return c.number(), nil
		}
		if try == 0 {
			d.forget()
		}
	}
	return 0, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("Autotask has no active %s %q. Check the psa section against the values in Autotask.", words[name], label)}
}

// words are the fields as people call them.
var words = map[string]string{"status": "status", "priority": "priority", "queueID": "queue", "ticketCategory": "ticket category", "source": "source"}
