package bot

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/quick"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
)

// FuzzActivity: whatever stands in a verified activity, the bot answers one of a few
// statuses, asks the engine only for steps of its own incident, and posts only to the
// service address of the activity.
func FuzzActivity(f *testing.F) {
	h := &harness{}
	seed := func(act map[string]any) {
		b, _ := json.Marshal(act)
		f.Add(b)
	}
	data := map[string]any{"incident": "01JD0000000000000000000000", "step": "publish", "round": "0"}
	seed(press(annID, "a1", "publish", data))
	seed(press(annID, "a1", "persistence", map[string]any{"incident": "01JD0000000000000000000000", "items": "a,b", "skip": "true", "chosen": "true", "reason": "r", "action": "delete"}))
	seed(activity("message", annID))
	install := activity("installationUpdate", annID)
	install["action"] = "add"
	seed(install)
	update := activity("conversationUpdate", annID)
	update["membersRemoved"] = []any{map[string]any{"id": "28:" + appID}}
	seed(update)
	f.Add([]byte(`{"type":"invoke","id":"1","name":"task/fetch","value":{"data":{"verb":"reveal","incident":"x","msteams":[]}}}`))
	f.Add([]byte(`{"type":"message","text":"<at>x</at> incident RH-7K2M","value":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h = newHarness(t)
		h.incident(false)
		var act schema.Activity
		if json.Unmarshal(body, &act) != nil {
			return
		}
		act.ChannelID, act.ServiceURL = channel, service
		status, answer := h.bot.act(t.Context(), &act)
		h.settle()
		switch status {
		case http.StatusOK, http.StatusBadRequest, http.StatusNotImplemented:
		default:
			t.Errorf("status %d", status)
		}
		if answer != nil {
			if _, err := encode(answer); err != nil {
				t.Errorf("answer: %v", err)
			}
		}
		for _, c := range h.world.seen("") {
			if c.Host != "smba.trafficmanager.net" {
				t.Errorf("called %s", c.Host)
			}
		}
	})
}

// FuzzToken: no header but a signed one is believed, and none makes the check panic.
func FuzzToken(f *testing.F) {
	f.Add("Bearer a.b.c")
	f.Add("Bearer eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30.")
	f.Add("Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJhdWQiOltdfQ.AAAA")
	f.Add("")
	f.Fuzz(func(t *testing.T, header string) {
		h := newHarness(t)
		act := schema.Activity{ChannelID: channel, ServiceURL: service}
		err := h.bot.validator.check(t.Context(), &act, header)
		if err == nil {
			t.Fatalf("believed %q", header)
		}
		if id, err := (checked{h.bot.validator}).AuthenticateRequest(t.Context(), act, header, nil, ""); id != nil || err == nil {
			t.Fatalf("the library would believe %q", header)
		}
	})
}

// FuzzData: a button's data is read or refused, and what is read is bounded.
func FuzzData(f *testing.F) {
	f.Add([]byte(`{"incident":"x","items":"a,b,,a","skip":"true","reason":" r "}`))
	f.Add([]byte(`{"incident":1}`))
	f.Add([]byte(`{"msteams":{"type":"task/fetch"},"verb":"reveal"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var data map[string]any
		if json.Unmarshal(doc, &data) != nil {
			return
		}
		c, err := readData(data)
		if err != nil {
			return
		}
		if len(c.items) > maxItems || len(c.incident) > maxName || len(c.reason) > 4*responsehub.MaxReason {
			t.Errorf("read %+v", c)
		}
		c.request("x")
	})
}

// FuzzConnector: no answer of the connector makes the client panic or print it.
func FuzzConnector(f *testing.F) {
	f.Add(201, "3", []byte(`{"id":"19:x;messageid=1","activityId":"1"}`))
	f.Add(429, "Wed, 21 Oct 2026 07:28:00 GMT", []byte(`<html>`))
	f.Add(403, "-1", []byte(`{"error":{"code":"InvalidBotApiHost"}}`))
	f.Fuzz(func(t *testing.T, status int, wait string, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		h := newHarness(t)
		h.world.respond = func(call) (int, http.Header, string) {
			return status, http.Header{"Retry-After": {wait}}, string(body)
		}
		p, err := h.bot.client.thread(t.Context(), h.dir.channels[general], attached([]byte(`{}`), "s"))
		if err == nil && (!validID(p.Conversation) || !validID(p.Activity)) {
			t.Errorf("accepted %+v", p)
		}
	})
}

// FuzzIDs: an id that is accepted stays one segment of the path.
func FuzzIDs(f *testing.F) {
	f.Add("19:x@thread.tacv2;messageid=17")
	f.Add("../../admin")
	f.Fuzz(func(t *testing.T, id string) {
		if !validID(id) {
			return
		}
		req, err := http.NewRequest(http.MethodGet, address(service, "conversations", id, "activities"), nil)
		if err != nil || req.URL.Path != "/emea/v3/conversations/"+id+"/activities" || req.URL.RawQuery != "" || req.URL.Fragment != "" {
			t.Errorf("%q: %v %v", id, req, err)
		}
	})
}

// TestSameAddress: the comparison ignores case and a trailing slash, nothing else.
func TestSameAddress(t *testing.T) {
	same := func(s string) bool { return sameAddress(s, s+"/") && !sameAddress(s+"x", s) }
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}
