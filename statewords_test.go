package responsehub_test

import (
	"testing"
	"time"

	"responsehub"
)

func TestEveryStateHasWords(t *testing.T) {
	for _, s := range responsehub.StepStates {
		if s.Words() == "" {
			t.Errorf("%s has no words", s)
		}
	}
	for _, s := range responsehub.IncidentStates {
		if s.Words() == "" {
			t.Errorf("%s has no words", s)
		}
	}
	for _, s := range responsehub.AttemptStates {
		if s.Words() == "" {
			t.Errorf("%s has no words", s)
		}
	}
}

func TestSpansAndNumbers(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Millisecond: "less than 0.1 s", 2 * time.Second: "2.0 s", 59 * time.Second: "59 s", 96 * time.Second: "1 min 36 s",
		30 * time.Minute: "30 min", 5 * time.Hour: "5 h", 72 * time.Hour: "3 days",
	} {
		if got := responsehub.Span(d); got != want {
			t.Errorf("%s is said as %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 7312: "7,312", -1000: "-1,000", 1234567: "1,234,567"} {
		if got := responsehub.Grouped(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}
