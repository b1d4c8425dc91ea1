package console

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"responsehub"
)

// The words of the pages that are not in a template.

// stamp is an exact time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006 15:04:05 UTC")
}

// sentence begins with a capital letter, also where the words were kept to follow a colon.
func sentence(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + s[n:]
}

// clock is an exact time of a day that is said elsewhere.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return responsehub.Grouped(n) + " " + many
}

// modeWords say who resets a password.
var modeWords = map[responsehub.PasswordMode]string{
	responsehub.PasswordCloud: "by the hub, for cloud accounts", responsehub.PasswordWriteback: "by the hub, also for accounts from on-premises AD",
	responsehub.PasswordManual: "by hand, for every account",
}

var productWords = map[responsehub.Product]string{
	responsehub.ProductResponse: "Response: steps 1 to 3 can run by themselves", responsehub.ProductNotify: "Notify: people are told and press the steps",
}

var roleWords = map[responsehub.Role]string{
	responsehub.Admin: "admin: changes settings, and all that a responder may", responsehub.Responder: "responder: runs the steps",
	responsehub.Reader: "reader: sees everything", responsehub.Guest: "guest: sees the tenants that are named",
}

// proofWords say how a detector proves who it is.
var proofWords = map[string]string{"standard-webhooks": "a signature (Standard Webhooks)", "header": "a secret in a header"}

// gradeWords are how a check came out.
var gradeWords = map[responsehub.Grade]string{
	responsehub.CheckOK: "ok", responsehub.CheckMissing: "missing", responsehub.CheckWarning: "take note", responsehub.CheckUnknown: "unknown",
}

// laneWords say what a lane does; other lanes are shown by their names.
var laneWords = map[responsehub.Lane]string{
	responsehub.LaneLock: "locking the account", responsehub.LaneRetract: "retracting the phishing mails", responsehub.LanePersistence: "disabling persistence",
	responsehub.LaneAccount: "password and re-enabling", responsehub.LaneWatch: "watching the account afterwards", responsehub.LaneTeams: "the cards in Teams",
	responsehub.LaneTicket: "the ticket", responsehub.LaneOnCall: "calls and texts", responsehub.LaneMail: "mail",
}

// laneName is a lane as people read it.
func laneName(l responsehub.Lane) string { return cmp.Or(laneWords[l], string(l)) }

// reach says which tenants somebody sees.
func reach(tenants []string) string {
	if slices.Contains(tenants, "*") {
		return "all"
	}
	return strings.Join(tenants, ", ")
}

// trialOf says of a tenant's trial how long it goes, or that it is over and what that changes.
func trialOf(t responsehub.Tenant, now time.Time) string {
	switch {
	case t.TrialEnds.IsZero():
		return ""
	case now.Before(t.TrialEnds):
		return "Trial until " + day(t.TrialEnds) + "."
	}
	return "The trial ended on " + day(t.TrialEnds) + ". Remediation goes on as before; only its product cannot be switched."
}

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }
