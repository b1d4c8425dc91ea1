package halopsa

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"responsehub"
)

// listsKept is how long lists that people edit in the setup are kept.
const listsKept = time.Hour

// lists keeps lists by their path.
type lists struct {
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	at   time.Time
	rows any
}

// list returns a list of the setup, at most an hour old.
func list[T any](ctx context.Context, d *Desk, what, path string) ([]T, error) {
	d.lists.mu.Lock()
	k, ok := d.lists.kept[path]
	d.lists.mu.Unlock()
	if ok && time.Since(k.at) < listsKept {
		return k.rows.([]T), nil
	}
	var rows []T
	if err := d.call(ctx, request{what: "read the list of " + what, method: http.MethodGet, path: path}, &rows); err != nil {
		return nil, err
	}
	d.lists.mu.Lock()
	defer d.lists.mu.Unlock()
	if d.lists.kept == nil {
		d.lists.kept = map[string]kept{}
	}
	d.lists.kept[path] = kept{time.Now(), rows}
	return rows, nil
}

// forget has every list read anew: one of them did not have what was looked for.
func (d *Desk) forget() {
	d.lists.mu.Lock()
	defer d.lists.mu.Unlock()
	d.lists.kept = nil
}

// same reports whether two names in the setup are the same for people.
func same(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

type status struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Type int    `json:"type"` // 0 is of tickets
}

type kind struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	SLA  int    `json:"default_sla"`
}

type priority struct {
	ID     int    `json:"priorityid"`
	Name   string `json:"name"`
	SLA    int    `json:"slaid"`
	Hidden bool   `json:"ishidden"`
}

type outcome struct {
	ID     int    `json:"id"`
	Name   string `json:"outcome"`
	Button string `json:"buttonname"`
	Label  string `json:"labellong"`
}

// again looks in a list, and once more in a fresh one if it is not there.
func again[T any](ctx context.Context, d *Desk, what, path, name string, is func(T) bool) (T, error) {
	var none T
	for try := range 2 {
		all, err := list[T](ctx, d, what, path)
		if err != nil {
			return none, err
		}
		for _, r := range all {
			if is(r) {
				return r, nil
			}
		}
		if try == 0 {
			d.forget()
		}
	}
	return none, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("HaloPSA has no %s named %q. Check the psa section against its configuration.", what, name)}
}

func (d *Desk) status(ctx context.Context, name string) (status, error) {
	return again(ctx, d, "status", "/Status", name, func(s status) bool { return s.Type == 0 && same(s.Name, name) })
}

func (d *Desk) kind(ctx context.Context, name string) (kind, error) {
	return again(ctx, d, "ticket type", "/TicketType", name, func(k kind) bool { return same(k.Name, name) })
}

// priority looks a priority up in the service level of the ticket type; the same name has
// another id in each of them. Of a type without one, the first that is called so.
func (d *Desk) priority(ctx context.Context, name string, sla int) (int, error) {
	is := func(p priority) bool { return same(p.Name, name) && !p.Hidden && (sla == 0 || p.SLA == sla) }
	p, err := again(ctx, d, "priority", "/Priority", name, is)
	return p.ID, err
}

// internalNote is the outcome that every instance is delivered with.
const internalNote = 7

// outcome is what a note has to be called. Without one HaloPSA takes no note.
func (d *Desk) outcome(ctx context.Context) (int, error) {
	all, err := list[outcome](ctx, d, "actions", "/Outcome")
	if responsehub.KindOf(err) == responsehub.Forbidden && err != nil {
		return internalNote, nil
	}
	if err != nil {
		return 0, err
	}
	want := []string{"Internal Note", "Private Note", "Note"}
	if d.cfg.Public {
		want = []string{"Public Note", "Note", "Internal Note"}
	}
	for _, name := range want {
		for _, o := range all {
			if same(o.Name, name) || same(o.Button, name) || same(o.Label, name) {
				return o.ID, nil
			}
		}
	}
	return internalNote, nil
}

// first is a page of a list.
func first(size int, more url.Values) url.Values {
	q := url.Values{"pageinate": {"true"}, "page_no": {"1"}, "page_size": {fmt.Sprint(size)}}
	for k, v := range more {
		q[k] = v
	}
	return q
}
