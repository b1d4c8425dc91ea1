package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
)

// TestBotIsRemoved: the bot is taken out of the team while an incident is open. Its
// record and the tenant's readiness say so at once, without another preflight; people
// hear of the next incident by mail and phone; and when the bot is back the cards are
// right again.
func TestBotIsRemoved(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	on, off := s.scene(0).Tenant, s.scene(1).Tenant
	before := s.lookedAt(on)
	s.lookedAt(off)
	manual := s.alert(s.world.Alert("manual"))
	s.card(manual.Ref, "Act now")

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.world.Teams.Uninstall(ctx); err != nil {
		t.Fatal(err)
	}
	var now api.Readiness
	s.within(5*time.Second, "readiness says that the bot was removed", func() bool {
		s.api(http.MethodGet, "/v1/tenants/"+on.ID+"/preflight", nil).decode(s, &now)
		for _, c := range now.Checks {
			if c.Name == "teams" && c.Grade == responsehub.CheckMissing && strings.Contains(c.Sentence, "The bot was removed from the channel") {
				return true
			}
		}
		return false
	})
	if !now.At.Equal(before.At) || now.Missing != before.Missing+1 {
		t.Errorf("looked at %s, %d missing; before %s, %d", now.At, now.Missing, before.At, before.Missing)
	}
	s.recorded(manual.Incident, responsehub.EventNoticeFailed, "The bot was removed from", "the card there stays as it is")
	told := 0
	for _, e := range s.events(manual.Incident) {
		if strings.Contains(e.Text, "the card there stays as it is") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the removal, which Teams tells twice, is in the record %d times", told)
	}

	// The other ways work on without Teams.
	in := s.takeover()
	s.recorded(in.Incident, responsehub.EventNoticeFailed, "Teams card in", "The bot was removed from this channel")
	s.recorded(in.Incident, responsehub.EventNoticeSent, "Mail to soc@", "opened")
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.until("the phone rings for the customer without Response", func() bool {
		calls, texts := s.calls("bob")
		return len(calls) > 0 && len(texts) > 0
	})

	s.install()
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓")
	s.until("the old card counts again", func() bool {
		inc, ok := s.kept(manual.Incident)
		for _, ref := range inc.Cards {
			return ok && ref.Failure == "" && ref.Activity != ""
		}
		return false
	})
	if n := len(s.cards(manual.Ref)); n != 1 {
		t.Errorf("%d cards of the incident that had one", n)
	}
	s.api(http.MethodGet, "/v1/tenants/"+on.ID+"/preflight", nil).decode(s, &now)
	if now.Missing != before.Missing {
		t.Errorf("installed again, %d missing: %+v", now.Missing, now.Checks)
	}
}
