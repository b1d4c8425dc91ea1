package console

import (
	"time"

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
