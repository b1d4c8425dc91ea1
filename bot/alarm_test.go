package bot

import (
	"net/http"
	"testing"

	"responsehub"
)

// TestAlarm: the words are a thread of their own in the channel, as they are; a channel
// out of reach is an error.
func TestAlarm(t *testing.T) {
	s := newHarness(t)
	if err := s.dir.PutChannel(t.Context(), responsehub.Channel{V: 1, ID: general, TenantID: tenant, ServiceURL: service, BotID: "28:" + appID, Installed: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.bot.Alarm(t.Context(), general, "Ann (+1206***0101) wrote **STOP**."); err != nil {
		t.Error(err)
	}
	if err := s.bot.Alarm(t.Context(), "19:bad id", "Ann (+1206***0101) wrote **STOP**."); err == nil {
		t.Error("the channel that cannot be written to is no error")
	}
	posts := s.world.seen(http.MethodPost)
	if len(posts) != 1 {
		t.Fatalf("posted %+v", posts)
	}
	said, _ := posts[0].Body["activity"].(map[string]any)
	if said["text"] != "Ann (+1206***0101) wrote **STOP**." || said["textFormat"] != "plain" {
		t.Errorf("said %+v", said)
	}
}
