package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"responsehub"
	"responsehub/oncall"
	"responsehub/ticket"
)

// OnCall says who is called when, without calling anybody.
type OnCall interface {
	Preview(t responsehub.Tenant, at time.Time, severity responsehub.Severity) oncall.Preview
}

// Companies finds the companies of a ticket system, for mapping.
type Companies interface {
	// Companies lists those of the connection whose name contains the text.
	Companies(ctx context.Context, connection, text string) ([]ticket.Company, error)
}

const (
	previewShown   = 40
	companiesShown = 50
	companiesIn    = 10 * time.Second // a ticket system that is slow holds up no page for longer
)

// companySearch is a search on a tenant's page, and what it found.
type companySearch struct {
	Connection string
	Text       string
	Found      []ticket.Company
	Failure    string
	More       bool // there are more than are shown
}

// call is a call or a text of the plan, and when it is placed in words.
type call struct {
	oncall.Planned
	When string
}

// calls are those who would be called now, if nobody answered.
func (c *Console) calls(t responsehub.Tenant) []call {
	if c.cfg.OnCall == nil || t.Notify.Phone == nil {
		return nil
	}
	lines := c.cfg.OnCall.Preview(t, time.Now(), responsehub.High).Lines
	var out []call
	for _, l := range lines[:min(len(lines), previewShown)] {
		when := l.After
		if after, err := time.ParseDuration(l.After); err == nil {
			when = "after " + responsehub.Span(after)
			if after == 0 {
				when = "at once"
			}
		}
		out = append(out, call{l, when})
	}
	return out
}

// companies carries out the search that a tenant's page was asked for, if any.
func (c *Console) companies(r *http.Request) companySearch {
	s := companySearch{Connection: r.FormValue("find-at"), Text: strings.TrimSpace(r.FormValue("find"))}
	if s.Connection == "" || s.Text == "" || c.cfg.Companies == nil {
		return s
	}
	ctx, cancel := context.WithTimeout(r.Context(), companiesIn)
	defer cancel()
	all, err := c.cfg.Companies.Companies(ctx, s.Connection, s.Text)
	if err != nil {
		c.log.Warn("companies of a ticket system cannot be read", "connection", s.Connection, "error", err)
		s.Failure = responsehub.Sentence(err)
		return s
	}
	s.Found, s.More = all[:min(len(all), companiesShown)], len(all) > companiesShown
	return s
}

// pointerOf is where in a message a fault is, or "".
func pointerOf(err error) string {
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		return e.Pointer
	}
	return ""
}
