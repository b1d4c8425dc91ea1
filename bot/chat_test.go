package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

func TestCommands(t *testing.T) {
	const stranger = "dddddddd-0000-4000-8000-000000000009"
	for _, tc := range []struct{ text, from, want string }{
		{"<at>responsehub</at> help", annID, sayHelp},
		{"", annID, sayHelp},
		{"please delete everything", annID, sayUnknown},
		{"<at id=\"0\">responsehub</at>&nbsp;Incidents", annID, "RH-7K2M · unpublished · high · Account takeover (Contoso) · pat@contoso.example"},
		{"incidents", guestID, sayNone},
		{"incidents", stranger, "not on this hub's list"},
		{"incident rh-7k2m", annID, "The buttons are on the card"},
		{"incident RH-0000", annID, "There is no incident"},
		{"incident", annID, sayWhichRef},
		{"incident RH-7K2M", guestID, "not among your tenants"},
		{"ack RH-7K2M", annID, "Acknowledged. Nobody else will be called."},
		{"acknowledge", annID, "RH-7K2M: Acknowledged. Nobody else will be called."},
		{"ack", guestID, sayNoneFree},
		{"ack", stranger, "not on this hub's list"},
		{"Who is on call?", annID, "Contoso: Ann, then Bob"},
		{"who is on call", annID, "Fabrikam: nobody is called"},
		{"who is on call", stranger, "not on this hub's list"},
		{"whoami", bobID, "You are Bob, role responder, for Contoso. Your Entra object id is " + bobID},
		{"whoami", stranger, "Give your administrator this Entra object id: " + stranger},
		{strings.Repeat("<at>", 50000), annID, sayUnknown},
	} {
		h := newHarness(t)
		h.incident(false)
		act := activity("message", tc.from)
		act["text"] = tc.text
		if w := h.send(act); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("%.40q: answer %d %s", tc.text, w.Code, w.Body)
		}
		h.settle()
		posts := h.world.seen("POST")
		if len(posts) != 1 {
			t.Errorf("%.40q: %d posts", tc.text, len(posts))
			continue
		}
		if !strings.Contains(mustJSON(posts[0].Body), strings.Trim(mustJSON(tc.want), `"`)) {
			t.Errorf("%.40q: %s, want %q", tc.text, mustJSON(posts[0].Body), tc.want)
		}
		if posts[0].Body["replyToId"] != "act-1" || !strings.HasSuffix(posts[0].Path, "%3Bmessageid=17/activities") {
			t.Errorf("%.40q: posted to %s as reply to %v", tc.text, posts[0].Path, posts[0].Body["replyToId"])
		}
		if _, both := posts[0].Body["attachments"]; both && posts[0].Body["text"] != nil {
			t.Errorf("%.40q: text beside a card", tc.text)
		}
		if strings.Contains(mustJSON(posts[0].Body), "Action.Execute") {
			t.Errorf("%.40q: a copy with buttons", tc.text)
		}
	}
}

// TestAcknowledgeWithoutANumber: where several can be meant they are listed; in the thread
// of a card it is that card's incident.
func TestAcknowledgeWithoutANumber(t *testing.T) {
	for where, want := range map[string]string{
		general + ";messageid=17": "RH-7K2M · unpublished",
		general + ";messageid=99": "RH-OTHER: Acknowledged.",
	} {
		h := newHarness(t)
		h.incident(false)
		other := clone(h.engine.incs[h.incident(false).ID])
		other.ID, other.Ref, other.Key = "other", "RH-OTHER", "other"
		other.Cards = map[string]responsehub.CardRef{general: {Conversation: general + ";messageid=99", Activity: "99"}}
		first := h.engine.incs[h.incident(false).ID]
		first.Cards = nil
		h.engine.incs["other"] = other
		act := activity("message", annID)
		act["text"] = "<at>responsehub</at> ack"
		act["conversation"].(map[string]any)["id"] = where
		h.send(act)
		h.settle()
		posts := h.world.seen("POST")
		if len(posts) != 1 || !strings.Contains(mustJSON(posts[0].Body), want) {
			t.Errorf("in %s: %s, want %q", where, mustJSON(posts), want)
		}
	}
}

// TestInstall: the two events of an installation give the same channel in any order,
// and the team's other channels are learnt.
func TestInstall(t *testing.T) {
	install := activity("installationUpdate", annID)
	install["action"] = "add"
	install["conversation"] = map[string]any{"id": "19:new@thread.tacv2", "conversationType": "channel", "tenantId": tenant, "name": "Alarms"}
	install["channelData"] = map[string]any{
		"tenant": map[string]any{"id": tenant}, "team": map[string]any{"id": "19:team@thread.tacv2", "name": "SOC"},
		"settings": map[string]any{"selectedChannel": map[string]any{"id": "19:new@thread.tacv2"}},
	}
	update := activity("conversationUpdate", annID)
	update["conversation"] = install["conversation"]
	update["membersAdded"] = []any{map[string]any{"id": "28:" + appID}}
	update["channelData"] = map[string]any{
		"tenant": map[string]any{"id": tenant}, "team": map[string]any{"id": "19:team@thread.tacv2"}, "eventType": "teamMemberAdded",
		"settings": map[string]any{"selectedChannel": map[string]any{"id": "19:new@thread.tacv2"}},
	}
	for name, order := range map[string][]map[string]any{"install first": {install, update}, "update first": {update, install}} {
		h := newHarness(t)
		for _, act := range order {
			if w := h.send(act); w.Code != 200 || w.Body.Len() > 0 {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
			h.settle()
		}
		got, _ := h.dir.Channel("19:new@thread.tacv2")
		got.SeenAt = time.Time{}
		want := responsehub.Channel{V: 1, ID: "19:new@thread.tacv2", Name: "Alarms", TeamID: "19:team@thread.tacv2", TeamName: "SOC", TenantID: tenant, ServiceURL: service, BotID: "28:" + appID, Installed: true}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got): %s", name, d)
		}
		if second, ok := h.dir.Channel("19:second@thread.tacv2"); !ok || !second.Installed || second.ServiceURL != service {
			t.Errorf("%s: the team's second channel: %+v", name, second)
		}
	}
}

func TestRemoval(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(map[string]any)
		want bool // still installed
	}{
		{"installation removed", func(a map[string]any) { a["type"], a["action"] = "installationUpdate", "remove" }, false},
		{"bot removed", func(a map[string]any) { a["membersRemoved"] = []any{map[string]any{"id": "28:" + appID}} }, false},
		{"team deleted", func(a map[string]any) { a["channelData"].(map[string]any)["eventType"] = "teamDeleted" }, false},
		{"channel deleted", func(a map[string]any) { a["channelData"].(map[string]any)["eventType"] = "channelDeleted" }, false},
		{"somebody else removed", func(a map[string]any) { a["membersRemoved"] = []any{map[string]any{"id": "29:x"}} }, true},
		{"half of an upgrade", func(a map[string]any) { a["type"], a["action"] = "installationUpdate", "remove-upgrade" }, true},
		{"late news of an old removal", func(a map[string]any) {
			a["type"], a["action"], a["timestamp"] = "installationUpdate", "remove", time.Now().Add(-time.Hour).Format(time.RFC3339)
		}, true},
	} {
		h := newHarness(t)
		act := activity("conversationUpdate", annID)
		act["timestamp"] = time.Now().Add(time.Second).Format(time.RFC3339Nano)
		tc.edit(act)
		h.send(act)
		h.settle()
		if ch, _ := h.dir.Channel(general); ch.Installed != tc.want || (ch.Failure == "") != tc.want {
			t.Errorf("%s: %+v", tc.name, ch)
		}
	}
}

// TestHeard: the service address of a channel follows the latest verified activity.
func TestHeard(t *testing.T) {
	h := newHarness(t)
	ch := h.dir.channels[general]
	ch.ServiceURL, ch.Failure = "https://smba.trafficmanager.net/amer/", "blocked"
	h.dir.channels[general] = ch
	h.send(press(annID, "a1", "publish", about(h.incident(false))))
	if got := h.dir.channels[general]; got.ServiceURL != service || got.Failure != "" || got.Name != "General" {
		t.Errorf("channel: %+v", got)
	}
	puts := h.dir.puts
	h.send(press(annID, "a2", "lock", about(h.incident(false))))
	if h.dir.puts != puts {
		t.Error("every click is a write")
	}
}

// TestInstalledAgain: an installation puts the whole team in reach again, also the
// channels that Teams had refused since.
func TestInstalledAgain(t *testing.T) {
	h := newHarness(t)
	const second = "19:second@thread.tacv2"
	ch := h.dir.channels[general]
	ch.ID, ch.Name, ch.Failure = second, "Second", "An administrator has disabled the bot in Teams."
	h.dir.channels[second] = ch
	act := activity("installationUpdate", annID)
	act["action"] = "add"
	h.send(act)
	h.settle()
	if ch, _ := h.dir.Channel(second); ch.Failure != "" || !ch.Installed {
		t.Errorf("the second channel: %+v", ch)
	}
}
