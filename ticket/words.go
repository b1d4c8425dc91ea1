package ticket

import (
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// Every sentence of a ticket stands here and in note.go. None of them holds a secret:
// they are made of what the incident says, which holds none.

const (
	evidenceMost = 20
	summaryMost  = 2000
)

var surfaces = map[responsehub.Surface]string{
	responsehub.ViaTeams: " in Teams", responsehub.ViaAPI: " by the API", responsehub.ViaConsole: " in the console",
	responsehub.ViaPhone: " by phone", responsehub.ViaText: " by text", responsehub.ViaPSA: " in the ticket",
}

func surface(via responsehub.Surface) string { return surfaces[via] }

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

func date(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05 UTC") }

func stepTitle(id responsehub.StepID) string {
	if id == responsehub.Publish {
		return id.Title()
	}
	return fmt.Sprintf("Step %d, %s", id.Number(), id.Title())
}

// verified says what was read back and when, with the counts of long work.
func verified(s *responsehub.Step) string {
	text := counts(s)
	switch {
	case s.Proof != nil && s.Proof.Value != "":
		text += fmt.Sprintf("; verified at %s: %s", clock(s.Proof.At), clean(s.Proof.Value, 300))
	case !s.VerifiedAt.IsZero() && s.ID != responsehub.Publish:
		text += "; verified at " + clock(s.VerifiedAt)
	}
	return text
}

func counts(s *responsehub.Step) string {
	if p := s.Progress; s.ID == responsehub.Retract && p != nil {
		text := fmt.Sprintf("; %d found, %d moved, %d already deleted in %d mailboxes", p.Found, p.Moved, p.Already, p.Searched)
		if p.Unreachable > 0 {
			text += fmt.Sprintf(", %d mailboxes could not be read", p.Unreachable)
		}
		return text
	}
	n, settled := 0, 0
	for i := range s.Items {
		n++
		if s.Items[i].State.Settled() {
			settled++
		}
	}
	if s.ID == responsehub.Persistence && n > 0 {
		return fmt.Sprintf("; %d of %d items settled", settled, n)
	}
	return ""
}

// resolution says how the incident ended.
func resolution(inc *responsehub.Incident) string {
	if inc.State == responsehub.FalseAlarm {
		text := "False alarm"
		if w := inc.Withdrawal; w != nil {
			text += fmt.Sprintf(", declared by %s: %s", clean(w.By.Name, 80), clean(w.Reason, 500))
			if len(w.Left) > 0 {
				text += " Left as it is: " + clean(strings.Join(w.Left, " "), 500)
			}
		}
		return text
	}
	var b strings.Builder
	end := inc.Step(responsehub.Close)
	fmt.Fprintf(&b, "%s was marked as remediated by %s%s at %s.", inc.Ref, clean(end.RequestedBy.Name, 80), surface(end.RequestedBy.Via), date(inc.ClosedAt))
	for _, id := range responsehub.StepIDs[1 : len(responsehub.StepIDs)-1] {
		s := inc.Step(id)
		switch s.State {
		case responsehub.Done:
			fmt.Fprintf(&b, "\n%s: done%s.", stepTitle(id), verified(s))
		case responsehub.Skipped:
			fmt.Fprintf(&b, "\n%s: %s", stepTitle(id), clean(s.Reason, 300))
		case responsehub.Undone:
			fmt.Fprintf(&b, "\n%s: taken back.", stepTitle(id))
		}
	}
	return b.String()
}

// noteTitle is for desks whose notes have one.
func noteTitle(inc *responsehub.Incident, ns []note) string {
	what := "Update"
	if len(ns) == 1 {
		name, _, _ := strings.Cut(ns[0].key, ".")
		if id := responsehub.StepID(name); id.Valid() {
			what = id.Title()
		}
		if ns[0].resolution {
			what = "Resolution"
		}
	}
	return inc.Ref + ": " + what
}

func severityWord(s responsehub.Severity) string {
	if s == "" {
		return "Unknown"
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

// draft is the ticket as it is made: what happened, what was done so far, where to act.
func (v *visit) draft(ns []note, company, lost string) Draft {
	inc, ref := v.inc(), v.ref()
	user := inc.Account.UserPrincipalName
	if user == "" {
		user = inc.Account.Label()
	}
	title := fmt.Sprintf("[%s] %s%s (%s)", severityWord(inc.Severity), takeover, clean(user, 120), clean(inc.Tenant.Name, 100))
	var b strings.Builder
	if lost != "" {
		title = "[UNMAPPED] " + title
		company = ""
		b.WriteString(lost + "\n")
	}
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	line("Account: %s", clean(inc.Account.Label(), 200))
	line("Tenant: %s (%s)", clean(inc.Tenant.Name, 100), clean(inc.Tenant.MicrosoftTenantID, 40))
	line("Severity: %s. Detected %s, received %s.", severityWord(inc.Severity), date(inc.DetectedAt), date(inc.ReceivedAt))
	line("What was seen: %s", clean(inc.Title, 300))
	if inc.Summary != "" {
		line("%s", clean(inc.Summary, summaryMost))
	}
	switch {
	case inc.State == responsehub.Unpublished:
		line("Act now: nothing runs by itself for this tenant. Publish the incident, then run the steps.")
	case inc.Response && !inc.State.Closed():
		line("Steps 1 to 3 run by themselves; password, re-enabling and closing are left to a person.")
	}
	if link := v.f.cfg.Link(inc); link != "" {
		line("Act here: %s", link)
	}
	if was := inc.Former; was != nil {
		line("%s: %s%s", responsehub.FormerTitle, was.Words(), before(v.f.cfg.Link(&responsehub.Incident{ID: was.ID, Ref: was.Ref})))
	}
	for i, n := range ref.Old {
		line("This ticket follows %s%s", n, oldWhy(ref, i))
	}
	for _, n := range ns {
		line("%s", n.line)
	}
	b.WriteString("Reference: " + inc.Ref)
	return Draft{
		Ref: inc.Ref, Company: company, Title: title, Description: b.String(), Internal: evidence(inc),
		Severity: inc.Severity, Contact: inc.Account.UserPrincipalName,
	}
}

// before is the link to a former incident, where there is one.
func before(link string) string {
	if link == "" {
		return ""
	}
	return ": " + link
}

func oldWhy(ref *responsehub.TicketRef, i int) string {
	if i == len(ref.Old)-1 && ref.Why != "" {
		return ", which " + ref.Why + "."
	}
	return "."
}

// evidence is for the service desk only.
func evidence(inc *responsehub.Incident) string {
	if len(inc.Evidence) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("Evidence:")
	for i, e := range inc.Evidence {
		if i == evidenceMost {
			fmt.Fprintf(&b, "\nand %d more.", len(inc.Evidence)-i)
			break
		}
		b.WriteString("\n" + clean(strings.TrimSpace(strings.Join([]string{when(e.At), e.Text, e.IP, e.Country}, " ")), 400))
	}
	return b.String()
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return date(t)
}
