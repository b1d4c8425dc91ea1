package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// format returns how answers are printed: -o, or --json for short.
func format(c *cobra.Command) (string, error) {
	f, err := c.Flags().GetString("output")
	if short, _ := c.Flags().GetBool("json"); err == nil && short {
		if c.Flags().Changed("output") && f != "json" {
			return "", wrongUsage("--json and -o %s say two things", f)
		}
		f = "json"
	}
	if err == nil && f != "table" && f != "json" {
		return "", wrongUsage("-o is table or json, not %q", f)
	}
	return f, err
}

// show prints v as JSON, or as the table that draw writes: cells end with tabs.
func show(c *cobra.Command, v any, draw func(w io.Writer)) error {
	f, err := format(c)
	if err != nil {
		return err
	}
	if f == "json" {
		enc := json.NewEncoder(c.OutOrStdout())
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	var plain strings.Builder
	w := tabwriter.NewWriter(&plain, 0, 0, 2, ' ', 0)
	draw(w)
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(plain.String()) {
		if _, err := fmt.Fprintln(c.OutOrStdout(), strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// row writes one line of a table.
func row(w io.Writer, cells ...string) {
	for i, cell := range cells {
		cells[i] = clean(cell)
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// clean takes out what a terminal would obey. Titles, names and reasons are strangers'
// text: an inbox rule may well be named like an escape sequence.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
}

// at is a time in a table; UTC, as in the record and in the sentences of the hub.
func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// clock is a time of day, where the day is known.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05Z")
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
