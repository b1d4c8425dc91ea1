package oncall

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"responsehub"
)

// Config is what a pager needs.
type Config struct {
	Phone     Phone
	Book      Book
	Incidents Incidents
	Directory Directory
	Fallback  []string                                       // ids of people, for when nobody else answers and for tenants that the hub does not know
	Own       []string                                       // the hub's own numbers, which are never called
	Alarm     func(ctx context.Context, a responsehub.Alarm) // tells the operators what belongs to no incident; nil only logs
}

// Incidents is what the pager asks of the engine.
type Incidents interface {
	Incident(ctx context.Context, actor responsehub.Actor, idOrRef string) (*responsehub.Incident, error)
	// Amend writes what came from outside, apart from any lane.
	Amend(ctx context.Context, id string, edit responsehub.Edit) error
}

// Directory is what the pager asks of the list of tenants and people.
type Directory interface {
	Tenant(id string) (responsehub.Tenant, bool)
	People() []responsehub.Person
}

// Pager calls and texts people about incidents: it is the follower of the lane that
// does so, and the switchboard that answers the network.
type Pager struct {
	Config
	log *slog.Logger
}

var (
	_ responsehub.Follower = (*Pager)(nil)
	_ Switchboard          = (*Pager)(nil)
)

// New returns a pager. It makes no request.
func New(cfg Config, log *slog.Logger) *Pager { return &Pager{Config: cfg, log: log} }

// Lane is the lane of calls.
func (p *Pager) Lane() responsehub.Lane { return responsehub.LaneOnCall }

// Wake reports whether somebody may have to be called, or not any more.
func (p *Pager) Wake(inc *responsehub.Incident, events []responsehub.Event) bool {
	if inc.Page.Going() || inc.Page != nil && !inc.Page.Settled {
		return true
	}
	for _, e := range events {
		switch e.Kind {
		case responsehub.EventNoticeSent, responsehub.EventNoticeFailed, responsehub.EventRefused, responsehub.EventLaneDead, responsehub.EventProgress:
		default:
			return true
		}
	}
	return false
}

// errOver abandons the write of a page for an incident that needs none any more.
var errOver = errors.New("somebody has the incident")

// rounds bounds how many things are done in one turn of the lane.
const rounds = 50

// Follow does what is due and says when something is due next.
func (p *Pager) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	for range rounds {
		now := time.Now()
		pl := planFor(t.Incident, p.rota(t.Incident), now)
		if pl.do == nothing && len(pl.place)+len(pl.request)+len(pl.look) == 0 {
			if pl.next.IsZero() {
				return responsehub.Settle(nil)
			}
			return responsehub.ComeBack(max(pl.next.Sub(now), time.Millisecond), nil)
		}
		err := p.carryOut(ctx, t, pl, now)
		switch {
		case errors.Is(err, errOver):
			return responsehub.ComeBack(time.Millisecond, nil) // the incident at hand is an old one
		case err != nil:
			return responsehub.TryAgain(err, nil)
		}
	}
	return responsehub.ComeBack(time.Second, nil)
}

// rota is the sequence of the incident's tenant as it is now, or nil. For a tenant that
// the hub does not know it is the fallback contacts.
func (p *Pager) rota(inc *responsehub.Incident) *rota {
	if inc.Tenant.ID == "" {
		if len(p.Fallback) == 0 {
			return nil
		}
		return newRota(responsehub.OnCall{Sequence: p.Fallback}, nil)
	}
	t, ok := p.Directory.Tenant(inc.Tenant.ID)
	if !ok || t.Notify.Phone == nil {
		return nil
	}
	return newRota(*t.Notify.Phone, p.Fallback)
}

func (p *Pager) carryOut(ctx context.Context, t *responsehub.Turn, pl plan, now time.Time) error {
	r := p.rota(t.Incident)
	switch pl.do {
	case begin:
		return t.Save(ctx, func(inc *responsehub.Incident) error { return p.begin(inc, r, pl.why, now) })
	case turn:
		return t.Save(ctx, func(inc *responsehub.Incident) error {
			if !inc.Page.Going() || inc.Acknowledged != nil {
				return errOver
			}
			if inc.Page.Step < pl.step {
				inc.Page.Step, inc.Page.StepAt, inc.Page.Now = pl.step, pl.at.UTC(), r.people(inc.Page, pl.step, now)
			}
			return nil
		})
	case alarm:
		return t.Save(ctx, func(inc *responsehub.Incident) error { return p.alarmed(inc, r, now) })
	case lapse:
		return t.Save(ctx, func(inc *responsehub.Incident) error {
			a := inc.Acknowledged
			if a == nil || inc.Page == nil || inc.Started(a.At) {
				return errOver
			}
			inc.Page.Lapsed++
			inc.Lapse(r.Start, now)
			return nil
		})
	case finish:
		return p.finish(ctx, t, now)
	}
	if len(pl.look) > 0 {
		if err := p.look(ctx, t, pl.look); err != nil {
			return err
		}
	}
	requests, err := p.intend(ctx, t, pl, now)
	if err != nil {
		return err
	}
	return p.send(ctx, t, requests)
}

// kept is how many attempts an incident keeps: some days of calling in vain.
const kept = 1000

func (p *Pager) begin(inc *responsehub.Incident, r *rota, why string, now time.Time) error {
	if inc.Acknowledged != nil || inc.State.Closed() || inc.Page.Going() {
		return errOver
	}
	page := inc.Page
	if page == nil {
		page = &responsehub.Page{}
		inc.Page = page
	}
	page.State, page.Why, page.Settled, page.Alarmed = responsehub.PageRunning, why, false, time.Time{}
	page.Begun, page.Step, page.StepAt = now.UTC(), 0, now.UTC()
	page.Sequence, page.Rounds = slices.Clone(r.Sequence), r.Rounds
	page.Now = r.people(page, 0, now)
	if over := len(page.Attempts) - kept; over > 0 {
		page.Attempts = slices.Delete(page.Attempts, 0, over)
	}
	inc.Record(responsehub.Event{At: now, Kind: responsehub.EventPageBegun, By: responsehub.Hub.By(), Text: "People are called: " + why})
	return nil
}

// alarmed says that nobody has been reached, and lets the fallback contacts be called
// from now on.
func (p *Pager) alarmed(inc *responsehub.Incident, r *rota, now time.Time) error {
	page := inc.Page
	if !page.Going() || inc.Acknowledged != nil {
		return errOver
	}
	if !page.Alarmed.IsZero() {
		return nil
	}
	page.Alarmed = now.UTC()
	if exhausted(page, page.Step) {
		page.State = responsehub.PageExhausted
	}
	for _, id := range r.fallback {
		if !slices.Contains(page.Now, id) {
			page.Now = append(page.Now, id)
		}
	}
	inc.Record(responsehub.Event{At: now, Kind: responsehub.EventPageNobody, By: responsehub.Hub.By(), Text: p.nobody(page, now)})
	return nil
}

// amend writes an edit and returns the incident as it was written.
func (p *Pager) amend(ctx context.Context, id string, edit responsehub.Edit) (*responsehub.Incident, error) {
	var written *responsehub.Incident
	err := p.Incidents.Amend(ctx, id, func(inc *responsehub.Incident) error {
		written = inc
		return edit(inc)
	})
	return written, err
}

func (p *Pager) person(id string) responsehub.Person {
	for _, who := range p.Directory.People() {
		if who.ID == id {
			return who
		}
	}
	return responsehub.Person{ID: id, Name: id}
}

// personAt returns the people whose number it is.
func (p *Pager) peopleAt(phone string) []responsehub.Person {
	var out []responsehub.Person
	for _, who := range p.Directory.People() {
		if phone != "" && who.Phone == phone {
			out = append(out, who)
		}
	}
	return out
}

// alarmOnce tells whoever gets the operators' alarms what every incident would find anew,
// once a day. The bar comes last: killed in between, the pager raises the same alarm again.
func (p *Pager) alarmOnce(ctx context.Context, words string) error {
	if p.Alarm == nil || words == "" {
		return nil
	}
	barred, err := p.Book.Barred(ctx, "alarm|"+words)
	if err != nil || barred > 0 {
		return err
	}
	p.Alarm(ctx, responsehub.Alarm{Subject: "phone|" + words, Words: words})
	return p.Book.Bar(ctx, "alarm|"+words, 24*time.Hour)
}

// stopped is what STOP and START of a phone are about: the second ends the first.
func stopped(phone string) responsehub.Alarm { return responsehub.Alarm{Subject: "stop|" + phone} }

// tellOperators says what is wrong with a phone: in the record of an open incident of
// that phone, where everybody looks, and to whoever gets the operators' alarms. An alarm
// without a subject is about its words.
func (p *Pager) tellOperators(ctx context.Context, phone, words string, a responsehub.Alarm) error {
	p.log.Warn("a phone needs the operators", "phone", responsehub.MaskPhone(phone), "why", words)
	if p.Alarm != nil {
		a.Subject, a.Words = cmp.Or(a.Subject, "phone|"+words), words
		p.Alarm(ctx, a)
	}
	incs, _, err := p.open(ctx, phone)
	if err != nil || len(incs) == 0 {
		return err
	}
	_, err = p.amend(ctx, incs[0].ID, func(inc *responsehub.Incident) error {
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventPhoneFault, By: responsehub.Hub.By(), Text: words})
		return nil
	})
	return err
}
