package mail

import (
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// Every sentence of a mail that is not the incident's own stands here or in the
// templates.

// headline says one piece of news.
func headline(w string, inc *responsehub.Incident) string {
	kind, rest, _ := strings.Cut(w, ":")
	switch kind {
	case saysOpened:
		return openedWords(inc)
	case saysLocked:
		return "The account is locked and its sessions are revoked; this was read back."
	case saysOpen:
		return "The account is open again."
	case saysNeeds:
		id, _, _ := strings.Cut(rest, ":")
		s := inc.Step(responsehub.StepID(id))
		if s == nil {
			return "A step needs a person."
		}
		text := "A person is needed: " + s.ID.Title() + "."
		if s.Reason != "" {
			text += " " + oneLine(s.Reason, 400)
		}
		return text
	case saysAcked:
		if inc.Acknowledged == nil {
			return "Somebody answered."
		}
		return fmt.Sprintf("%s answered at %s.", oneLine(inc.Acknowledged.By.Name, 100), clock(inc.Acknowledged.At))
	case saysNobody:
		return "Nobody answered the phone. Everyone in the sequence was called: please take this incident."
	case saysClosed:
		if inc.State == responsehub.FalseAlarm {
			return "The incident was closed as a false alarm."
		}
		return "The incident is closed as remediated."
	}
	return "Something changed."
}

func openedWords(inc *responsehub.Incident) string {
	switch {
	case inc.Tenant.ID == "":
		return "An alert came in for a tenant that the hub does not know. Nothing runs by itself: please look at once."
	case inc.Response:
		return "A new incident. Response is on: lock, retraction and persistence run by themselves."
	}
	return "A new incident. Response is off for this tenant: nothing runs by itself, somebody has to act."
}

// subject is the same for all mails of a thread, but for the Re: of answers.
func subject(inc *responsehub.Incident, answer bool) string {
	s := fmt.Sprintf("[%s] %s: %s (%s)", inc.Ref, tenantName(inc), oneLine(inc.Title, 80), who(inc))
	if answer {
		s = "Re: " + s
	}
	return oneLine(s, 200)
}

func tenantName(inc *responsehub.Incident) string {
	switch {
	case inc.Tenant.Name != "":
		return oneLine(inc.Tenant.Name, 60)
	case inc.Tenant.MicrosoftTenantID != "":
		return "unknown tenant " + oneLine(inc.Tenant.MicrosoftTenantID, 40)
	}
	return "unknown tenant"
}

func who(inc *responsehub.Incident) string {
	a := inc.Account
	for _, s := range []string{a.UserPrincipalName, a.DisplayName, a.ObjectID} {
		if s != "" {
			return oneLine(s, 80)
		}
	}
	return "unknown account"
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// oneLine makes a stranger's text fit for a line: no control characters, one space
// between words, n characters at most.
func oneLine(s string, n int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029'
	}), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// The sentences of failures.
const (
	badAddress = "The address cannot be written to: it is no mail address."
	gaveUp     = "The mail could not be handed over for two days: "
)

func sentWords(to string, says news) string {
	return fmt.Sprintf("Mail to %s: %s", to, strings.Join(kinds(says), ", "))
}

func failedWords(to, why string) string { return fmt.Sprintf("Mail to %s failed: %s", to, why) }

var kindWords = map[string]string{
	saysOpened: "opened", saysLocked: "account locked", saysOpen: "account open again", saysNeeds: "a person is needed",
	saysAcked: "answered", saysNobody: "nobody answered", saysClosed: "closed",
}

func kinds(says news) []string {
	var out []string
	for _, w := range says {
		kind, _, _ := strings.Cut(w, ":")
		out = append(out, kindWords[kind])
	}
	return out
}
