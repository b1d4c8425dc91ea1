package report

import (
	"strings"
	"time"
	"unicode"

	"responsehub"
)

const (
	stage       = "Stage"
	lostLetters = "A question mark may stand for a letter that the font of this document does not have. The report as a page (HTML) and the export have all letters."
	noIncidents = "No incident was opened in this period."
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
	for _, r := range s {
		if unicode.IsSpace(r) {
			continue // some programs trim a cell before they look
		}
		if strings.ContainsRune("=+-@|%＝＋－＠", r) { // the wide ones count in East Asian versions
			return "'" + s
		}
		break
	}
	return s
}
