package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/console"
	"responsehub/store"
	"responsehub/store/storetest"
)

// years is a directory whose record is an old one.
type years struct {
	*store.Directory
	record [][]byte
	reads  int
}

func (y *years) JournalLength(context.Context) (int64, error) { return int64(len(y.record)), nil }

func (y *years) Journal(_ context.Context, after int64, n int) ([][]byte, error) {
	y.reads++
	return y.record[after : after+int64(n)], nil
}

// TestTheAuditOfSomeDays: 50 changes a day from 1 to 5 January, the last of each one second
// before midnight.
func TestTheAuditOfSomeDays(t *testing.T) {
	h := start(t)
	y := &years{Directory: h.dir}
	for i := range 250 {
		at := time.Date(2026, 1, 1+i/50, 0, 0, 0, 0, time.UTC)
		if i%50 == 49 {
			at = at.AddDate(0, 0, 1).Add(-time.Second)
		}
		b, err := json.Marshal(responsehub.Event{Seq: int64(i + 1), At: at, Text: fmt.Sprintf("change-%d-of-January-%d.", i%50, 1+i/50), By: responsehub.By{Name: "Ann"}})
		if err != nil {
			t.Fatal(err)
		}
		y.record = append(y.record, b)
	}
	rdb, _ := storetest.Mini(t)
	c, err := console.New(console.Config{PublicURL: "http://127.0.0.1", Sessions: store.NewSessions(rdb), Keys: h.holders}, h.engine, y, http.DefaultClient, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	old := &hub{Server: httptest.NewServer(c)}
	t.Cleanup(old.Close)
	b := old.in(t, adminKey)
	y.record = y.record[:250] // without the sign-in
	days := regexp.MustCompile(`of-January-(\d)\.`)
	for _, tt := range []struct {
		query, days string // days that are shown, once for each change
		older       bool
		reads       int
	}{
		{"", strings.Repeat("5", 50) + strings.Repeat("4", 50), true, 1},
		{"from=2026-01-04&to=2026-01-04", strings.Repeat("4", 50), false, 2},
		{"to=2026-01-01", strings.Repeat("1", 50), false, 3},
		{"from=2026-01-05", strings.Repeat("5", 50), false, 2},
		{"from=2026-01-02&to=2026-01-03&who=ann", strings.Repeat("3", 50) + strings.Repeat("2", 50), true, 2},
		{"from=2026-01-02&what=change-49", "5432", false, 3},
		{"from=2026-02-01", "", false, 1},
	} {
		y.reads = 0
		status, body, _ := old.get(t, b, "/audit?"+tt.query)
		var got strings.Builder
		for _, m := range days.FindAllStringSubmatch(body, -1) {
			got.WriteString(m[1])
		}
		if status != http.StatusOK || got.String() != tt.days || strings.Contains(body, ">Older<") != tt.older || y.reads != tt.reads {
			t.Errorf("%q: %d, days %q, older %t, %d reads of the record", tt.query, status, got.String(), strings.Contains(body, ">Older<"), y.reads)
		}
	}
	// The page after keeps to the same days.
	_, body, _ := old.get(t, b, "/audit?from=2026-01-02&to=2026-01-04")
	older := regexp.MustCompile(`href="([^"]*)">Older<`).FindStringSubmatch(body)
	if older == nil {
		t.Fatalf("there is no way to the rest:\n%s", body)
	}
	if _, body, _ = old.get(t, b, html.UnescapeString(older[1])); strings.Count(body, "of-January-2.") != 50 || len(days.FindAllString(body, -1)) != 50 {
		t.Errorf("the rest is\n%s", body)
	}
	for query, want := range map[string]string{"from=yesterday": "A day is written as", "from=2026-01-03&to=2026-01-02": "The last day lies before the first one."} {
		if status, body, _ := old.get(t, b, "/audit?"+query); status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%q: %d\n%s", query, status, body)
		}
	}
}
