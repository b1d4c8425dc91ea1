package ticket_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/ticket"
)

// fatal is what the tests and the generated ones have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// desk is a service desk in memory that can lose answers and refuse.
type desk struct {
	mu      sync.Mutex
	tickets map[string]*held
	next    int
	calls   []string
	// fault is asked before each call; after says that the call takes effect first.
	fault  func(call string) (err error, after bool)
	around func(point string) // before and after each effect; may panic
	// statuses are those of the stages; closed ones end in "!".
	statuses map[ticket.Stage]string
}

type held struct {
	ticket.Ticket
	draft      ticket.Draft
	notes      []ticket.Note
	deleted    bool
	resolution string
	made       time.Time
}

func newDesk() *desk {
	return &desk{tickets: map[string]*held{}, next: 100, statuses: map[ticket.Stage]string{
		ticket.New: "New", ticket.Working: "In Progress", ticket.Contained: "Contained", ticket.Waiting: "Waiting", ticket.Closed: "Closed!", ticket.Reopened: "Re-opened",
	}}
}

func (d *desk) do(call string, effect func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, call)
	if d.fault != nil {
		if err, after := d.fault(call); err != nil {
			if after {
				_ = effect()
			}
			return err
		}
	}
	if d.around != nil {
		d.around(call)
		defer d.around(call)
	}
	return effect()
}

var errGone = &responsehub.Error{Kind: responsehub.NotFound, Message: "The ticket is not there."}

func (d *desk) get(id string) (*held, error) {
	if h := d.tickets[id]; h != nil && !h.deleted {
		return h, nil
	}
	return nil, errGone
}

func (d *desk) Find(_ context.Context, ref string) (ts []ticket.Ticket, err error) {
	err = d.do("find", func() error {
		for _, h := range d.tickets {
			// A search may miss what was made a moment ago.
			if h.Ref == ref && !h.deleted && time.Since(h.made) > 5*time.Second {
				ts = append(ts, h.Ticket)
			}
		}
		slices.SortFunc(ts, func(a, b ticket.Ticket) int { return cmp.Compare(a.ID, b.ID) })
		return nil
	})
	return ts, err
}

func (d *desk) Create(_ context.Context, draft ticket.Draft) (t ticket.Ticket, err error) {
	err = d.do("create", func() error {
		if draft.Company == "Ghost" {
			return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no company Ghost."}
		}
		d.next++
		id := fmt.Sprint(d.next)
		d.tickets[id] = &held{Ticket: ticket.Ticket{ID: id, Number: "#" + id, Ref: draft.Ref, Company: draft.Company, Status: d.statuses[ticket.New]}, draft: draft, made: time.Now()}
		t = d.tickets[id].Ticket
		return nil
	})
	return t, err
}

func (d *desk) Get(_ context.Context, id string) (t ticket.Ticket, err error) {
	err = d.do("get", func() error {
		h, err := d.get(id)
		if err == nil {
			t = h.Ticket
		}
		return err
	})
	return t, err
}

func (d *desk) List(_ context.Context, ids []string) (ts []ticket.Ticket, err error) {
	err = d.do("list", func() error {
		for _, id := range ids {
			if h, err := d.get(id); err == nil {
				ts = append(ts, h.Ticket)
			}
		}
		return nil
	})
	return ts, err
}

func (d *desk) Notes(_ context.Context, id string) (texts []string, err error) {
	err = d.do("notes", func() error {
		h, err := d.get(id)
		if err != nil {
			return err
		}
		for _, n := range h.notes {
			texts = append(texts, n.Text)
		}
		return nil
	})
	return texts, err
}

func (d *desk) Note(_ context.Context, id string, n ticket.Note) error {
	return d.do("note", func() error {
		h, err := d.get(id)
		if err == nil {
			h.notes = append(h.notes, n)
		}
		return err
	})
}

func (d *desk) Move(_ context.Context, id string, s ticket.Stage, resolution string) (t ticket.Ticket, moved bool, err error) {
	err = d.do("move "+string(s), func() error {
		h, err := d.get(id)
		if err != nil {
			return err
		}
		if name := d.statuses[s]; name != "" {
			h.Status, h.Closed, moved = name, strings.HasSuffix(name, "!"), true
			h.resolution = resolution
		}
		t = h.Ticket
		return nil
	})
	return t, moved, err
}

func (d *desk) Assign(_ context.Context, id, company string) error {
	return d.do("assign", func() error {
		h, err := d.get(id)
		if err == nil {
			h.Company = company
		}
		return err
	})
}

func (d *desk) Companies(context.Context, string) ([]ticket.Company, error) { return nil, nil }
func (d *desk) Check(context.Context) []responsehub.Check                   { return nil }
func (d *desk) Listen(context.Context, string) (string, error)              { return "", nil }

// one is the only ticket that is not deleted.
func (d *desk) one(t fatal) *held {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*held
	for _, h := range d.tickets {
		if !h.deleted {
			all = append(all, h)
		}
	}
	if len(all) != 1 {
		t.Fatalf("there are %d tickets, want one; calls %v", len(all), d.calls)
	}
	return all[0]
}

func (h *held) texts() string {
	var b strings.Builder
	for _, n := range h.notes {
		b.WriteString(n.Text + "\n--\n")
	}
	return b.String()
}

var errLost = &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "The answer was lost.", Err: errors.New("EOF")}
