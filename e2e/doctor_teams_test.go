package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
)

// TestDoctorTriesTheChannels: before the bot is installed a channel is a remark, then it
// is right, a test card says so in the channel itself, and once the bot was taken out the
// check says what to do.
func TestDoctorTriesTheChannels(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	cfg, _, err := config.Load(s.configFile())
	if err != nil {
		t.Fatal(err)
	}
	channels := func(testCard bool) (checks []responsehub.Check) {
		t.Helper()
		d, err := app.Doctor(context.Background(), cfg, app.Options{Version: "e2e"}, app.Trial{Tenant: s.scene(0).Tenant.ID, TestCard: testCard})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range d.Hub {
			if strings.HasPrefix(c.Name, "channel ") {
				checks = append(checks, c)
			}
		}
		return checks
	}
	says := func(checks []responsehub.Check, grade responsehub.Grade, words string) {
		t.Helper()
		if len(checks) == 0 {
			t.Fatal("there is no check of a channel")
		}
		for _, c := range checks {
			if c.Grade != grade || !strings.Contains(c.Sentence, words) {
				t.Errorf("%s: %s %q, want %s %q", c.Name, c.Grade, c.Sentence, grade, words)
			}
		}
	}
	s.until("the hub knows its channels", func() bool {
		return channels(false)[0].Grade == responsehub.CheckOK
	})
	says(channels(false), responsehub.CheckOK, "The bot is installed there")
	says(channels(true), responsehub.CheckOK, "A test card was posted and changed there")
	tests := 0
	for _, ch := range s.world.Teams.Snapshot().Channels {
		for _, m := range ch.Messages {
			if strings.Contains(cardText(m.Card), "Test passed") && m.Edits == 1 {
				tests++
			}
		}
	}
	if tests == 0 {
		t.Error("no channel shows that the test passed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.world.Teams.Uninstall(ctx); err != nil {
		t.Fatal(err)
	}
	s.until("the check says that the bot was removed", func() bool {
		return channels(false)[0].Grade == responsehub.CheckMissing
	})
	says(channels(false), responsehub.CheckMissing, "Add the app to the team in Teams again")
	says(channels(true), responsehub.CheckMissing, "The test card could not be posted")
}
