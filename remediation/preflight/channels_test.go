package preflight

import (
	"context"
	"slices"
	"strings"
	"testing"

	"responsehub"
)

// TestChannelsAreOfNow: a bot that is removed after the last look shows at once wherever
// readiness is read, in the place where the channel stood, and what was kept stays.
func TestChannelsAreOfNow(t *testing.T) {
	id := contoso().Notify.Teams[0]
	d := directory{channels: map[string]responsehub.Channel{id: {ID: id, Name: "Incidents", TeamName: "SOC", Installed: true}}}
	k := &keeper{kept: map[string]responsehub.Readiness{}}
	p := New(Config{Microsoft: full(), Directory: d, Keeper: k, Teams: true})
	looked, err := p.Run(context.Background(), contoso())
	if err != nil || looked.Missing() != 0 {
		t.Fatalf("%v, %+v", err, looked.Checks)
	}
	d.channels[id] = responsehub.Channel{ID: id, Name: "Incidents", TeamName: "SOC", Failure: "removed"}
	kept, _, err := p.Kept(context.Background(), contoso().ID)
	if err != nil {
		t.Fatal(err)
	}
	known, _ := p.Known(contoso().ID)
	for what, r := range map[string]responsehub.Readiness{"kept": kept, "known": known, "all": p.All()[contoso().ID]} {
		at := slices.IndexFunc(r.Checks, func(c responsehub.Check) bool { return c.Name == checkTeams })
		if r.Missing() != 1 || at < 0 || !strings.Contains(r.Checks[at].Sentence, "The bot was removed from the channel SOC / Incidents") || len(r.Checks) != len(looked.Checks) || at != slices.IndexFunc(looked.Checks, func(c responsehub.Check) bool { return c.Name == checkTeams }) {
			t.Errorf("%s: %d missing, checks %+v", what, r.Missing(), r.Checks)
		}
	}
	if r := k.kept[contoso().ID]; r.Missing() != 0 {
		t.Error("what was found then was changed")
	}
}
