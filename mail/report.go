package mail

import (
	"bytes"
	"embed"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"
	"time"

	"responsehub"
)

//go:embed report.html.tmpl report.txt.tmpl
var files embed.FS

var (
	htmlReport = html.Must(html.ParseFS(files, "report.html.tmpl"))
	textReport = text.Must(text.ParseFS(files, "report.txt.tmpl"))
)

const (
	mostEvidence = 25  // entries that a mail shows
	mostText     = 600 // characters of one entry
	mostSummary  = 2000
)

// report is what the templates are given: every text of a stranger is one line of bounded
// length, and nothing of what is sealed is here at all.
type report struct {
	News     []string
	Ref      string
	Title    string
	Summary  string
	Tenant   string
	Account  string
	Severity string
	Former   *former
	Facts    []fact
	Steps    []stepLine
	Todos    []string
	Evidence []string
	More     int // evidence that is not shown
	Link     string
	Detector string
}

type fact struct{ Name, Value string }

// former is the incident that the account had before.
type former struct{ Name, Ref, Rest, Link string }

type stepLine struct{ Name, State, Note string }

func reportOf(inc *responsehub.Incident, says news, publicURL string) report {
	r := report{
		Ref: inc.Ref, Title: oneLine(inc.Title, 300), Summary: oneLine(inc.Summary, mostSummary), Tenant: tenantName(inc),
		Account: who(inc), Severity: string(inc.Severity), Detector: webLink(inc.Link),
	}
	for _, w := range says {
		r.News = append(r.News, headline(w, inc))
	}
	if publicURL != "" {
		r.Link = strings.TrimRight(publicURL, "/") + "/incidents/" + inc.ID
	}
	if f := inc.Former; f != nil {
		r.Former = &former{Name: responsehub.FormerTitle, Ref: f.Ref, Rest: f.Rest()}
		if publicURL != "" {
			r.Former.Link = strings.TrimRight(publicURL, "/") + "/incidents/" + f.ID
		}
	}
	r.fact("Detected", inc.DetectedAt)
	r.fact("Received", inc.ReceivedAt)
	if inc.Acknowledged != nil {
		r.Facts = append(r.Facts, fact{"Answered", oneLine(inc.Acknowledged.By.Name, 100) + ", " + clock(inc.Acknowledged.At)})
	}
	r.fact("Closed", inc.ClosedAt)
	for i := range inc.Steps {
		r.Steps = append(r.Steps, lineOf(&inc.Steps[i]))
	}
	for i := range inc.Todos {
		if t := &inc.Todos[i]; !t.Done() {
			r.Todos = append(r.Todos, oneLine(t.Text, mostText))
		}
	}
	for _, e := range inc.Evidence[:min(len(inc.Evidence), mostEvidence)] {
		r.Evidence = append(r.Evidence, evidenceLine(e))
	}
	r.More = len(inc.Evidence) - len(r.Evidence)
	return r
}

func (r *report) fact(name string, at time.Time) {
	if !at.IsZero() {
		r.Facts = append(r.Facts, fact{name, clock(at)})
	}
}

func lineOf(s *responsehub.Step) stepLine {
	l := stepLine{Name: s.ID.Title(), State: s.State.Words()}
	if n := s.ID.Number(); n > 0 {
		l.Name = fmt.Sprintf("%d  %s", n, l.Name)
	}
	switch {
	case s.State == responsehub.Done && !s.VerifiedAt.IsZero():
		l.Note = clock(s.VerifiedAt)
		if s.RequestedBy.Name != "" {
			l.Note = oneLine(s.RequestedBy.Name, 80) + ", " + l.Note
		}
	case s.Reason != "":
		l.Note = oneLine(s.Reason, 400)
	}
	return l
}

func evidenceLine(e responsehub.Evidence) string {
	parts := []string{}
	if !e.At.IsZero() {
		parts = append(parts, clock(e.At))
	}
	parts = append(parts, oneLine(e.Text, mostText))
	for _, s := range []string{e.IP, e.Country} {
		if s != "" {
			parts = append(parts, oneLine(s, 60))
		}
	}
	return strings.Join(parts, "  ")
}

// webLink lets only addresses of pages through, so that no mail program is given another
// kind to open.
func webLink(s string) string {
	if !strings.HasPrefix(s, "https://") || len(s) > 1000 || strings.ContainsAny(s, " \r\n\t\"<>") {
		return ""
	}
	return s
}

// write writes the mail's two forms.
func (r report) write() (plain, page string, err error) {
	var t, h bytes.Buffer
	if err := textReport.Execute(&t, r); err != nil {
		return "", "", fmt.Errorf("mail: write the text: %w", err)
	}
	if err := htmlReport.Execute(&h, r); err != nil {
		return "", "", fmt.Errorf("mail: write the page: %w", err)
	}
	return t.String(), h.String(), nil
}
