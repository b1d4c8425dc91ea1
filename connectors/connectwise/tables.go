package connectwise

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"responsehub"
)

// tablesKept is how long lists that people edit in the setup are kept.
const tablesKept = time.Hour

// tables keeps lists by their path.
type tables struct {
	mu    sync.Mutex
	lists map[string]table
}

type table struct {
	at   time.Time
	rows any
}

// list returns a list of the setup, at most an hour old.
func list[T any](ctx context.Context, d *Desk, what, path string) ([]T, error) {
	d.tables.mu.Lock()
	t, ok := d.tables.lists[path]
	d.tables.mu.Unlock()
	if ok && time.Since(t.at) < tablesKept {
		return t.rows.([]T), nil
	}
	rows, err := pages[T](ctx, d, what, path, url.Values{}, 5000)
	if err != nil {
		return nil, err
	}
	d.tables.mu.Lock()
	defer d.tables.mu.Unlock()
	if d.tables.lists == nil {
		d.tables.lists = map[string]table{}
	}
	d.tables.lists[path] = table{time.Now(), rows}
	return rows, nil
}

// forget has every list read anew: one of them did not have what was looked for.
func (d *Desk) forget() {
	d.tables.mu.Lock()
	defer d.tables.mu.Unlock()
	d.tables.lists = nil
}

// same reports whether two names in the setup are the same for people.
func same(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// named looks a name up in a list; "" is none. A name that is not there is read anew once.
func (d *Desk) named(ctx context.Context, what, path, name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	for try := range 2 {
		rows, err := list[named](ctx, d, "read the list of "+what, path)
		if err != nil {
			return 0, err
		}
		for _, r := range rows {
			if same(r.Name, name) {
				return r.ID, nil
			}
		}
		if try == 0 {
			d.forget()
		}
	}
	return 0, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("ConnectWise has no %s named %q. Check the psa section against its setup tables.", what, name)}
}

func (d *Desk) board(ctx context.Context) (int, error) {
	return d.named(ctx, "service board", "/service/boards", d.cfg.Board)
}

// statuses are those of one board: their ids differ from board to board.
func (d *Desk) statuses(ctx context.Context, board int) ([]status, error) {
	return list[status](ctx, d, "read the board's statuses", fmt.Sprintf("/service/boards/%d/statuses", board))
}

func statusNamed(all []status, name string) (status, bool) {
	for _, s := range all {
		if same(s.Name, name) && !s.Inactive {
			return s, true
		}
	}
	return status{}, false
}
