package responsehub

import (
	"slices"
	"strings"
	"time"
)

// IncidentVersion is the version of the stored form of an incident.
const IncidentVersion = 1

// IncidentState is where an incident stands. The values are stored.
type IncidentState string

// The states of an incident. Unpublished means that people were told and that nothing
// may run before somebody publishes it.
const (
	Unpublished IncidentState = "unpublished"
	Active      IncidentState = "active"
	Remediated  IncidentState = "remediated"
	FalseAlarm  IncidentState = "false_alarm"
)

// IncidentStates lists the states.
var IncidentStates = []IncidentState{Unpublished, Active, Remediated, FalseAlarm}

// Closed reports whether the incident is over.
func (s IncidentState) Closed() bool { return s == Remediated || s == FalseAlarm }

// Incident is an account takeover and everything that is done about it.
type Incident struct {
	V            int                  `json:"v"`
	ID           string               `json:"id"`
	Ref          string               `json:"ref"` // short name for people, RH-7K2M
	Revision     int64                `json:"-"`   // version of the stored record; grows with every write
	State        IncidentState        `json:"state"`
	Response     bool                 `json:"response"` // the tenant's switch when it was opened
	Tenant       TenantRef            `json:"tenant"`
	Source       string               `json:"source"`
	Key          string               `json:"key"`    // account key, under which alerts for the account meet
	Alerts       []string             `json:"alerts"` // "source|id" of the alerts that were joined into it
	Account      Account              `json:"account"`
	Severity     Severity             `json:"severity"`
	Title        string               `json:"title"`
	Summary      string               `json:"summary,omitempty"`
	Link         string               `json:"link,omitempty"`
	DetectedAt   time.Time            `json:"detected_at"`
	ReceivedAt   time.Time            `json:"received_at"`
	OpenedAt     time.Time            `json:"opened_at"`
	ClosedAt     time.Time            `json:"closed_at,omitzero"`
	Acknowledged *Acknowledgement     `json:"acknowledged,omitempty"`
	Withdrawal   *Withdrawal          `json:"withdrawal,omitempty"` // a false alarm that was declared
	Evidence     []Evidence           `json:"evidence,omitempty"`
	Phish        []Phish              `json:"phish,omitempty"`
	Steps        []Step               `json:"steps"`
	Watch        *Watch               `json:"watch,omitempty"`   // over the lock
	Todos        []Todo               `json:"todos,omitempty"`   // what people have to do by hand
	Former       *Former              `json:"former,omitempty"`  // of the same account, closed shortly before; in its thread the cards answer
	Cards        map[string]CardRef   `json:"cards,omitempty"`   // Teams card by channel id
	Sealed       map[string]Sealed    `json:"sealed,omitempty"`  // encrypted values, such as the one-time password
	Page         *Page                `json:"page,omitempty"`    // who is called and texted
	Tickets      map[string]TicketRef `json:"tickets,omitempty"` // by PSA connection
	Mails        map[string]MailRef   `json:"mails,omitempty"`   // by recipient
	Hooks        map[string]HookRef   `json:"hooks,omitempty"`   // by a name made of the address

	events []Event
}

// Acknowledgement says who answered first.
type Acknowledgement struct {
	By By        `json:"by"`
	At time.Time `json:"at"`
}

// Former is an incident of the same account that was closed shortly before.
type Former struct {
	ID       string        `json:"id"`
	Ref      string        `json:"ref"`
	State    IncidentState `json:"state"`
	ClosedAt time.Time     `json:"closed_at"`
}

// CardRef is a posted Teams card.
type CardRef struct {
	Conversation string    `json:"conversation"` // with ;messageid=
	Activity     string    `json:"activity"`
	Drawn        string    `json:"drawn,omitempty"` // hash of what it shows
	DrawnAt      time.Time `json:"drawn_at,omitzero"`
	Failure      string    `json:"failure,omitempty"` // why the channel cannot be reached
	Replies      []string  `json:"replies,omitempty"` // marks of what was said in the card's thread, oldest first
	Saying       string    `json:"saying,omitempty"`  // mark of a reply that was begun and is not confirmed
}

// Sealed is an encrypted value with its owner and its end.
type Sealed struct {
	Box     []byte    `json:"box"`
	For     string    `json:"for"`     // actor id that may read it
	Expires time.Time `json:"expires"` // erased then at the latest
}

// NewIncident opens an incident from an alert. With response on, the policy asks for
// the automatic steps in the same write, except for those held back. The caller gives
// id, ref and time; a tenant without an ID is one the hub does not know yet.
func NewIncident(id, ref string, now time.Time, source string, a *Alert, t TenantRef, response bool, holds ...Hold) *Incident {
	inc := &Incident{
		V: IncidentVersion, ID: id, Ref: ref, State: Unpublished, Response: response, Tenant: t,
		Source: source, Key: AccountKey(t, source, a),
		Account: a.Account, Severity: a.Severity, Title: a.Title, Summary: a.Summary, Link: a.Link,
		DetectedAt: detected(a, now), ReceivedAt: now.UTC(), OpenedAt: now.UTC(),
	}
	inc.Steps = make([]Step, len(StepIDs))
	for i, s := range StepIDs {
		inc.Steps[i].ID, inc.Steps[i].State = s, Waiting
	}
	inc.Evidence, inc.Phish = make([]Evidence, 0, len(a.Evidence)), make([]Phish, 0, len(a.Phish))
	inc.absorb(source, a)
	by := By{ID: "source:" + source, Name: source, Via: ViaAlert}
	text := "Alert received from " + source + ": " + a.Title
	if !inc.DetectedAt.Equal(a.DetectedAt) {
		text += ". Its clock is wrong: it was detected on " + a.DetectedAt.UTC().Format("2006-01-02 at 15:04 UTC") + ", it says. The time at which it came in is taken instead"
	}
	inc.Record(Event{At: now, Kind: EventOpened, By: by, Text: text})
	if !response {
		return inc
	}
	inc.State = Active
	published := inc.Step(Publish)
	published.State, published.RequestedBy, published.RequestedAt, published.VerifiedAt = Done, Policy.By(), now.UTC(), now.UTC()
	for _, s := range StepIDs {
		if s.Automatic() {
			inc.policy(s, StepRequest{}, holds, now)
		}
	}
	return inc
}

// clockAhead is how far ahead of the hub's a detector's clock may be.
const clockAhead = 5 * time.Minute

// detected is when the takeover was detected, as far as that can be believed. An alert is
// never refused for a wrong clock, but the looks for persistence and for phish begin at
// this time: one in the future would have them find nothing.
func detected(a *Alert, now time.Time) time.Time {
	if a.DetectedAt.After(now.Add(clockAhead)) {
		return now.UTC()
	}
	return a.DetectedAt.UTC()
}

// Join takes the new evidence of another alert for the same account into an open
// incident, and reports whether there was any. With response on, new phish and new
// persistence queue their steps again, unless they are held back.
func (inc *Incident) Join(now time.Time, source string, a *Alert, holds ...Hold) bool {
	phish, items := len(inc.Phish), len(inc.Step(Persistence).Items)
	if !inc.absorb(source, a) {
		return false
	}
	inc.Record(Event{At: now, Kind: EventJoined, By: By{ID: "source:" + source, Name: source, Via: ViaAlert}, Text: "New evidence from " + source + ": " + a.Title})
	inc.callOff(By{ID: "source:" + source, Name: source, Via: ViaAlert}, "new evidence came in from "+source, now)
	if !inc.Response || inc.State != Active {
		inc.reopen(Persistence, len(inc.Step(Persistence).Items) > items)
		inc.reopen(Retract, len(inc.Phish) > phish)
		return true
	}
	if len(inc.Phish) > phish {
		inc.policy(Retract, StepRequest{}, holds, now)
	}
	if len(inc.Step(Persistence).Items) > items {
		inc.policy(Persistence, StepRequest{}, holds, now)
	}
	return true
}

// reopen shows a settled step as open again because there is more to do.
func (inc *Incident) reopen(id StepID, more bool) {
	if s := inc.Step(id); more && (s.State == Done || s.State == Skipped) {
		s.State = Partial
		s.Reason = "New evidence came in after this step was done. Ask for it again."
	}
}

// maxAlerts bounds the list of joined alerts. Later ones still bring their evidence.
const maxAlerts = 500

// absorb adds what is new in the alert and reports whether anything was.
func (inc *Incident) absorb(source string, a *Alert) bool {
	fresh := false
	if id := AlertKey(source, a); len(inc.Alerts) < maxAlerts && !slices.Contains(inc.Alerts, id) {
		inc.Alerts = append(inc.Alerts, id)
		fresh = true
	}
	for _, e := range a.Evidence {
		e.At = e.At.UTC()
		if len(inc.Evidence) < MaxEvidence && !slices.Contains(inc.Evidence, e) {
			inc.Evidence = append(inc.Evidence, e)
			fresh = true
		}
	}
	for _, p := range a.Phish {
		p.ReceivedAfter, p.ReceivedBefore = p.ReceivedAfter.UTC(), p.ReceivedBefore.UTC()
		if len(inc.Phish) < MaxPhish && !slices.Contains(inc.Phish, p) {
			inc.Phish = append(inc.Phish, p)
			fresh = true
		}
	}
	for _, f := range a.Persistence {
		if inc.AddFoothold(Item{Kind: f.Kind, Object: f.ID, Name: f.Name, Why: "Named by the detector."}) {
			fresh = true
		}
	}
	if inc.Account.ObjectID == "" && a.Account.ObjectID != "" {
		inc.Account.ObjectID = a.Account.ObjectID
	}
	return fresh
}

// AddFoothold adds an item of persistence unless it is known already, and reports
// whether it was new.
func (inc *Incident) AddFoothold(it Item) bool {
	s := inc.Step(Persistence)
	it.ID = ItemID(it.Kind, it.Object)
	known := slices.ContainsFunc(s.Items, func(k Item) bool { return k.ID == it.ID || k.Kind == it.Kind && k.Object == it.Object }) // made anew, an item keeps its id
	if known || len(s.Items) >= MaxPersistence {
		return false
	}
	it.State = Waiting
	if !it.Kind.Blocks() {
		it.State = NeedsHuman
	}
	s.Items = append(s.Items, it)
	return true
}

// Step returns the step, or nil for an unknown id.
func (inc *Incident) Step(id StepID) *Step {
	for i := range inc.Steps {
		if inc.Steps[i].ID == id {
			return &inc.Steps[i]
		}
	}
	return nil
}

// Record adds an event to the write that is being prepared.
func (inc *Incident) Record(e Event) { inc.events = append(inc.events, e) }

// TakeEvents returns the events recorded since the last call; the engine stores them
// in the same write as the incident.
func (inc *Incident) TakeEvents() []Event {
	es := inc.events
	inc.events = nil
	return es
}

// AccountKey is the key under which alerts for the same account meet: tenant and
// account, however the detector spells them. known is the tenant the hub resolved.
func AccountKey(t TenantRef, source string, a *Alert) string {
	tenant := t.ID
	if tenant == "" {
		tenant = "unknown:" + strings.ToLower(a.Tenant.MicrosoftTenantID)
		if a.Tenant.MicrosoftTenantID == "" {
			tenant = "unknown:" + source + ":" + a.Tenant.SourceTenantID
		}
	}
	account := a.Account.UserPrincipalName
	if account == "" {
		account = a.Account.ObjectID
	}
	return strings.ToLower(tenant + "|" + account)
}

// AlertKey is the stored name of an alert: two sources may use the same id.
func AlertKey(source string, a *Alert) string { return source + "|" + a.ID }
