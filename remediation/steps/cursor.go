package steps

import (
	"encoding/json"
	"slices"
	"sync"

	"responsehub"
)

// maxLeft is how many mailboxes that did not answer are noted one by one. More than that
// is not a matter of mailboxes.
const maxLeft = 200

// cursor is where a search goes on after a crash: everything before it was searched and
// what was found there is written down. It is kept in the step as JSON.
type cursor struct {
	Round       int       `json:"round"`
	Set         string    `json:"set,omitempty"`   // hash of the mailboxes that a trace named; empty: all are searched
	Why         string    `json:"why,omitempty"`   // why not by trace
	Page        string    `json:"page,omitempty"`  // of the list of mailboxes
	After       string    `json:"after,omitempty"` // mailbox of that page, searched like all before it
	Searched    int       `json:"searched,omitempty"`
	Unreachable int       `json:"unreachable,omitempty"`
	Unread      []string  `json:"unread,omitempty"` // some of the unreachable, with the reason
	Left        []Mailbox `json:"left,omitempty"`   // did not answer yet
	Turns       int       `json:"turns,omitempty"`  // that ended with some left
	Began       bool      `json:"began,omitempty"`
}

// readCursor returns where the step's search stands; a new round begins anew.
func readCursor(s *responsehub.Step) cursor {
	var c cursor
	if s.Cursor == "" || json.Unmarshal([]byte(s.Cursor), &c) != nil || c.Round != s.Round {
		return cursor{Round: s.Round}
	}
	return c
}

func (c cursor) String() string {
	b, _ := json.Marshal(c) // plain fields always encode
	return string(b)
}

// visit is how the search of one mailbox ended.
type visit struct {
	box  Mailbox
	page string
	end  visitEnd
	why  string
	done bool
}

type visitEnd int

const (
	searched visitEnd = iota
	none              // no mailbox in the cloud
	unreachable
	left // did not answer; to be tried again in another turn
)

// track follows the visits in the order of the list, since they end in any order: the
// cursor moves on over those that ended without a gap.
type track struct {
	mu     sync.Mutex
	at     cursor
	first  int
	visits []visit
}

// start notes a visit that begins, and returns its number.
func (t *track) start(box Mailbox, page string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.visits = append(t.visits, visit{box: box, page: page})
	return t.first + len(t.visits) - 1
}

// ended notes how a visit ended and moves the cursor on.
func (t *track) ended(n int, end visitEnd, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := &t.visits[n-t.first]
	v.end, v.why, v.done = end, why, true
	for len(t.visits) > 0 && t.visits[0].done {
		v := t.visits[0]
		t.visits[0] = visit{}
		t.visits = t.visits[1:]
		t.first++
		t.at.Page, t.at.After, t.at.Began = v.page, v.box.ID, true
		t.at.take(v)
	}
}

// resolved notes how another try at a mailbox that was left ended.
func (t *track) resolved(box Mailbox, end visitEnd, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at.Left = slices.DeleteFunc(t.at.Left, func(m Mailbox) bool { return m.ID == box.ID })
	t.at.take(visit{box: box, end: end, why: why})
}

// restart goes back to the beginning of the list.
func (t *track) restart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at.Page, t.at.After, t.at.Searched, t.at.Unreachable, t.at.Unread = "", "", 0, 0, nil
}

// cursor returns where the search stands now.
func (t *track) cursor() cursor {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.at
	c.Unread, c.Left = slices.Clone(c.Unread), slices.Clone(c.Left)
	return c
}

// take counts a visit that ended.
func (c *cursor) take(v visit) {
	switch v.end {
	case searched:
		c.Searched++
	case unreachable:
		c.Unreachable++
		if len(c.Unread) < maxUnread {
			c.Unread = append(c.Unread, v.box.Address+": "+v.why)
		}
	case left:
		c.Left = append(c.Left, v.box)
	}
}
