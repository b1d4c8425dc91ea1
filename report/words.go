package report

import (
	"strings"
	"time"
	"unicode"

	"responsehub"
)

func standing(s *responsehub.Step) string {
	if s.State == responsehub.Done && !s.ByHand && !s.VerifiedAt.IsZero() {
		return "verified"
	}
	return s.State.Words()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// clean takes out what moves the cursor or turns the line round, and keeps a cell short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	const most = 2000
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// tame keeps a spreadsheet from taking a stranger's text for a formula.
// https://owasp.org/www-community/attacks/CSV_Injection
func tame(s string) string {
	s = clean(s)
	if s != "" && strings.ContainsRune("=+-@\t\r|%", rune(s[0])) {
		return "'" + s
	}
	return s
}
