package ticket_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/ticket"
)

// finishing is a desk that makes a ticket in two requests.
type finishing struct {
	*desk
	finished []ticket.Draft
	fail     int // of how many the answer is lost
}

func (f *finishing) Finish(_ context.Context, id string, d ticket.Draft) error {
	if _, err := f.get(id); err != nil {
		return err
	}
	if f.finished = append(f.finished, d); len(f.finished) <= f.fail {
		return errLost
	}
	return nil
}

// TestMakingThatWasCutShort: the answer to a ticket's making is lost. Whoever finds the
// ticket finishes it with what it was to hold, and before it is the incident's.
func TestMakingThatWasCutShort(t *testing.T) {
	for name, company := range map[string]string{"of a company": "Fabrikam", "of nobody": ""} {
		bubble(t, name, func(t *testing.T, b *bench) {
			f := &finishing{desk: b.desk, fail: 2}
			b.conn.Desk = f
			b.tenant.Notify.PSA[0].Company = company
			b.wire()
			lost := false
			b.desk.fault = func(c string) (error, bool) {
				if c == "create" && !lost {
					lost = true
					return errLost, true
				}
				return nil, false
			}
			b.open(true)
			b.run(time.Hour)
			h := b.desk.one(t)
			if len(f.finished) != 3 || b.ref().ID != h.ID || b.ref().Failure != "" {
				t.Fatalf("finished %d times, ref %+v", len(f.finished), b.ref())
			}
			if diff := cmp.Diff(h.draft, f.finished[2]); diff != "" {
				t.Errorf("finished with another draft (-made +finished):\n%s", diff)
			}
		})
	}
	bubble(t, "a ticket that was there before", func(t *testing.T, b *bench) {
		f := &finishing{desk: b.desk}
		b.conn.Desk = f
		b.wire()
		b.open(true)
		b.run(time.Hour)
		if h := b.desk.one(t); len(f.finished) != 0 || responsehub.Severity("") == h.draft.Severity {
			t.Errorf("a ticket that was made in one go was finished: %v", f.finished)
		}
	})
}
