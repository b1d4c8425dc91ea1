package remediation

import (
	"encoding/json"
	"strconv"
	"time"

	"responsehub"
)

// writer writes a stored incident. What every alert brings is written by hand: this is
// the dearest part of taking an alert in, and encoding/json takes five times as long for
// it. The rest goes through encoding/json. TestEncodeIsJSON compares the two.
type writer struct {
	b   []byte
	err error
}

func encode(inc *responsehub.Incident) ([]byte, error) {
	w := &writer{b: make([]byte, 0, 2<<10)}
	w.b = strconv.AppendInt(append(w.b, `{"v":`...), int64(inc.V), 10)
	w.text(`,"id":`, inc.ID)
	w.text(`,"ref":`, inc.Ref)
	w.text(`,"state":`, string(inc.State))
	w.b = strconv.AppendBool(append(w.b, `,"response":`...), inc.Response)
	w.text(`,"tenant":{"id":`, inc.Tenant.ID)
	w.text(`,"name":`, inc.Tenant.Name)
	w.text(`,"microsoft_tenant_id":`, inc.Tenant.MicrosoftTenantID)
	w.text(`},"source":`, inc.Source)
	w.text(`,"key":`, inc.Key)
	w.list(`,"alerts":`, inc.Alerts)
	w.group(`,"account":{`, named{`"object_id":`, inc.Account.ObjectID}, named{`"user_principal_name":`, inc.Account.UserPrincipalName}, named{`"display_name":`, inc.Account.DisplayName})
	w.text(`,"severity":`, string(inc.Severity))
	w.text(`,"title":`, inc.Title)
	w.some(`,"summary":`, inc.Summary)
	w.some(`,"link":`, inc.Link)
	w.time(`,"detected_at":`, inc.DetectedAt)
	w.time(`,"received_at":`, inc.ReceivedAt)
	w.time(`,"opened_at":`, inc.OpenedAt)
	if !inc.ClosedAt.IsZero() {
		w.time(`,"closed_at":`, inc.ClosedAt)
	}
	w.anyIf(inc.Acknowledged != nil, `,"acknowledged":`, inc.Acknowledged)
	w.anyIf(inc.Withdrawal != nil, `,"withdrawal":`, inc.Withdrawal)
	w.evidence(inc.Evidence)
	w.phish(inc.Phish)
	w.any(`,"steps":`, inc.Steps)
	w.anyIf(inc.Watch != nil, `,"watch":`, inc.Watch)
	w.anyIf(len(inc.Todos) > 0, `,"todos":`, inc.Todos)
	w.anyIf(inc.Former != nil, `,"former":`, inc.Former)
	w.anyIf(len(inc.Cards) > 0, `,"cards":`, inc.Cards)
	w.anyIf(len(inc.Sealed) > 0, `,"sealed":`, inc.Sealed)
	w.anyIf(inc.Page != nil, `,"page":`, inc.Page)
	w.anyIf(len(inc.Tickets) > 0, `,"tickets":`, inc.Tickets)
	w.anyIf(len(inc.Mails) > 0, `,"mails":`, inc.Mails)
	w.anyIf(len(inc.Hooks) > 0, `,"hooks":`, inc.Hooks)
	return append(w.b, '}'), w.err
}

func (w *writer) evidence(es []responsehub.Evidence) {
	for i, e := range es {
		if i == 0 {
			w.b = append(w.b, `,"evidence":[{`...)
		} else {
			w.b = append(w.b, `,{`...)
		}
		if !e.At.IsZero() {
			w.time(`"at":`, e.At)
			w.b = append(w.b, ',')
		}
		if e.Kind != "" {
			w.text(`"kind":`, e.Kind)
			w.b = append(w.b, ',')
		}
		w.text(`"text":`, e.Text)
		w.some(`,"ip":`, e.IP)
		w.some(`,"country":`, e.Country)
		w.b = append(w.b, '}')
	}
	if len(es) > 0 {
		w.b = append(w.b, ']')
	}
}

// phish writes those that are told by their id; windows of time are rare.
func (w *writer) phish(ps []responsehub.Phish) {
	if len(ps) == 0 {
		return
	}
	opening := `,"phish":[{`
	for _, p := range ps {
		if !p.ReceivedAfter.IsZero() || !p.ReceivedBefore.IsZero() {
			w.any(opening[:len(opening)-1], p)
		} else {
			w.group(opening, named{`"internet_message_id":`, p.InternetMessageID}, named{`"sender":`, p.Sender}, named{`"subject":`, p.Subject})
		}
		opening = `,{`
	}
	w.b = append(w.b, ']')
}

func (w *writer) list(name string, texts []string) {
	if texts == nil {
		w.any(name, texts)
		return
	}
	w.b = append(append(w.b, name...), '[')
	for i, s := range texts {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.text("", s)
	}
	w.b = append(w.b, ']')
}

type named struct{ name, text string }

// group writes an object of the texts that are not empty.
func (w *writer) group(opening string, texts ...named) {
	w.b = append(w.b, opening...)
	between := false
	for _, t := range texts {
		if t.text == "" {
			continue
		}
		if between {
			w.b = append(w.b, ',')
		}
		between = true
		w.text(t.name, t.text)
	}
	w.b = append(w.b, '}')
}

// text writes a name, given with what stands before it, and a text.
func (w *writer) text(name, s string) {
	if !plain(s) {
		w.any(name, s)
		return
	}
	w.b = append(append(append(append(w.b, name...), '"'), s...), '"')
}

func (w *writer) some(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *writer) time(name string, t time.Time) {
	w.b = append(append(w.b, name...), '"')
	b, err := t.AppendText(w.b)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(b, '"')
}

func (w *writer) any(name string, v any) {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(append(w.b, name...), b...)
}

func (w *writer) anyIf(given bool, name string, v any) {
	if given {
		w.any(name, v)
	}
}

// plain reports whether a text stands in JSON as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
