package card

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one letter. Languages need two or
// three; stacks of them are drawn over the neighbouring lines.
const maxMarks = 3

// Clean makes a stranger's text fit to be shown: one line of valid UTF-8 without
// control characters, invisible and direction-changing marks, and without check marks,
// which on a card only the hub may set. Braces that clients would read as a function are
// set apart. It is cut to at most most characters.
func Clean(s string, most int) string {
	// A character needs four bytes at most, and marks are dropped: what lies beyond this
	// can hardly be shown, and megabytes need not be looked at.
	tail := ""
	if limit := most*16 + 64; len(s) > limit {
		s, tail = s[:limit], "…"
	}
	var b strings.Builder
	n, marks, space, last := 0, 0, false, ' '
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				continue // not UTF-8
			}
		}
		if unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' {
			space = b.Len() > 0
			continue
		}
		if hidden(r) {
			continue
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks || b.Len() == 0 {
				continue
			}
		} else {
			marks = 0
		}
		if n >= most {
			return b.String() + "…"
		}
		if space {
			b.WriteByte(' ')
			n, space, last = n+1, false, ' '
		}
		// Two braces begin a function that clients carry out, such as {{DATE(...)}}.
		if r == '{' && last == '{' {
			b.WriteByte(' ')
			n++
		}
		last = r
		b.WriteRune(r)
		n++
	}
	return b.String() + tail
}

// hidden reports whether the character is not shown as itself: it cannot be seen,
// turns the direction of the text, or means something on our cards.
func hidden(r rune) bool {
	switch r {
	case '✓', '✔', '✅', '☑', '🗸', '🗹':
		return true
	}
	return unicode.Is(unicode.C, r) && r != ' '
}
