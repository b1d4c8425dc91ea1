package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// table is what was measured.
type table struct{ rows []row }

type row struct{ part, what, value, bound, verdict string }

// note adds a figure without a bound.
func (t *table) note(part, what, format string, args ...any) {
	t.rows = append(t.rows, row{part: part, what: what, value: fmt.Sprintf(format, args...)})
}

// most adds a figure that must not be above its bound.
func (t *table) most(part, what string, got, bound float64, unit string) {
	t.judge(part, what, got, bound, unit, "<=", got <= bound)
}

// least adds a figure that must not be below its bound.
func (t *table) least(part, what string, got, bound float64, unit string) {
	t.judge(part, what, got, bound, unit, ">=", got >= bound)
}

func (t *table) judge(part, what string, got, bound float64, unit, sign string, ok bool) {
	r := row{part, what, fmt.Sprintf("%.3g %s", got, unit), fmt.Sprintf("%s %g %s", sign, bound, unit), "ok"}
	if !ok {
		r.verdict = "MISSED"
	}
	t.rows = append(t.rows, r)
}

func (t *table) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(tw, "PART\tMEASURED\tVALUE\tBOUND\t")
	for _, r := range t.rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.part, r.what, r.value, r.bound, r.verdict)
	}
	return tw.Flush()
}

// spread is some durations.
type spread []time.Duration

// at returns the quantile q in milliseconds.
func (s spread) at(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Microseconds()) / 1000
}

// tail describes the spread beyond its median.
func (s spread) tail() string {
	return fmt.Sprintf("p90 %.3g ms, p99 %.3g ms, n %d", s.at(.9), s.at(.99), len(s))
}
