package graph

import (
	"net/http"
	"strings"
	"time"

	"responsehub/sim/tenant"
)

var traceList = listing{
	entity: "exchangeMessageTrace", context: "admin/exchange/tracing/messageTraces", pageSize: 1000, maxPage: 5000,
	filter: rules{fields: map[string]string{
		"senderAddress": "eq", "recipientAddress": "eq", "messageId": "eq", "subject": "eq contains startswith", "fromIP": "eq", "id": "eq", "receivedDateTime": "ge le",
	}},
}

// listTraces wants the tenant to know Microsoft's message trace app first, reaches back 90 days, and
// spans 10 days at most per query.
// https://learn.microsoft.com/graph/api/messagetracingroot-list-messagetraces
func (c *call) listTraces() reply {
	if tenant.FindServicePrincipal(c.t, tenant.TraceAppID) == nil {
		return fail(http.StatusUnauthorized, "UnknownError", "")
	}
	rows := c.t.Traces
	if f, err := parseFilter(c.query.Get("$filter")); err == nil {
		rows = f.among(rows)
		from, to := f.window("receivedDateTime")
		now := time.Now()
		switch {
		case !from.IsZero() && from.Before(now.AddDate(0, 0, -90)):
			return fail(http.StatusBadRequest, "BadRequest", "The start date is more than 90 days ago.")
		case !from.IsZero() && !to.IsZero() && to.Sub(from) > 10*24*time.Hour:
			return fail(http.StatusBadRequest, "BadRequest", "The time range must not be longer than 10 days.")
		case from.IsZero() != to.IsZero():
			return fail(http.StatusBadRequest, "BadRequest", "Both a start and an end of receivedDateTime are needed.")
		}
	}
	return c.list(traceList, each(rows, func(t tenant.Trace) object {
		return object{
			"id": t.ID, "senderAddress": t.Sender, "recipientAddress": t.Recipient, "messageId": t.InternetMessageID, "subject": t.Subject,
			"receivedDateTime": stampOf(t.Received), "fromIP": t.FromIP, "toIP": nil, "size": 4711, "status": t.Status,
		}
	}))
}

// among are the rows that a conjunction can hold for, without rendering those of 100,000 mailboxes.
func (f *filter) among(all []tenant.Trace) []tenant.Trace {
	id, byID := f.wants("messageId")
	from, bySender := f.wants("senderAddress")
	if !byID && !bySender {
		return all
	}
	var some []tenant.Trace
	for _, t := range all {
		if (!byID || strings.EqualFold(t.InternetMessageID, id)) && (!bySender || strings.EqualFold(t.Sender, from)) {
			some = append(some, t)
		}
	}
	return some
}

// wants returns the text that a conjunction says a property is equal to.
func (f *filter) wants(path string) (text string, ok bool) {
	if f.op == "and" {
		for _, s := range f.sub {
			if text, ok = s.wants(path); ok {
				return text, true
			}
		}
		return "", false
	}
	text, ok = f.value.(string)
	return text, ok && f.op == "eq" && f.path == path
}

// window returns the bounds a conjunction puts on a time property; zero for none.
func (f *filter) window(path string) (from, to time.Time) {
	if f.op == "and" {
		for _, s := range f.sub {
			a, b := s.window(path)
			if !a.IsZero() {
				from = a
			}
			if !b.IsZero() {
				to = b
			}
		}
		return from, to
	}
	at, ok := f.value.(time.Time)
	if !ok || f.path != path {
		return from, to
	}
	switch f.op {
	case "ge", "gt":
		from = at
	case "le", "lt":
		to = at
	}
	return from, to
}
