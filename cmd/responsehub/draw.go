package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"responsehub"
	"responsehub/api"
)

// mostLetters is how many messages of a retraction a table shows.
const mostLetters = 10

// marks are the states at a glance. Only what was read back has a check mark.
var marks = map[responsehub.StepState]string{
	responsehub.Done: "✓", responsehub.Skipped: "–", responsehub.Undone: "↩", responsehub.Failed: "✗", responsehub.Partial: "◐",
	responsehub.NeedsHuman: "!", responsehub.Queued: "…", responsehub.Running: "…", responsehub.Sent: "…", responsehub.Waiting: "○",
}

func stateWords(s responsehub.StepState) string { return strings.ReplaceAll(string(s), "_", " ") }

func drawIncidents(w io.Writer, list api.List[api.Incident]) {
	row(w, "REF", "OPENED", "TENANT", "ACCOUNT", "SEVERITY", "STATE", "STEPS", "TAKEN BY")
	for _, inc := range list.Items {
		var steps strings.Builder
		for _, s := range inc.Steps {
			steps.WriteString(marks[s.State])
		}
		taken := ""
		if inc.Acknowledged != nil {
			taken = inc.Acknowledged.By
		}
		row(w, inc.Ref, at(inc.OpenedAt), inc.Tenant.Name, inc.Account.Label(), string(inc.Severity), strings.ReplaceAll(string(inc.State), "_", " "), steps.String(), taken)
	}
	if list.Next != "" {
		row(w, "More: --cursor "+list.Next)
	}
}

func drawIncident(w io.Writer, inc api.Incident) {
	row(w, inc.Ref+"  "+inc.Title)
	row(w, "Tenant", inc.Tenant.Name+" ("+inc.Tenant.MicrosoftTenantID+")")
	row(w, "Account", inc.Account.Label())
	row(w, "State", strings.ReplaceAll(string(inc.State), "_", " ")+", "+string(inc.Severity))
	row(w, "Opened", at(inc.OpenedAt)+" by "+inc.Source)
	if a := inc.Acknowledged; a != nil {
		row(w, "Taken", at(a.At)+" by "+a.By)
	}
	if f := inc.FalseAlarm; f != nil {
		row(w, "False alarm", at(f.At)+" by "+f.By+": "+f.Reason)
		for _, text := range f.Left {
			row(w, "", "Waits for a person: "+text)
		}
	}
	row(w, "Lock", lockTimes(inc.Times))
	fmt.Fprintln(w)
	for _, s := range inc.Steps {
		drawStep(w, s)
	}
	drawWatch(w, inc)
}

// lockTimes are the stages of the time to lock.
func lockTimes(t api.Times) string {
	parts := []string{"detected " + clock(t.Detected), "received " + clock(t.Received)}
	for _, p := range []struct {
		word string
		at   time.Time
	}{{"requested", t.Requested}, {"sent", t.Sent}, {"verified", t.Verified}} {
		if !p.at.IsZero() {
			parts = append(parts, p.word+" "+clock(p.at))
		}
	}
	line := strings.Join(parts, ", ")
	if !t.Verified.IsZero() {
		line += fmt.Sprintf(" (%s after it came in)", t.Verified.Sub(t.Received).Round(time.Millisecond))
	}
	return line
}

// label is a step's number on the card and the word by which it is asked for here.
func label(id responsehub.StepID) string {
	if id.Number() == 0 {
		return "  " + string(id)
	}
	return fmt.Sprintf("%d %s", id.Number(), id)
}

func drawStep(w io.Writer, s api.Step) {
	when, note := s.VerifiedAt, s.Reason
	if when.IsZero() {
		when = s.RequestedAt
	}
	switch {
	case note == "" && s.Proof != nil:
		note = s.Proof.Value
	case note == "" && s.State == responsehub.Waiting:
		note = s.Blocked
	}
	if s.Lacks != "" {
		note = strings.TrimSpace(note + " " + s.Lacks)
	}
	if p := s.Progress; p != nil && note == "" {
		note = fmt.Sprintf("%d of %d mailboxes searched, %d found, %d moved", p.Searched, p.Mailboxes, p.Found, p.Moved)
	}
	row(w, marks[s.State]+" "+label(s.ID), s.Title, stateWords(s.State), clock(when), s.RequestedBy, note)
	if s.Note != "" {
		row(w, "", s.Note)
	}
	for i, it := range s.Items {
		if it.Kind == responsehub.Message && i == mostLetters { // -o json has them all
			row(w, "", fmt.Sprintf("and %d more", len(s.Items)-i), "", "", "", "")
			break
		}
		row(w, "", marks[it.State]+" "+it.Kind.Words()+" \""+cmp.Or(it.Name, it.ID)+"\"", stateWords(it.State), clock(it.At), it.By, it.ID+"  "+it.Why)
	}
}
