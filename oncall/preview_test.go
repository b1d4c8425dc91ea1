package oncall_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/oncall"
)

func TestPreview(t *testing.T) {
	night := responsehub.Schedule{ID: "night", TimeZone: "Europe/Berlin", Layers: []responsehub.Layer{{People: []string{"bob", "cat"}, Since: "2026-01-05"}}}
	tenant := responsehub.Tenant{ID: "contoso", Name: "Contoso", MicrosoftTenantID: contoso, Notify: responsehub.Notify{
		Phone: &responsehub.OnCall{Sequence: []string{"ann", "night"}, Wait: 3 * time.Minute, Rounds: 1, Schedules: []responsehub.Schedule{night}},
	}}
	p := oncall.New(oncall.Config{Directory: directory{}, Fallback: []string{"boss"}}, slog.New(slog.DiscardHandler))
	got := p.Preview(tenant, time.Date(2026, 1, 14, 2, 0, 0, 0, time.UTC), responsehub.High)
	var lines []string
	for _, l := range got.Lines {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(l.After, " ", l.Name, " ", l.Ways, " ", l.Note)))
	}
	want := []string{
		"0s Ann [text call]", "1m15s Ann [call]", "3m0s Cat [text call]", "4m15s Cat [call]",
		"6m0s Ann [text call]", "6m0s Cat [text call]", "7m15s Ann [call]", "7m15s Cat [call]",
		"9m0s  [] the fallback contacts hear that nobody has been reached", "9m0s Boss [text call]", "10m15s Boss [call]", "12m0s  [] everybody again, every 15 minutes",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got.OnCall != "ann" || got.Lines[0].Phone != "+1500***0101" {
		t.Errorf("%+v", got.Lines[0])
	}
}
