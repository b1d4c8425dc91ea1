package graph

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

// What attackers' rules look like. A rule is suspected for one strong sign or two weak
// ones; one that is not is left alone, since people need their rules.
var (
	// Folders that nobody opens.
	hidingFolders = []string{"rss feeds", "rss subscriptions", "rss-feeds", "conversation history", "archive", "deleted items", "junk email", "junk e-mail", "sync issues", "notes"}
	// Subjects that the victim must not see: the fraud's, and the warnings of others.
	keywords = []string{"invoice", "payment", "wire", "bank", "remittance", "payroll", "ach", "phish", "hack", "spam", "virus", "fraud", "scam", "password", "security alert", "docusign", "sharefile", "compromised", "suspicious"}
)

// suspicion says why a rule looks like an attacker's; nil when it does not. home are
// the organisation's own mail domains, folder turns a folder's id into its name.
func suspicion(rule models.MessageRuleable, home []string, folder func(id string) string) []string {
	var why []string
	weight := 0
	sign := func(w int, format string, args ...any) {
		weight += w
		why = append(why, fmt.Sprintf(format, args...))
	}
	a := rule.GetActions()
	if a == nil {
		return nil
	}
	for _, r := range slices.Concat(a.GetForwardTo(), a.GetRedirectTo(), a.GetForwardAsAttachmentTo()) {
		if r == nil || r.GetEmailAddress() == nil {
			continue
		}
		if to := deref(r.GetEmailAddress().GetAddress()); outside(to, home) {
			sign(2, whyForward, clip(to))
		}
	}
	hides := false
	if deref(a.GetDelete()) || deref(a.GetPermanentDelete()) {
		sign(1, whyDelete)
		hides = true
	}
	if id := deref(a.GetMoveToFolder()); id != "" {
		name := folder(id)
		if slices.Contains(hidingFolders, strings.ToLower(strings.TrimSpace(name))) {
			sign(1, whyHide, clip(name))
			hides = true
			if strings.HasPrefix(strings.ToLower(name), "rss") || strings.EqualFold(name, "conversation history") {
				weight++ // no honest rule moves mail there
			}
		}
		if deref(a.GetMarkAsRead()) {
			sign(1, whyMoveRead)
			hides = true
		}
	}
	if blankName(deref(rule.GetDisplayName())) {
		sign(2, whyName)
	}
	if word := keyword(rule.GetConditions()); word != "" && hides {
		sign(1, whyKeyword, word)
	}
	// A rule without a condition that hides everything is the crudest one.
	if hides && everything(rule.GetConditions()) {
		weight++
	}
	if weight < 2 {
		return nil
	}
	return why
}

// outside reports whether a mail address is in none of the domains.
func outside(address string, home []string) bool {
	_, domain, ok := strings.Cut(address, "@")
	if !ok {
		return false
	}
	return !slices.ContainsFunc(home, func(h string) bool {
		return strings.EqualFold(domain, h) || strings.HasSuffix(strings.ToLower(domain), "."+strings.ToLower(h))
	})
}

// blankName reports whether a name has up to three characters and no letter or digit
// among them.
func blankName(name string) bool {
	name = strings.TrimSpace(name)
	return len([]rune(name)) <= 3 && !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

func keyword(c models.MessageRulePredicatesable) string {
	if c == nil {
		return ""
	}
	for _, text := range slices.Concat(c.GetSubjectContains(), c.GetBodyContains(), c.GetBodyOrSubjectContains()) {
		for _, k := range keywords {
			if strings.Contains(strings.ToLower(text), k) {
				return k
			}
		}
	}
	return ""
}

func everything(c models.MessageRulePredicatesable) bool {
	return c == nil || len(c.GetSubjectContains())+len(c.GetBodyContains())+len(c.GetBodyOrSubjectContains())+len(c.GetSenderContains())+
		len(c.GetFromAddresses())+len(c.GetHeaderContains())+len(c.GetRecipientContains())+len(c.GetSentToAddresses())+len(c.GetCategories()) == 0 &&
		c.GetSentToMe() == nil && c.GetSentCcMe() == nil && c.GetSentOnlyToMe() == nil && c.GetHasAttachments() == nil
}

// clip keeps a stranger's text short inside a sentence.
func clip(s string) string {
	r := []rune(s)
	if len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
