package api

import (
	"net/url"
	"slices"

	"responsehub"
)

// ViewOf returns the incident as programs see it.
func ViewOf(inc *responsehub.Incident) Incident {
	v := Incident{
		ID: inc.ID, Ref: inc.Ref, Tenant: inc.Tenant, State: inc.State, Response: inc.Response, Account: inc.Account,
		Severity: inc.Severity, Title: inc.Title, Summary: inc.Summary, Link: inc.Link, Source: inc.Source,
		Alerts: orEmpty(inc.Alerts), Evidence: inc.Evidence, OpenedAt: inc.OpenedAt, ClosedAt: inc.ClosedAt,
		Steps: make([]Step, 0, len(inc.Steps)), Revision: inc.Revision,
		Times: Times{Detected: inc.DetectedAt, Received: inc.ReceivedAt},
	}
	if a := inc.Acknowledged; a != nil {
		v.Acknowledged = &Acknowledged{By: a.By.Name, At: a.At, Via: a.By.Via}
	}
	v.FalseAlarm = withdrawalView(inc.Withdrawal)
	if lock := inc.Step(responsehub.Lock); lock != nil && !lock.Undo {
		v.Times.Requested, v.Times.Sent, v.Times.Verified = lock.RequestedAt, lock.SentAt, lock.VerifiedAt
	}
	v.Watch = watchView(inc.Watch)
	for i := range inc.Todos {
		t := &inc.Todos[i]
		v.Todos = append(v.Todos, Todo{ID: t.ID, Text: t.Text, Done: t.Done(), DoneBy: t.DoneBy.Name, DoneAt: t.DoneAt})
	}
	for i := range inc.Steps {
		st := stepView(&inc.Steps[i], inc.Blocked(inc.Steps[i].ID))
		if st.Reversal = inc.Reversal(st.ID); st.Reversal != "" {
			st.Lasting = inc.Irreversible(st.ID)
		}
		v.Steps = append(v.Steps, st)
	}
	return v
}

func watchView(w *responsehub.Watch) *Watch {
	if w == nil {
		return nil
	}
	v := &Watch{Since: w.Since, CheckedAt: w.CheckedAt, Checks: w.Checks, Synced: w.Synced, Roles: w.Roles, Reversed: w.Reversed, EndedAt: w.EndedAt, Sentence: w.Sentence()}
	for _, r := range w.Reversals {
		v.Reversals = append(v.Reversals, Reversal(r))
	}
	return v
}

func stepView(s *responsehub.Step, blocked string) Step {
	v := Step{
		ID: s.ID, Title: s.ID.Title(), State: s.State, Items: make([]Item, 0, len(s.Items)), Blocked: blocked,
		RequestedAt: s.RequestedAt, RequestedBy: s.RequestedBy.Name, SentAt: s.SentAt, VerifiedAt: s.VerifiedAt,
		Proof: s.Proof, Reason: s.Reason, Note: s.Note, Undo: s.Undo, ByHand: s.ByHand, Held: s.Held, Progress: s.Progress,
	}
	if s.Confirm != nil {
		v.AskedFirst = s.Confirm.By.Name
	}
	for i := range s.Items {
		it := &s.Items[i]
		v.Items = append(v.Items, Item{
			ID: it.ID, Kind: it.Kind, Name: it.Name, State: it.State, Why: it.Why, Mailbox: it.Mailbox,
			Effect: it.Effect(), MadeAt: it.MadeAt, MadeBy: it.MadeBy,
			Action: it.Action, By: it.By.Name, At: it.At, Proof: it.Proof,
		})
	}
	return v
}

func letterView(l *responsehub.Letter) Letter {
	return Letter{
		Mailbox: l.Mailbox, Address: l.Address, ID: l.ID, MessageID: l.MessageID, Subject: l.Subject, Folder: l.Folder, Read: l.Read,
		Rule: l.Rule, State: l.State, Moved: l.Hub, Why: l.Why, At: l.At, RequestID: l.RequestID,
	}
}

func tenantView(t *responsehub.Tenant) Tenant {
	v := Tenant{
		ID: t.ID, Name: t.Name, MicrosoftTenantID: t.MicrosoftTenantID, SourceIDs: t.SourceIDs, Response: t.Response, Product: t.Bought(), LockGroup: t.LockGroup, Guards: guardsView(t),
		Notify: Notify{Teams: t.Notify.Teams, Mail: t.Notify.Mail, PSA: t.Notify.PSA, Slack: hosts(t.Notify.Slack), Webhooks: hosts(t.Notify.Webhooks)},
	}
	v.Notify.Phone = PhoneOf(t.Notify.Phone)
	if t.Paused != nil {
		v.Paused = &Paused{By: t.Paused.By.Name, At: t.Paused.At}
	}
	if !t.TrialEnds.IsZero() {
		v.Trial = &Trial{Ends: t.TrialEnds}
	}
	return v
}

// hosts names only the host of each address: whoever has the whole of an incoming
// webhook's address can post there.
func hosts(addresses []string) []string {
	var out []string
	for _, a := range addresses {
		host := "..."
		if u, err := url.Parse(a); err == nil && u.Host != "" {
			host = u.Scheme + "://" + u.Host + "/..."
		}
		out = append(out, host)
	}
	return out
}

// orEmpty keeps null out of answers.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return slices.Clip(s)
}
