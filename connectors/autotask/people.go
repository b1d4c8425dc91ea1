package autotask

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// peopleKept is how long a name is kept, and for how long names that cannot be read are
// not asked for again.
const peopleKept = time.Hour

// people are the resources of the service desk by their ids.
type people struct {
	mu    sync.Mutex
	names map[int]string
	at    time.Time
	me    int // the hub's own API user
	asked time.Time
}

type resource struct {
	ID    int    `json:"id"`
	First string `json:"firstName"`
	Last  string `json:"lastName"`
}

// names returns the names of resources. An API user that may not read them gets numbers:
// a name only dresses the record.
func (d *Desk) names(ctx context.Context, ids []int) map[int]string {
	p := &d.people
	p.mu.Lock()
	if time.Since(p.at) > peopleKept {
		p.names, p.at = map[int]string{}, time.Now()
	}
	var unknown []int
	for _, id := range ids {
		if _, ok := p.names[id]; !ok && id != 0 && !slices.Contains(unknown, id) {
			unknown = append(unknown, id)
		}
	}
	p.mu.Unlock()
	var got []resource
	if len(unknown) > 0 {
		got, _ = rows[resource](ctx, d, "read the names of people", "Resources", query{Filter: []filter{{Op: "in", Field: "id", Value: unknown}}, Fields: []string{"id", "firstName", "lastName"}}, queryMost)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range unknown {
		p.names[id] = fmt.Sprintf("resource %d", id)
	}
	for _, r := range got {
		if name := strings.TrimSpace(r.First + " " + r.Last); name != "" {
			p.names[r.ID] = name
		}
	}
	out := map[int]string{}
	for _, id := range ids {
		if id != 0 {
			out[id] = p.names[id]
		}
	}
	return out
}

// learn remembers the hub's own resource from what it made.
func (d *Desk) learn(id int) {
	if id == 0 {
		return
	}
	d.people.mu.Lock()
	defer d.people.mu.Unlock()
	d.people.me = id
}

// own is the hub's own resource, or 0 while it is not known.
func (d *Desk) own() int {
	d.people.mu.Lock()
	defer d.people.mu.Unlock()
	return d.people.me
}

// me looks the hub's own resource up by its user name; 0 when it may not read it.
func (d *Desk) me(ctx context.Context) int {
	if id := d.own(); id != 0 {
		return id
	}
	p := &d.people
	p.mu.Lock()
	again := time.Since(p.asked) > peopleKept
	p.asked = time.Now()
	p.mu.Unlock()
	if !again {
		return 0
	}
	got, err := rows[resource](ctx, d, "look for its own user", "Resources", query{Filter: []filter{{Op: "eq", Field: "userName", Value: d.cfg.Username}}, Fields: []string{"id"}}, 2)
	if err != nil || len(got) != 1 {
		return 0
	}
	d.learn(got[0].ID)
	return got[0].ID
}
