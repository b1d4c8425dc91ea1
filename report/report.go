package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// Brand is whose report it is.
type Brand struct {
	Name    string // of the MSP
	Contact string // how to reach it
	Logo    []byte // as [Logo] returns it; nil for none
}

// Document is a report before it has a form.
type Document struct {
	Brand    Brand
	Title    string
	Subtitle string
	Made     time.Time
	Sections []Section
}

// Section is a part of a report under a heading.
type Section struct {
	Heading string
	Text    []string
	Table   *Table // nil for none
}

// Table is rows under a head. Every row has as many cells as the head.
type Table struct {
	Head []string
	Rows [][]string
}

const mostEvents = 1000 // in one report; the export has all

// Incident reports one incident. events is its record, oldest first.
func Incident(b Brand, inc *responsehub.Incident, events []responsehub.Event, now time.Time) Document {
	d := Document{
		Brand: b, Made: now.UTC(), Title: "Incident " + inc.Ref,
		Subtitle: strings.Join(filled(inc.Account.Label(), inc.Tenant.Name, string(inc.Severity)), ", "),
	}
	facts := [][]string{
		{"What", inc.Title}, {"State", inc.State.Words()}, {"Tenant", inc.Tenant.Name}, {"Account", inc.Account.Label()},
		{"Detected", stamp(inc.DetectedAt)}, {"Alert received", stamp(inc.ReceivedAt)},
	}
	if a := inc.Acknowledged; a != nil {
		facts = append(facts, []string{"Taken by", a.By.Name + ", " + stamp(a.At)})
	}
	if !inc.ClosedAt.IsZero() {
		facts = append(facts, []string{"Closed", stamp(inc.ClosedAt)})
	}
	d.add("Summary", &Table{[]string{"", ""}, facts}, filled(inc.Summary)...)
	d.add("Time to lock", &Table{[]string{stage, "At", "After the alert"}, Stages(inc)})
	var steps, items [][]string
	for i := range inc.Steps {
		s := &inc.Steps[i]
		if s.ID == responsehub.Publish && inc.Response {
			continue
		}
		proof := ""
		if s.Proof != nil {
			proof = s.Proof.Value
		}
		steps = append(steps, []string{s.ID.Title(), standing(s), s.RequestedBy.Name, stamp(s.RequestedAt), stamp(s.VerifiedAt), cmp.Or(s.Reason, proof)})
		for j := range s.Items {
			it := &s.Items[j]
			items = append(items, []string{it.Kind.Words(), cmp.Or(it.Name, it.Object), it.Mailbox, it.State.Words(), stamp(it.At), it.Why})
		}
	}
	d.add("What was done", &Table{[]string{"Step", "State", "Asked by", "Asked", "Read back", "Note"}, steps})
	if len(items) > 0 {
		d.add("What was found", &Table{[]string{"Kind", "Name", "Mailbox", "State", "At", "Why"}, items})
	}
	var evidence [][]string
	for _, e := range inc.Evidence {
		evidence = append(evidence, []string{stamp(e.At), strings.Join(filled(e.IP, e.Country), " "), e.Text})
	}
	if len(evidence) > 0 {
		d.add("What was seen", &Table{[]string{"At", "From", "What"}, evidence})
	}
	var line [][]string
	for _, e := range events[:min(len(events), mostEvents)] {
		line = append(line, []string{stamp(e.At), e.By.Name, e.Text})
	}
	more := ""
	if n := len(events) - len(line); n > 0 {
		more = fmt.Sprintf("%d later entries are in the export.", n)
	}
	d.add("Timeline", &Table{[]string{"At", "Who", "What"}, line}, filled(more)...)
	return d
}

// Period reports a tenant's incidents that were opened from one time up to another. tenant
// is its name, or "all tenants".
func Period(b Brand, tenant string, from, to time.Time, incs []*responsehub.Incident, now time.Time) Document {
	d := Document{Brand: b, Made: now.UTC(), Title: "Incidents of " + tenant, Subtitle: from.UTC().Format("2 Jan 2006") + " to " + to.UTC().Format("2 Jan 2006")}
	incs = slices.Clone(incs)
	slices.SortFunc(incs, func(a, b *responsehub.Incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	var locks []time.Duration
	open, falseAlarms := 0, 0
	var rows [][]string
	for _, inc := range incs {
		lock, ok := TimeToLock(inc)
		words := ""
		if ok {
			locks = append(locks, lock)
			words = responsehub.Span(lock)
		}
		switch {
		case inc.State == responsehub.FalseAlarm:
			falseAlarms++
		case !inc.State.Closed():
			open++
		}
		rows = append(rows, []string{inc.Ref, inc.Tenant.Name, inc.Account.Label(), string(inc.Severity), inc.State.Words(), stamp(inc.OpenedAt), words, stamp(inc.ClosedAt)})
	}
	facts := [][]string{{"Incidents", fmt.Sprint(len(incs))}, {"Still open", fmt.Sprint(open)}, {"False alarms", fmt.Sprint(falseAlarms)}}
	if len(locks) > 0 {
		slices.Sort(locks)
		facts = append(facts, []string{"Locked", fmt.Sprint(len(locks))}, []string{"Time to lock, median", responsehub.Span(locks[(len(locks)-1)/2])}, []string{"Time to lock, longest", responsehub.Span(locks[len(locks)-1])})
	}
	d.add("Summary", &Table{[]string{"", ""}, facts})
	if len(rows) == 0 {
		d.add("Incidents", nil, noIncidents)
		return d
	}
	d.add("Incidents", &Table{[]string{"Ref", "Tenant", "Account", "Severity", "State", "Opened", "Time to lock", "Closed"}, rows})
	return d
}

// TimeToLock is how long it took from the alert to the lock that was read back; false
// where nothing is locked.
func TimeToLock(inc *responsehub.Incident) (time.Duration, bool) {
	s := inc.Step(responsehub.Lock)
	if s == nil || s.VerifiedAt.IsZero() || s.Undo {
		return 0, false
	}
	return s.VerifiedAt.Sub(inc.ReceivedAt), true
}

// Stages is the time to lock by stage: what, when, and how long after the alert, in words.
func Stages(inc *responsehub.Incident) [][]string {
	rows := [][]string{{"Detected", stamp(inc.DetectedAt), ""}, {"Alert received", stamp(inc.ReceivedAt), ""}}
	s := inc.Step(responsehub.Lock)
	if s == nil {
		return rows
	}
	for _, st := range []struct {
		name string
		at   time.Time
	}{{"Lock asked for", s.RequestedAt}, {"Sent to Microsoft", s.SentAt}, {"Read back as locked", s.VerifiedAt}} {
		if !st.at.IsZero() && !s.Undo {
			rows = append(rows, []string{st.name, stamp(st.at), responsehub.Span(st.at.Sub(inc.ReceivedAt))})
		}
	}
	return rows
}

func (d *Document) add(heading string, t *Table, text ...string) {
	d.Sections = append(d.Sections, Section{Heading: heading, Text: text, Table: t})
}

// filled are the texts that are not empty.
func filled(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}
