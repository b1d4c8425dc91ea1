package console_test

import (
	"net/http"
	"strings"
	"testing"

	"responsehub"
)

// TestARemovedBotShowsOnTheTenantsPage: the next view of the page says of each channel
// of the tenant why it cannot be reached.
func TestARemovedBotShowsOnTheTenantsPage(t *testing.T) {
	h := start(t)
	b := h.in(t, adminKey)
	page := func() string {
		t.Helper()
		status, body, _ := h.get(t, b, "/tenants/contoso")
		if status != http.StatusOK {
			t.Fatalf("the page answered %d", status)
		}
		return body
	}
	ch := responsehub.Channel{V: 1, ID: "19:a@thread.tacv2", Name: "Incidents", TeamID: "19:t@thread.tacv2", TeamName: "Security desk", Installed: true}
	if err := h.dir.PutChannel(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	const removed = "The bot was removed from this channel. Add the app to the team in Teams again."
	if body := page(); !strings.Contains(body, "Security desk: Incidents") || strings.Contains(body, removed) {
		t.Error("while the bot is there the page does not show the channel as it is")
	}
	ch.Installed, ch.Failure = false, removed
	if err := h.dir.PutChannel(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page(), removed) {
		t.Error("the page does not say that the bot was removed")
	}
}
