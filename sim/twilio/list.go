package twilio

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listCalls answers GET Calls.json, newest first.
func (s *Service) listCalls(r *http.Request) (int, any, *refusal) {
	f := s.decode(r.URL.RawQuery, callFilters)
	status := f.one("Status", "", 20001, "queued", "ringing", "in-progress", "canceled", "completed", "failed", "busy", "no-answer")
	started, ended := f.span("StartTime"), f.span("EndTime")
	if f.bad != nil {
		return 0, nil, f.bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []any
	for _, c := range slices.Backward(s.calls) {
		start := c.Ringing
		if start.IsZero() {
			start = c.Answered
		}
		if matches(f, "To", c.To) && matches(f, "From", c.From) && f.Get("ParentCallSid") == "" && (status == "" || status == c.Status) &&
			started.holds(start) && ended.holds(c.Ended) {
			found = append(found, s.callAnswer(c))
		}
	}
	return s.page(r.URL, f, "calls", "PACA", found)
}

// listMessages answers GET Messages.json, newest first.
func (s *Service) listMessages(r *http.Request) (int, any, *refusal) {
	f := s.decode(r.URL.RawQuery, messageFilters)
	sent := f.span("DateSent")
	if f.bad != nil {
		return 0, nil, f.bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []any
	for _, t := range slices.Backward(s.texts) {
		if matches(f, "To", t.To) && matches(f, "From", t.From) && sent.holds(t.Sent) {
			found = append(found, s.messageAnswer(t))
		}
	}
	return s.page(r.URL, f, "messages", "PASM", found)
}

func matches(f *fields, name, value string) bool {
	return f.Get(name) == "" || f.Get(name) == value
}

// span is a filter by time. A bare day stands for the whole day, in UTC.
type span struct {
	from, to time.Time // zero: open; to is exclusive
}

func (sp span) holds(t time.Time) bool {
	if sp.from.IsZero() && sp.to.IsZero() {
		return true
	}
	t = t.Truncate(time.Second)
	return !t.IsZero() && !t.Before(sp.from) && (sp.to.IsZero() || t.Before(sp.to))
}

// span reads name, name< and name>, which both include their bound.
func (f *fields) span(name string) (out span) {
	read := func(field string) (first, after time.Time, ok bool) {
		v := f.Get(field)
		if v == "" {
			return first, after, false
		}
		if day, err := time.Parse(time.DateOnly, v); err == nil {
			return day, day.AddDate(0, 0, 1), true
		}
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			f.fail(20001, "Invalid "+field)
			return first, after, false
		}
		return at, at.Add(time.Second), true
	}
	if first, after, ok := read(name); ok {
		out = span{first, after}
	}
	if first, _, ok := read(name + ">"); ok {
		out.from = first
	}
	if _, after, ok := read(name + "<"); ok {
		out.to = after
	}
	return out
}

// page cuts a page out of what was found.
func (s *Service) page(u *url.URL, f *fields, name, token string, found []any) (int, any, *refusal) {
	size, number := f.integer("PageSize", 1, 1000, 50, 20001), f.integer("Page", 0, 1<<20, 0, 20001)
	if f.bad != nil {
		return 0, nil, f.bad
	}
	if number > 0 && !strings.HasPrefix(f.Get("PageToken"), token) {
		return 0, nil, refuse(20001, "A further page needs its PageToken")
	}
	start := min(number*size, len(found))
	end := min(start+size, len(found))
	at := func(n int) string {
		q := url.Values{}
		for k, v := range f.Values {
			q[k] = v
		}
		q.Set("PageSize", strconv.Itoa(size))
		q.Set("Page", strconv.Itoa(n))
		q.Del("PageToken")
		if n > 0 {
			q.Set("PageToken", token+strings.Repeat("0", 30)+strconv.Itoa(n))
		}
		return u.Path + "?" + q.Encode()
	}
	next, previous := any(nil), any(nil)
	if end < len(found) {
		next = at(number + 1)
	}
	if number > 0 {
		previous = at(number - 1)
	}
	list := append([]any{}, found[start:end]...)
	return http.StatusOK, map[string]any{
		name: list, "page": number, "page_size": size, "start": start, "end": max(start, end-1), "uri": at(number),
		"first_page_uri": at(0), "next_page_uri": next, "previous_page_uri": previous,
	}, nil
}
