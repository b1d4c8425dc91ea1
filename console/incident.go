package console

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/report"
)

// panelData is what the live part of an incident's page shows.
type panelData struct {
	Incident  *responsehub.Incident
	Steps     []stepRow
	Publish   *stepRow
	Lasting   []string // what a false alarm cannot take back
	MayAct    bool
	Command   string // id of the next command from this page
	Lock      string // time to lock
	Events    []responsehub.Event
	Full      bool
	Told      []notice
	Stages    [][]string // time to lock by stage
	Unheld    bool       // nobody has taken it yet
	Evidence  []responsehub.Evidence
	Remaining int // evidence that is not shown
	Documents bool
	Trial     string // of the tenant, where it is over
	Before    string // what stands before the incident that the account had before
}

// stepRow is a step of the panel.
type stepRow struct {
	*responsehub.Step
	Number   int
	Title    string
	Blocked  string
	Prime    bool // the red button: what to do next
	Offers   bool // it can be asked for now
	Again    bool // it was done: asking again needs a reason
	Reversal string
	Lasting  []string
	Show     bool // a password waits to be shown to this person
	Percent  int
	Folded   bool // its items are all settled: they are there to open
}

const (
	eventsShown   = 12
	evidenceShown = 20
)

func (c *Console) incident(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	inc, err := c.engine.Incident(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	d, err := c.panelOf(r, actor, inc)
	if err != nil {
		return err
	}
	c.show(w, r, http.StatusOK, "incident", actor, d)
	return nil
}

// panel is the live part alone, for the script.
func (c *Console) panel(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	inc, err := c.engine.Incident(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	d, err := c.panelOf(r, actor, inc)
	if err != nil {
		return err
	}
	c.part(w, "incident", "live", d)
	return nil
}

func (c *Console) panelOf(r *http.Request, actor responsehub.Actor, inc *responsehub.Incident) (panelData, error) {
	d := panelData{
		Incident: inc, MayAct: actor.May(responsehub.Act, inc.Tenant) == nil, Command: rand.Text(), Lock: timeToLock(inc),
		Lasting: inc.Irreversible(responsehub.StepIDs...), Told: c.told(inc), Stages: report.Stages(inc), Unheld: inc.Acknowledged == nil && !inc.State.Closed(),
		Evidence: inc.Evidence, Full: r.FormValue("timeline") == "full", Documents: c.cfg.Documents != nil,
		Before: responsehub.FormerTitle,
	}
	if n := len(d.Evidence); n > evidenceShown && !d.Full {
		d.Evidence, d.Remaining = d.Evidence[:evidenceShown], n-evidenceShown
	}
	if t, ok := c.dir.Tenant(inc.Tenant.ID); ok && !t.TrialEnds.IsZero() && !time.Now().Before(t.TrialEnds) {
		d.Trial = trialOf(t, time.Now())
	}
	raw, err := c.engine.Events(r.Context(), actor, inc.ID)
	if err != nil {
		return d, err
	}
	d.Events = timeline(raw, d.Full)
	prime := false
	for i := range inc.Steps {
		row := rowOf(inc, &inc.Steps[i], actor)
		if row.Offers && !prime {
			row.Prime, prime = true, true
		}
		if row.ID == responsehub.Publish {
			d.Publish = &row
		} else {
			d.Steps = append(d.Steps, row)
		}
	}
	return d, nil
}

func rowOf(inc *responsehub.Incident, s *responsehub.Step, actor responsehub.Actor) stepRow {
	row := stepRow{Step: s, Number: s.ID.Number(), Title: s.ID.Title(), Blocked: inc.Blocked(s.ID), Reversal: inc.Reversal(s.ID)}
	row.Again = s.State == responsehub.Done || s.State == responsehub.Skipped
	row.Offers = row.Blocked == "" && !inc.State.Closed() && !s.State.Busy() && !row.Again
	if row.Reversal != "" {
		row.Lasting = inc.Irreversible(s.ID)
	}
	if sealed, ok := inc.Sealed[remediation.SealedPassword]; ok && s.ID == responsehub.Password {
		row.Show = sealed.For == actor.ID && time.Now().Before(sealed.Expires) && s.State == responsehub.Done
	}
	row.Folded = len(s.Items) > 1 && !slices.ContainsFunc(s.Items, func(it responsehub.Item) bool { return !it.State.Settled() })
	if p := s.Progress; p != nil && p.Mailboxes > 0 {
		row.Percent = min(100, p.Searched*100/p.Mailboxes)
	}
	return row
}

// timeline is the incident's record, newest first: in summary what people look for, or
// in full.
func timeline(raw []json.RawMessage, full bool) []responsehub.Event {
	var out []responsehub.Event
	for i := len(raw) - 1; i >= 0; i-- {
		var e responsehub.Event
		if json.Unmarshal(raw[i], &e) != nil {
			continue // a record of a later version: the full export has it
		}
		if !full && (e.Kind == responsehub.EventProgress || e.Kind == responsehub.EventSent || e.Kind == responsehub.EventWatchChecked || e.Kind == responsehub.EventNoticeSent) {
			continue
		}
		if out = append(out, e); !full && len(out) == eventsShown {
			break
		}
	}
	return out
}
