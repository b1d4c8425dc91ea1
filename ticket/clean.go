package ticket

import (
	"regexp"
	"strings"
	"unicode"
)

var schemes = regexp.MustCompile(`(?i)\bh(tt)(ps?://)`)

// clean makes a text that an attacker may have written fit for a ticket: one line
// without control characters or marks that turn the reading direction, addresses that
// nobody clicks by mistake, nothing that looks like one of the hub's markers, and no
// longer than n characters.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || unicode.Is(unicode.Zs, r) || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	s = schemes.ReplaceAllString(s, "hxx$2")
	s = strings.ReplaceAll(s, "[RH-", "(RH-")
	return Short(strings.Join(strings.Fields(s), " "), n)
}
