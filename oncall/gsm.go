package oncall

import (
	"strings"
	"unicode"
)

// The basic character set of GSM 03.38, and the characters that take two places.
// https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/
const (
	basic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "^{}\\[~]|€"
)

// folds are characters that people's names bring, and what is sent for them.
var folds = strings.NewReplacer(
	"á", "a", "â", "a", "ã", "a", "ç", "c", "ê", "e", "ë", "e", "í", "i", "î", "i", "ï", "i", "ó", "o", "ô", "o", "õ", "o", "ú", "u", "û", "u", "ý", "y", "ÿ", "y",
	"Á", "A", "À", "A", "Â", "A", "Ã", "A", "È", "E", "Ê", "E", "Ë", "E", "Í", "I", "Ì", "I", "Î", "I", "Ó", "O", "Ò", "O", "Ô", "O", "Õ", "O", "Ú", "U", "Ù", "U", "Û", "U",
	"ł", "l", "Ł", "L", "ś", "s", "š", "s", "Š", "S", "ž", "z", "ż", "z", "ź", "z", "Ż", "Z", "Ź", "Z", "Ś", "S", "Ć", "C", "Ž", "Z", "č", "c", "ć", "c", "Č", "C", "ř", "r", "ě", "e", "ę", "e", "ą", "a", "ń", "n", "ň", "n", "ů", "u", "ğ", "g", "ş", "s", "ı", "i", "İ", "I", "ő", "o", "ű", "u", "đ", "d",
	"‘", "'", "’", "'", "“", "\"", "”", "\"", "„", "\"", "–", "-", "—", "-", "…", "...", "\u00a0", " ", "\t", " ",
)

// gsm writes a text with what fits into GSM-7, so that one odd letter in a tenant's name
// does not halve the length of the message. Line ends become spaces.
func gsm(s string) string {
	var b strings.Builder
	for _, r := range folds.Replace(s) {
		switch {
		case r == '\n' || r == '\r':
			b.WriteByte(' ')
		case strings.ContainsRune(basic, r) || strings.ContainsRune(extended, r):
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteByte('?')
		}
	}
	return b.String()
}

// septets is the length of a GSM-7 text in places.
func septets(s string) int {
	n := 0
	for _, r := range s {
		if n++; strings.ContainsRune(extended, r) {
			n++
		}
	}
	return n
}

// cut shortens a text to at most n places.
func cut(s string, n int) string {
	if septets(s) <= n {
		return s
	}
	at, used := 0, 0
	for i, r := range s {
		at = i
		if used++; strings.ContainsRune(extended, r) {
			used++
		}
		if used > n-2 {
			break
		}
	}
	return strings.TrimSpace(s[:at]) + ".."
}

// fit makes a text of a name that may be too long for one segment: it is shortened until
// the whole fits, down to nothing.
func fit(name string, text func(string) string) string {
	name = gsm(name)
	out := gsm(text(name))
	if over := septets(out) - segment; over > 0 {
		out = gsm(text(cut(name, max(septets(name)-over, 4))))
	}
	return cut(out, segment)
}

// spoken is a name as it is read out: bounded, on one line.
func spoken(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }), " ")
	if r := []rune(name); len(r) > 60 {
		name = string(r[:60])
	}
	return name
}

// spelt is a ref as it is read out, letter by letter.
func spelt(ref string) string {
	return strings.Join(strings.Split(strings.ReplaceAll(ref, "-", ""), ""), " ")
}
