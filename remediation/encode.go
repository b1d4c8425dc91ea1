package remediation

import (
	"responsehub"
	"responsehub/rawjson"
)

// writer writes a stored incident. What every alert brings is written by hand: this is
// the dearest part of taking an alert in. The rest goes through encoding/json.
// TestEncodeIsJSON compares the two.
type writer struct{ *rawjson.Writer }

func encode(inc *responsehub.Incident) ([]byte, error) {
	w := writer{rawjson.New(2 << 10)}
	w.Int(`{"v":`, int64(inc.V))
	w.Text(`,"id":`, inc.ID)
	w.Text(`,"ref":`, inc.Ref)
	w.Text(`,"state":`, string(inc.State))
	w.Bool(`,"response":`, inc.Response)
	w.Text(`,"tenant":{"id":`, inc.Tenant.ID)
	w.Text(`,"name":`, inc.Tenant.Name)
	w.Text(`,"microsoft_tenant_id":`, inc.Tenant.MicrosoftTenantID)
	w.Text(`},"source":`, inc.Source)
	w.Text(`,"key":`, inc.Key)
	w.List(`,"alerts":`, inc.Alerts)
	w.Group(`,"account":{`, rawjson.Member{Name: `"object_id":`, Text: inc.Account.ObjectID}, rawjson.Member{Name: `"user_principal_name":`, Text: inc.Account.UserPrincipalName}, rawjson.Member{Name: `"display_name":`, Text: inc.Account.DisplayName})
	w.Text(`,"severity":`, string(inc.Severity))
	w.Text(`,"title":`, inc.Title)
	w.Some(`,"summary":`, inc.Summary)
	w.Some(`,"link":`, inc.Link)
	w.Time(`,"detected_at":`, inc.DetectedAt)
	w.Time(`,"received_at":`, inc.ReceivedAt)
	w.Time(`,"opened_at":`, inc.OpenedAt)
	if !inc.ClosedAt.IsZero() {
		w.Time(`,"closed_at":`, inc.ClosedAt)
	}
	w.AnyIf(inc.Acknowledged != nil, `,"acknowledged":`, inc.Acknowledged)
	w.AnyIf(inc.Withdrawal != nil, `,"withdrawal":`, inc.Withdrawal)
	w.evidence(inc.Evidence)
	w.phish(inc.Phish)
	w.steps(inc.Steps)
	w.AnyIf(inc.Watch != nil, `,"watch":`, inc.Watch)
	w.AnyIf(len(inc.Todos) > 0, `,"todos":`, inc.Todos)
	w.AnyIf(inc.Former != nil, `,"former":`, inc.Former)
	w.AnyIf(len(inc.Cards) > 0, `,"cards":`, inc.Cards)
	w.AnyIf(len(inc.Sealed) > 0, `,"sealed":`, inc.Sealed)
	w.AnyIf(inc.Page != nil, `,"page":`, inc.Page)
	w.AnyIf(len(inc.Tickets) > 0, `,"tickets":`, inc.Tickets)
	w.AnyIf(len(inc.Mails) > 0, `,"mails":`, inc.Mails)
	w.AnyIf(len(inc.Hooks) > 0, `,"hooks":`, inc.Hooks)
	w.Raw(`}`)
	return w.Bytes()
}

func (w writer) evidence(es []responsehub.Evidence) {
	for i, e := range es {
		if i == 0 {
			w.Raw(`,"evidence":[{`)
		} else {
			w.Raw(`,{`)
		}
		if !e.At.IsZero() {
			w.Time(`"at":`, e.At)
			w.Raw(`,`)
		}
		if e.Kind != "" {
			w.Text(`"kind":`, e.Kind)
			w.Raw(`,`)
		}
		w.Text(`"text":`, e.Text)
		w.Some(`,"ip":`, e.IP)
		w.Some(`,"country":`, e.Country)
		w.Raw(`}`)
	}
	if len(es) > 0 {
		w.Raw(`]`)
	}
}

// phish writes those that are told by their id; windows of time are rare.
func (w writer) phish(ps []responsehub.Phish) {
	if len(ps) == 0 {
		return
	}
	opening := `,"phish":[{`
	for _, p := range ps {
		if !p.ReceivedAfter.IsZero() || !p.ReceivedBefore.IsZero() {
			w.Any(opening[:len(opening)-1], p)
		} else {
			w.Group(opening, rawjson.Member{Name: `"internet_message_id":`, Text: p.InternetMessageID}, rawjson.Member{Name: `"sender":`, Text: p.Sender}, rawjson.Member{Name: `"subject":`, Text: p.Subject})
		}
		opening = `,{`
	}
	w.Raw(`]`)
}

// steps writes those of which no more is known than what an alert brings, their items.
func (w writer) steps(steps []responsehub.Step) {
	if steps == nil {
		w.Raw(`,"steps":null`)
		return
	}
	opening := `,"steps":[`
	for i := range steps {
		s := &steps[i]
		bare := *s
		bare.State, bare.Items = responsehub.Waiting, nil
		if !bare.Untouched() {
			w.Any(opening, s)
		} else {
			w.Raw(opening)
			w.Text(`{"id":`, string(s.ID))
			w.Text(`,"state":`, string(s.State))
			w.items(s.Items)
			w.Raw(`}`)
		}
		opening = `,`
	}
	if len(steps) == 0 {
		w.Raw(opening)
	}
	w.Raw(`]`)
}

// items writes those to which nothing was done.
func (w writer) items(items []responsehub.Item) {
	opening := `,"items":[`
	for i := range items {
		it := &items[i]
		if it.Hidden || !it.MadeAt.IsZero() || it.Returned != 0 || it.Action != "" || it.By != (responsehub.By{}) || !it.At.IsZero() || it.Proof != nil || len(it.Snapshot) > 0 {
			w.Any(opening, it)
		} else {
			w.Raw(opening)
			w.Text(`{"id":`, it.ID)
			w.Text(`,"kind":`, string(it.Kind))
			w.Some(`,"name":`, it.Name)
			w.Text(`,"object":`, it.Object)
			w.Some(`,"mailbox":`, it.Mailbox)
			w.Text(`,"state":`, string(it.State))
			w.Some(`,"why":`, it.Why)
			w.Some(`,"made_by":`, it.MadeBy)
			w.Raw(`}`)
		}
		opening = `,`
	}
	if len(items) > 0 {
		w.Raw(`]`)
	}
}
