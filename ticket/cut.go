package ticket

import (
	"strings"
	"unicode/utf8"
)

const (
	takeover = "M365 account takeover: "
	cutMark  = "..."
)

// Cut shortens a title to n characters. The tenant's name at the end gives way first,
// then the words that are the same in every title; the account's name comes last.
func Cut(title string, n int) string {
	if utf8.RuneCountInString(title) <= n {
		return title
	}
	head, tenant, ok := cutLast(title, " (")
	if ok {
		if room := n - utf8.RuneCountInString(head) - len(" ("+cutMark+")"); room > 0 {
			return head + " (" + first(tenant, room) + cutMark + ")"
		}
		title = head
	}
	if utf8.RuneCountInString(title) > n {
		title = strings.Replace(title, takeover, "", 1)
	}
	return Short(title, n)
}

// Short cuts a text to n characters and shows that it did.
func Short(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	if n <= len(cutMark) {
		return first(text, n)
	}
	return first(text, n-len(cutMark)) + cutMark
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// first returns the first n characters.
func first(s string, n int) string {
	i := 0
	for at := range s {
		if i == n {
			return s[:at]
		}
		i++
	}
	return s
}
