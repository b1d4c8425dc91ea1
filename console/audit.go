package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub"
)

const journalPage = 100

// auditFilter says which entries of the hub's own record are shown; what is empty lets all
// through. Days are those of UTC, as the times on the pages are.
type auditFilter struct {
	who, what  string    // parts, in lower case
	from, till time.Time // from is the first moment, till the first one after
}

func auditFilterOf(r *http.Request) (auditFilter, error) {
	f := auditFilter{who: strings.ToLower(strings.TrimSpace(r.FormValue("who"))), what: strings.ToLower(strings.TrimSpace(r.FormValue("what")))}
	from, err := dayOf(r, "from")
	to, err2 := dayOf(r, "to")
	if err := cmp.Or(err, err2); err != nil {
		return f, err
	}
	if f.from = from; !to.IsZero() {
		f.till = to.AddDate(0, 0, 1) // the last day counts whole
	}
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		return f, &responsehub.Error{Kind: responsehub.Invalid, Message: "The last day lies before the first one."}
	}
	return f, nil
}

// dayOf reads a day, as browsers send one; zero where none is given.
func dayOf(r *http.Request, name string) (time.Time, error) {
	text := strings.TrimSpace(r.FormValue(name))
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, &responsehub.Error{Kind: responsehub.Invalid, Message: "A day is written as 2026-11-23.", Err: err}
	}
	return t, nil
}

func (f auditFilter) lets(e *responsehub.Event) bool {
	return !e.At.Before(f.from) && (f.till.IsZero() || e.At.Before(f.till)) &&
		strings.Contains(strings.ToLower(e.By.Name+" "+e.By.ID), f.who) && strings.Contains(strings.ToLower(string(e.Kind)+" "+e.Text), f.what)
}

// audit is the hub's own record, newest first, by who, what and day.
func (c *Console) audit(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	filter, err := auditFilterOf(r)
	if err != nil {
		return err
	}
	before, _ := strconv.ParseInt(r.FormValue("before"), 10, 64)
	var found []responsehub.Event
	next := int64(0)
	end, err := c.dir.JournalLength(r.Context())
	if err != nil {
		return err
	}
	if before > 0 {
		end = min(end, before-1)
	}
	for end > 0 && len(found) < journalPage {
		from := max(0, end-journalPage)
		raw, err := c.dir.Journal(r.Context(), from, int(end-from))
		if err != nil {
			return err
		}
		older := true // than the first day: so is all before, whatever the clocks of the replicas
		for _, b := range slices.Backward(raw) {
			var e responsehub.Event
			if json.Unmarshal(b, &e) != nil {
				older = false
				continue // of a later version; `responsehub audit verify` tells
			}
			older = older && e.At.Before(filter.from)
			if len(found) < journalPage && filter.lets(&e) {
				found = append(found, e)
				next = e.Seq
			}
		}
		if end = from; older {
			break
		}
	}
	if len(found) < journalPage {
		next = 0
	}
	asked := url.Values{}
	for _, name := range []string{"who", "what", "from", "to"} {
		if v := r.FormValue(name); v != "" {
			asked.Set(name, v)
		}
	}
	d := map[string]any{"Events": found, "Who": asked.Get("who"), "What": asked.Get("what"), "From": asked.Get("from"), "To": asked.Get("to"), "Filtered": len(asked) > 0}
	if next > 0 {
		asked.Set("before", strconv.FormatInt(next, 10))
		d["Older"] = "/audit?" + asked.Encode()
	}
	c.show(w, r, http.StatusOK, "audit", actor, d)
	return nil
}
