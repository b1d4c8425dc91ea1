package responsehub

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// AlertVersion is the version of the hub's own alert format.
const AlertVersion = "1"

// Alert is an account takeover as a detector reports it, in the hub's own format.
// All of it is a stranger's text: it is shown as text and never as markup.
type Alert struct {
	Version     string          `json:"version"`
	ID          string          `json:"id"` // the detector's id of the incident
	DetectedAt  time.Time       `json:"detected_at"`
	Tenant      AlertTenant     `json:"tenant"`
	Account     Account         `json:"account"`
	Severity    Severity        `json:"severity"`
	Title       string          `json:"title"`
	Summary     string          `json:"summary,omitempty"`
	Link        string          `json:"link,omitempty"`
	Evidence    []Evidence      `json:"evidence,omitempty"`
	Phish       []Phish         `json:"phish,omitempty"`
	Persistence []AlertFoothold `json:"persistence,omitempty"`
}

// AlertTenant names the tenant by Microsoft's id, the detector's id, or both.
type AlertTenant struct {
	MicrosoftTenantID string `json:"microsoft_tenant_id,omitempty"`
	SourceTenantID    string `json:"source_tenant_id,omitempty"`
}

// Account is the account that was taken over.
type Account struct {
	ObjectID          string `json:"object_id,omitempty"`
	UserPrincipalName string `json:"user_principal_name,omitempty"`
	DisplayName       string `json:"display_name,omitempty"`
}

// Label is the account as people read it.
func (a Account) Label() string {
	switch {
	case a.UserPrincipalName != "" && a.DisplayName != "":
		return a.DisplayName + " (" + a.UserPrincipalName + ")"
	case a.UserPrincipalName != "":
		return a.UserPrincipalName
	case a.DisplayName != "":
		return a.DisplayName + " (" + a.ObjectID + ")"
	}
	return a.ObjectID
}

// Severity is how bad the detector thinks it is.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities lists the severities, worst first.
var Severities = []Severity{Critical, High, Medium, Low}

// Evidence is one thing the detector saw.
type Evidence struct {
	At      time.Time `json:"at,omitzero"`
	Kind    string    `json:"kind,omitempty"`
	Text    string    `json:"text"`
	IP      string    `json:"ip,omitempty"`
	Country string    `json:"country,omitempty"`
}

// Phish describes mails that the attacker sent: by message id, or by sender and
// subject within a window.
type Phish struct {
	InternetMessageID string    `json:"internet_message_id,omitempty"`
	Sender            string    `json:"sender,omitempty"`
	Subject           string    `json:"subject,omitempty"`
	ReceivedAfter     time.Time `json:"received_after,omitzero"`
	ReceivedBefore    time.Time `json:"received_before,omitzero"`
}

// AlertFoothold is persistence that the detector saw.
type AlertFoothold struct {
	Kind ItemKind `json:"kind"`
	ID   string   `json:"id"`
	Name string   `json:"name,omitempty"`
}

// Limits of an alert, so that one alert cannot fill a card, a ticket or the store.
const (
	MaxEvidence    = 200
	MaxPhish       = 50
	MaxPersistence = 200
	maxTitle       = 300
	maxText        = 4000
	maxName        = 400
)

// Validate returns nil for a usable alert and otherwise an Invalid [Error] whose
// Pointer is the JSON pointer of the first faulty field.
func (a *Alert) Validate() error {
	c := checker{}
	c.that(a.Version == AlertVersion, "/version", `must be "`+AlertVersion+`"`)
	c.text(a.ID, "/id", 1, 200)
	c.that(!a.DetectedAt.IsZero(), "/detected_at", "is missing: give the time of detection in RFC 3339")
	c.time(a.DetectedAt, "/detected_at")
	c.that(a.Tenant.MicrosoftTenantID != "" || a.Tenant.SourceTenantID != "", "/tenant", "needs microsoft_tenant_id or source_tenant_id")
	c.that(a.Tenant.MicrosoftTenantID == "" || isGUID(a.Tenant.MicrosoftTenantID), "/tenant/microsoft_tenant_id", "must be a GUID")
	c.text(a.Tenant.SourceTenantID, "/tenant/source_tenant_id", 0, 200)
	c.that(a.Account.ObjectID != "" || a.Account.UserPrincipalName != "", "/account", "needs object_id or user_principal_name")
	c.that(a.Account.ObjectID == "" || isGUID(a.Account.ObjectID), "/account/object_id", "must be a GUID")
	c.text(a.Account.UserPrincipalName, "/account/user_principal_name", 0, 320)
	c.that(a.Account.UserPrincipalName == "" || strings.Contains(a.Account.UserPrincipalName, "@") && !strings.ContainsAny(a.Account.UserPrincipalName, "/\\ "), "/account/user_principal_name", "must be a user principal name such as pat@example.com")
	c.text(a.Account.DisplayName, "/account/display_name", 0, maxName)
	c.that(slices.Contains(Severities, a.Severity), "/severity", "must be critical, high, medium or low")
	c.text(a.Title, "/title", 1, maxTitle)
	c.text(a.Summary, "/summary", 0, maxText)
	c.that(a.Link == "" || isWebLink(a.Link), "/link", "must be an https address")
	c.most(len(a.Evidence), MaxEvidence, "/evidence", "has more than %d entries")
	for i := range a.Evidence {
		e := &a.Evidence[i]
		c.list, c.entry = "/evidence", i
		c.text(e.Text, "/text", 1, maxText)
		c.time(e.At, "/at")
		c.text(e.Kind, "/kind", 0, 100)
		c.text(e.IP, "/ip", 0, 64)
		c.text(e.Country, "/country", 0, 100)
	}
	c.list = ""
	c.most(len(a.Phish), MaxPhish, "/phish", "has more than %d entries")
	for i := range a.Phish {
		p := &a.Phish[i]
		c.list, c.entry = "/phish", i
		c.text(p.InternetMessageID, "/internet_message_id", 0, 998)
		c.text(p.Sender, "/sender", 0, 320)
		c.text(p.Subject, "/subject", 0, 998)
		c.time(p.ReceivedAfter, "/received_after")
		c.time(p.ReceivedBefore, "/received_before")
		// Sender alone would take the victim's honest mail away too.
		c.that(p.InternetMessageID != "" || p.Sender != "" && p.Subject != "", "", "needs internet_message_id, or sender and subject")
		c.that(p.ReceivedBefore.IsZero() || !p.ReceivedBefore.Before(p.ReceivedAfter), "/received_before", "is before received_after")
	}
	c.list = ""
	c.most(len(a.Persistence), MaxPersistence, "/persistence", "has more than %d entries")
	for i := range a.Persistence {
		p := &a.Persistence[i]
		c.list, c.entry = "/persistence", i
		c.that(slices.Contains(PersistenceKinds, p.Kind), "/kind", "is not a known kind of persistence")
		c.text(p.ID, "/id", 1, 1000)
		c.text(p.Name, "/name", 0, maxName)
	}
	return c.err
}

// checker keeps the first fault. Its texts are put together only when there is one:
// most alerts have none, and every alert is checked.
type checker struct {
	err   error
	list  string // pointer of the list whose entry is looked at, or ""
	entry int
}

// that takes the pointer from the entry on, or from the top outside of lists.
func (c *checker) that(ok bool, pointer, message string) {
	if ok || c.err != nil {
		return
	}
	if c.list != "" {
		pointer = c.list + "/" + itoa(c.entry) + pointer
	}
	c.err = &Error{Kind: Invalid, Pointer: pointer, Message: pointer + " " + message}
}

// most names the bound in the sentence.
func (c *checker) most(n, bound int, pointer, format string) {
	if n > bound {
		c.that(false, pointer, fmt.Sprintf(format, bound))
	}
}

func (c *checker) text(s, pointer string, least, most int) {
	c.that(len(s) >= least, pointer, "is missing")
	c.that(utf8.ValidString(s), pointer, "is not valid UTF-8")
	if len(s) > most { // in bytes, which are never fewer than the characters
		c.most(utf8.RuneCountInString(s), most, pointer, "is longer than %d characters")
	}
}

// time refuses what is no time of an incident; a year past 9999 could not be stored.
func (c *checker) time(t time.Time, pointer string) {
	year := t.Year()
	c.that(t.IsZero() || year >= 1970 && year < 3000, pointer, "must lie between the years 1970 and 2999")
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, b := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if b != '-' {
				return false
			}
			continue
		}
		letter := b | 0x20
		if (b < '0' || b > '9') && (letter < 'a' || letter > 'f') {
			return false
		}
	}
	return true
}

func isWebLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(s) <= 2000
}
