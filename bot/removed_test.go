package bot

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// TestRemovalIsToldAtOnce: the bot is taken out while an incident is open and its card
// shows the truth. The record says so, the fallback channel gets a card without anything
// else happening, and when the bot is back the old card counts again.
func TestRemovalIsToldAtOnce(t *testing.T) {
	const other = "19:other@thread.tacv2"
	bubble(t, func(l *lane) {
		l.bot.cfg.Channels = []string{other}
		l.dir.channels[other] = responsehub.Channel{ID: other, TeamID: other, TenantID: tenant, ServiceURL: service, BotID: "28:x", Installed: true}
		l.run(time.Minute)
		l.engine.incs[l.inc.ID] = l.inc
		gone := activity("installationUpdate", annID)
		gone["action"] = "remove"
		l.send(gone)
		gone["id"] = "act-2" // the pair comes a second time, as the other event
		gone["type"], gone["membersRemoved"] = "conversationUpdate", []any{map[string]any{"id": "28:" + appID}}
		l.settle()
		if len(l.engine.noted) != 1 || !strings.Contains(l.engine.noted[0].Text, "The bot was removed from SOC / General") {
			l.Fatalf("noted %+v", l.engine.noted)
		}
		l.write(func(inc *responsehub.Incident) error { inc.Record(l.engine.noted[0]); return nil })
		if !l.woken {
			l.Fatal("the removal does not wake the lane")
		}
		l.run(10 * time.Second)
		if l.inc.Cards[other].Activity == "" || l.inc.Cards[general].Failure != sayRemoved {
			l.Fatalf("cards %+v", l.inc.Cards)
		}
		posts := len(l.world.seen("POST"))
		back := activity("installationUpdate", annID)
		back["id"], back["action"] = "act-3", "add"
		l.send(back)
		l.settle()
		l.run(2 * time.Minute)
		if ref := l.inc.Cards[general]; ref.Failure != "" || ref.Activity == "" || len(l.world.seen("POST")) != posts {
			l.Errorf("back again: %+v, %d posts more", ref, len(l.world.seen("POST"))-posts)
		}
		l.write(locked) // both threads hear of what follows
		l.run(time.Minute)
		if n := len(l.replies()); n != 2 {
			l.Errorf("%d threads heard of the lock", n)
		}
	})
}

// TestRemovalOfAClosedIncident: nobody is told of a channel that an old card is in.
func TestRemovalOfAClosedIncident(t *testing.T) {
	bubble(t, func(l *lane) {
		l.write(func(inc *responsehub.Incident) error {
			inc.State, inc.ClosedAt = responsehub.Remediated, time.Now()
			return nil
		})
		l.run(time.Minute)
		ch := l.dir.channels[general]
		ch.Installed, ch.Failure = false, sayRemoved
		l.dir.channels[general] = ch
		l.write(func(inc *responsehub.Incident) error {
			inc.Record(responsehub.Event{Kind: responsehub.EventNoticeSent})
			return nil
		})
		l.run(time.Minute)
		if l.count(responsehub.EventNoticeFailed) != 0 || l.inc.Cards[general].Failure != "" {
			l.Errorf("card %+v, events %v", l.inc.Cards[general], l.events)
		}
	})
}

// TestAllowedAgain: an administrator who disabled the app allows it again, of which Teams
// sends no event. The card that was refused is right again within a quarter of an hour,
// and other incidents may post there from then on.
func TestAllowedAgain(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		l.world.respond = func(call) (int, http.Header, string) {
			return 403, nil, `{"error":{"code":"BotDisabledByAdmin"}}`
		}
		l.write(note1)
		l.run(5 * time.Minute)
		if ch, _ := l.dir.Channel(general); ch.Failure == "" || l.inc.Cards[general].Failure == "" {
			l.Fatalf("channel %+v, card %+v", ch, l.inc.Cards[general])
		}
		l.world.respond = nil
		l.run(16 * time.Minute)
		ch, _ := l.dir.Channel(general)
		if ref := l.inc.Cards[general]; ch.Failure != "" || ref.Failure != "" || ref.Drawn != l.f.draw(l.inc).hash || l.count(responsehub.EventNoticeFailed) != 1 {
			l.Errorf("channel %+v, card %+v, events %v", ch, ref, l.events)
		}
	})
}
