package oncall

import (
	"slices"
	"time"

	"responsehub"
)

// Preview says who would be called when, from a time on, if nobody answered.
type Preview struct {
	Tenant   responsehub.TenantRef `json:"tenant"`
	At       time.Time             `json:"at"`
	Severity responsehub.Severity  `json:"severity"`
	OnCall   string                `json:"on_call,omitempty" doc:"id of whoever is called first"`
	Lines    []Planned             `json:"lines"`
}

// Planned is one person who would be called or texted.
type Planned struct {
	At     time.Time         `json:"at"`
	After  string            `json:"after" doc:"since the alert"`
	Person string            `json:"person,omitempty"`
	Name   string            `json:"name,omitempty"`
	Phone  string            `json:"phone,omitempty" doc:"masked"`
	Local  string            `json:"local,omitempty" doc:"time of day where the person is"`
	Ways   []responsehub.Way `json:"ways,omitempty"`
	Note   string            `json:"note,omitempty"`
}

// Notes of a preview.
const (
	noteNobody   = "the fallback contacts hear that nobody has been reached"
	noteNoPhone  = "cannot be called: there is no number"
	noteNoOneNow = "nobody is on call"
	noteAfresh   = "everybody again, every 15 minutes"
)

// previewMost bounds a preview.
const previewMost = 400

// Preview plays the plan of an alert that comes in at a time and that nobody answers.
func (p *Pager) Preview(t responsehub.Tenant, at time.Time, severity responsehub.Severity) Preview {
	out := Preview{Tenant: t.Ref(), At: at.UTC(), Severity: severity, Lines: []Planned{}}
	if t.Notify.Phone == nil {
		return out
	}
	r := newRota(*t.Notify.Phone, p.Fallback)
	if who := r.At(at); len(who) > 0 {
		out.OnCall = who[0]
	}
	alert := &responsehub.Alert{Severity: severity}
	inc := responsehub.NewIncident("preview", "RH-PREV", at, "preview", alert, t.Ref(), false)
	add := func(now time.Time, l Planned) {
		l.At, l.After = now.UTC(), now.Sub(at).Round(time.Second).String()
		out.Lines = append(out.Lines, l)
	}
	for now := at; len(out.Lines) < previewMost; {
		pl := planFor(inc, r, now)
		switch {
		case pl.do == begin:
			if p.begin(inc, r, pl.why, now) != nil {
				return out
			}
			if len(inc.Page.Now) == 0 {
				add(now, Planned{Note: noteNoOneNow})
			}
		case pl.do == turn:
			page := inc.Page
			page.Step, page.StepAt, page.Now = pl.step, pl.at.UTC(), r.people(page, pl.step, now)
			if exhausted(page, page.Step-1) {
				add(now, Planned{Note: noteAfresh})
				return out
			}
			if len(page.Now) == 0 && !exhausted(page, page.Step) {
				add(now, Planned{Note: noteNoOneNow})
			}
		case pl.do == alarm:
			if p.alarmed(inc, r, now) != nil {
				return out
			}
			add(now, Planned{Note: noteNobody})
		case len(pl.place) > 0:
			p.preview(inc, r, pl.place, now, add)
		case pl.next.IsZero():
			return out
		default:
			now = pl.next
		}
	}
	return out
}

// preview notes what would be placed as if it was placed and nobody answered.
func (p *Pager) preview(inc *responsehub.Incident, r *rota, acts []action, now time.Time, add func(time.Time, Planned)) {
	var lines []Planned
	for _, act := range acts {
		who := p.person(act.person)
		a := responsehub.Attempt{Person: act.person, Way: act.way, Turn: inc.Page.Step, At: now.UTC(), State: responsehub.AttemptDelivered, Ended: now}
		if act.way == responsehub.ByCall {
			a.State, a.Ended = responsehub.AttemptNoAnswer, now.Add(r.Ring)
		}
		if who.Phone == "" {
			a.State, a.Refusal, a.Ended = responsehub.AttemptFailed, string(BadNumber), now
		}
		inc.Page.Attempts = append(inc.Page.Attempts, a)
		if i := slices.IndexFunc(lines, func(l Planned) bool { return l.Person == act.person }); i >= 0 {
			if who.Phone != "" {
				lines[i].Ways = append(lines[i].Ways, act.way)
			}
			continue
		}
		l := Planned{Person: who.ID, Name: who.Name, Phone: responsehub.MaskPhone(who.Phone)}
		if zone, err := time.LoadLocation(who.TimeZone); err == nil && who.TimeZone != "" {
			l.Local = now.In(zone).Format("15:04 MST")
		}
		if who.Phone == "" {
			l.Note = noteNoPhone
		} else {
			l.Ways = []responsehub.Way{act.way}
		}
		lines = append(lines, l)
	}
	for _, l := range lines {
		add(now, l)
	}
}

// OnCall is the person who is called first for a tenant now.
func (p *Pager) OnCall(t responsehub.Tenant) (responsehub.Person, bool) {
	if t.Notify.Phone == nil {
		return responsehub.Person{}, false
	}
	for _, id := range t.Notify.Phone.At(time.Now()) {
		for _, who := range p.Directory.People() {
			if who.ID == id {
				return who, true
			}
		}
	}
	return responsehub.Person{}, false
}
