package bot

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/bot/card"
)

const (
	asMessage = "application/vnd.microsoft.activity.message"
	asCard    = "application/vnd.microsoft.card.adaptive"
)

// reply is what Teams reads of an answer to a click.
type reply struct {
	StatusCode int             `json:"statusCode"`
	Type       string          `json:"type"`
	Value      json.RawMessage `json:"value"`
}

func read(t testing.TB, w *httptest.ResponseRecorder) reply {
	t.Helper()
	var r reply
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 200 || r.StatusCode != 200 || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("answer %d %q %v", w.Code, w.Body, err)
	}
	return r
}

func (r reply) says(words string) bool { return strings.Contains(string(r.Value), words) }

func TestClick(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(false)
	r := read(t, h.send(press(annID, "a1", "publish", map[string]any{"incident": inc.ID, "step": "publish", "round": "0"})))
	if r.Type != asCard || !r.says("The incident is published") || !r.says("1 Revoke sessions and lock account") || r.says("Publish Incident") {
		t.Errorf("answer: %s %s", r.Type, r.Value)
	}
	if h.engine.incs[inc.ID].State != responsehub.Active || h.engine.asked[0].CommandID != "teams:a1" {
		t.Errorf("engine: %v, %v", h.engine.incs[inc.ID].State, h.engine.asked)
	}
	if by := h.engine.incs[inc.ID].Step(responsehub.Publish).RequestedBy; by != (responsehub.By{ID: "person:ann", Name: "Ann", Via: responsehub.ViaTeams}) {
		t.Errorf("asked by %v", by)
	}
}

// TestTwoClickers: one effect, and both read who was first.
func TestTwoClickers(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(false)
	h.send(press(annID, "a0", "publish", about(inc)))
	var wg sync.WaitGroup
	replies := make([]*httptest.ResponseRecorder, 20)
	bodies := make([]string, len(replies))
	for i := range replies {
		from := []string{annID, bobID}[i%2]
		b, _ := json.Marshal(press(from, "b"+string(rune('a'+i)), "lock", map[string]any{"incident": inc.ID, "step": "lock", "round": "0"}))
		bodies[i] = string(b)
	}
	token := h.key.sign(t, goodClaims())
	for i := range replies {
		wg.Go(func() { replies[i] = h.post(bodies[i], token) })
	}
	wg.Wait()
	first := h.engine.incs[inc.ID].Step(responsehub.Lock).RequestedBy.Name
	started := 0
	for _, w := range replies {
		r := read(t, w)
		if r.Type != asCard {
			t.Errorf("answer: %s", r.Value)
		}
		if r.says("lock account: started.") {
			started++
		} else if !r.says("was started by " + first) {
			t.Errorf("the second is not told who was first: %.200s", r.Value)
		}
	}
	if s := h.engine.incs[inc.ID].Step(responsehub.Lock); started != 1 || s.Round != 1 {
		t.Errorf("%d started, round %d", started, s.Round)
	}
}

// TestReplay: the same activity delivered twice has the effect of once and gets the
// first answer again.
func TestReplay(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(false)
	one := read(t, h.send(press(annID, "a1", "publish", about(inc))))
	two := read(t, h.send(press(annID, "a1", "publish", about(inc))))
	if d := cmp.Diff(string(one.Value), string(two.Value)); d != "" {
		t.Errorf("second answer differs: %s", d)
	}
	if n := h.engine.incs[inc.ID].Step(responsehub.Publish).Round; n != 1 {
		t.Errorf("published %d times", n)
	}
}

// TestRefusals: everything that is refused changes nothing, is told to the clicker
// alone, and is in the record where somebody tried what they may not.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name  string
		from  string
		verb  string
		data  map[string]any
		edit  func(act map[string]any)
		says  string
		noted bool
	}{
		{name: "stranger", from: "dddddddd-0000-4000-8000-000000000009", says: "not on this hub's list", noted: true},
		{name: "nobody", from: "", says: "not on this hub's list", noted: true},
		{name: "reader", from: ritaID, says: "Your role (reader)", noted: true},
		{name: "guest of another tenant", from: guestID, says: "not among your tenants", noted: true},
		{name: "shut gate", from: annID, verb: "lock", says: "Press Publish Incident first", noted: true},
		{name: "no tenant named", from: annID, edit: func(a map[string]any) {
			delete(a["conversation"].(map[string]any), "tenantId")
			delete(a, "channelData")
		}, says: "not on this hub's list", noted: true},
		{name: "foreign message", from: annID, edit: func(a map[string]any) { a["replyToId"] = "99" }, says: "not the live card", noted: true},
		{name: "no message", from: annID, edit: func(a map[string]any) { delete(a, "replyToId") }, says: "not the live card", noted: true},
		{name: "foreign conversation", from: annID, edit: func(a map[string]any) {
			a["conversation"].(map[string]any)["id"] = "19:other@thread.tacv2;messageid=17"
		}, says: "not the live card", noted: true},
		{name: "unknown incident", from: annID, data: map[string]any{"incident": "01JX"}, says: "not known to the hub"},
		{name: "incident by its ref", from: annID, data: map[string]any{"incident": "RH-7K2M"}, says: "button is not known"},
		{name: "no incident", from: annID, data: map[string]any{"step": "publish"}, says: "button is not known"},
		{name: "unknown verb", from: annID, verb: "format", says: "button is not known"},
		{name: "reveal is no step", from: annID, verb: "reveal", says: "button is not known"},
		{name: "verb and step differ", from: annID, data: map[string]any{"incident": "01JD0000000000000000000000", "step": "lock"}, says: "button is not known"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHarness(t)
			inc := h.incident(false)
			before := mustJSON(inc)
			if tc.data == nil {
				tc.data = about(inc)
			}
			if tc.verb == "" {
				tc.verb = "publish"
			}
			act := press(tc.from, "a1", tc.verb, tc.data)
			if tc.edit != nil {
				tc.edit(act)
			}
			r := read(t, h.send(act))
			h.settle()
			if r.Type != asMessage || !r.says(tc.says) {
				t.Errorf("answer: %s %.300s", r.Type, r.Value)
			}
			if d := cmp.Diff(before, mustJSON(h.engine.incs[inc.ID])); d != "" {
				t.Errorf("the incident changed: %s", d)
			}
			if got := len(h.engine.noted) == 1 && h.engine.noted[0].Kind == responsehub.EventRefused; got != tc.noted {
				t.Errorf("noted: %v", h.engine.noted)
			}
			if n := len(h.world.seen("")); n > 0 {
				t.Errorf("%d messages were posted about a refusal", n)
			}
		})
	}
}

func TestStaleCard(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(true)
	s := inc.Step(responsehub.Lock)
	s.State, s.Reason, s.Round = responsehub.Failed, "No right.", 2
	r := read(t, h.send(press(annID, "a1", "lock", map[string]any{"incident": inc.ID, "step": "lock", "round": "1"})))
	if r.Type != asCard || !r.says("older than the incident") || len(h.engine.asked) != 0 {
		t.Errorf("an old card ran a step: %.200s", r.Value)
	}
	r = read(t, h.send(press(annID, "a2", "lock", map[string]any{"incident": inc.ID, "step": "lock", "round": "2"})))
	if !r.says("started") {
		t.Errorf("a fresh card did not: %.200s", r.Value)
	}
}

// A person's word that the on-premises part is done.
func TestTick(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(true)
	inc.AddTodo("ad-disable", "In on-premises AD: Disable-ADAccount pat")
	h.engine.incs[inc.ID] = inc
	data := map[string]any{"incident": inc.ID, "todo": "ad-disable"}
	for _, tc := range []struct {
		name, from string
		data       map[string]any
		says       string
		done       bool
	}{
		{"reader", ritaID, data, "Your role (reader)", false},
		{"no such to-do", annID, map[string]any{"incident": inc.ID, "todo": "nothing"}, "nothing to do called", false},
		{"none named", annID, map[string]any{"incident": inc.ID}, "button is not known", false},
		{"with a step", annID, map[string]any{"incident": inc.ID, "todo": "ad-disable", "step": "lock"}, "button is not known", false},
		{"ann", annID, data, "Noted as done", true},
		{"ann again", annID, data, "said at", true},
	} {
		r := read(t, h.send(press(tc.from, "a-"+tc.name, "todo", tc.data)))
		h.settle()
		if got := h.engine.incs[inc.ID].Todo("ad-disable").Done(); !r.says(tc.says) || got != tc.done {
			t.Errorf("%s: done %t, answer %.300s", tc.name, got, r.Value)
		}
	}
}

func TestItems(t *testing.T) {
	one := responsehub.ItemID(responsehub.InboxRule, "r1")
	for _, tc := range []struct {
		name, verb string
		data       map[string]any
		want       responsehub.StepRequest
		says       string
	}{
		{"some", "persistence", map[string]any{"chosen": "true", "items": one, "action": "delete", "reason": "", "sure": "true"}, responsehub.StepRequest{Items: []string{one}, Action: "delete"}, "started"},
		{"set aside", "persistence", map[string]any{"chosen": "true", "skip": "true", "items": one + ", " + one, "action": "disable", "reason": " ours "}, responsehub.StepRequest{Items: []string{one}, Skip: true, Reason: "ours"}, "Set aside"},
		{"none chosen is not all", "persistence", map[string]any{"chosen": "true", "skip": "true", "items": "", "reason": "x"}, responsehub.StepRequest{}, "at least one"},
		{"other step leaves the shared inputs", "lock", map[string]any{"skip": "true", "items": one, "action": "disable", "reason": "by hand"}, responsehub.StepRequest{Skip: true, Reason: "by hand"}, "set aside"},
		{"reset by hand", "password", map[string]any{"done": "true", "action": "disable", "reason": "in AD"}, responsehub.StepRequest{Done: true, Reason: "in AD"}, "Noted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHarness(t)
			inc := h.incident(true)
			for _, id := range []responsehub.StepID{responsehub.Persistence, responsehub.Lock} {
				inc.Step(id).State = responsehub.Failed
			}
			if tc.want.Done {
				inc.Step(responsehub.Persistence).State, inc.Step(responsehub.Persistence).Items = responsehub.Done, nil
			}
			maps.Copy(tc.data, about(inc))
			r := read(t, h.send(press(annID, "a1", tc.verb, tc.data)))
			if !r.says(tc.says) {
				t.Errorf("answer: %.300s", r.Value)
			}
			if tc.want.Reason == "" && tc.want.Items == nil {
				if len(h.engine.asked) > 0 {
					t.Errorf("asked: %v", h.engine.asked)
				}
				return
			}
			tc.want.CommandID = "teams:a1"
			if d := cmp.Diff([]responsehub.StepRequest{tc.want}, h.engine.asked); d != "" {
				t.Errorf("asked (-want +got): %s", d)
			}
		})
	}
}

// TestMalformed: what no card of ours can send is a 400.
func TestMalformed(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(false)
	for name, edit := range map[string]func(a map[string]any){
		"no id":              func(a map[string]any) { delete(a, "id") },
		"no value":           func(a map[string]any) { delete(a, "value") },
		"action is a string": func(a map[string]any) { a["value"] = map[string]any{"action": "x"} },
		"other action type": func(a map[string]any) {
			a["value"].(map[string]any)["action"].(map[string]any)["type"] = "Action.Submit"
		},
		"verb is a number": func(a map[string]any) { a["value"].(map[string]any)["action"].(map[string]any)["verb"] = 1 },
		"data is a string": func(a map[string]any) { a["value"].(map[string]any)["action"].(map[string]any)["data"] = "x" },
		"trigger is odd":   func(a map[string]any) { a["value"].(map[string]any)["trigger"] = 1 },
		"data of a number": func(a map[string]any) {
			a["value"].(map[string]any)["action"].(map[string]any)["data"] = map[string]any{"incident": inc.ID, "round": 1}
		},
		"data unknown": func(a map[string]any) {
			a["value"].(map[string]any)["action"].(map[string]any)["data"] = map[string]any{"incident": inc.ID, "role": "admin"}
		},
		"data too long": func(a map[string]any) {
			a["value"].(map[string]any)["action"].(map[string]any)["data"] = map[string]any{"incident": strings.Repeat("x", 200)}
		},
		"reveal without data": func(a map[string]any) { a["name"] = "task/fetch" },
	} {
		act := press(annID, "a1", "publish", about(inc))
		edit(act)
		if w := h.send(act); w.Code != 400 || w.Body.Len() > 0 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	act := press(annID, "a1", "publish", about(inc))
	act["name"] = "composeExtension/query"
	if w := h.send(act); w.Code != 501 {
		t.Errorf("unknown invoke: %d", w.Code)
	}
	if len(h.engine.asked) > 0 {
		t.Errorf("asked: %v", h.engine.asked)
	}
}

// TestAutomatic: a client that refreshes by itself is not a click.
func TestAutomatic(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(false)
	act := press(ritaID, "a1", "publish", about(inc))
	act["value"].(map[string]any)["trigger"] = "automatic"
	if r := read(t, h.send(act)); r.Type != asCard || len(h.engine.asked) > 0 {
		t.Errorf("answer %s, asked %v", r.Type, h.engine.asked)
	}
}

// TestSlowEngine: Teams is answered in time, and honestly.
func TestSlowEngine(t *testing.T) {
	newSigner("k1")
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		inc := h.incident(false)
		h.engine.slow = time.Minute
		start := time.Now()
		r := read(t, h.send(press(annID, "a1", "publish", about(inc))))
		if took := time.Since(start); took > 3*time.Second || r.Type != asMessage || !r.says("may have been taken") {
			t.Errorf("after %s: %s", took, r.Value)
		}
	})
}

func fetch(from string, inc *responsehub.Incident) map[string]any {
	a := press(from, "a1", "", nil)
	a["name"] = "task/fetch"
	a["value"] = map[string]any{"context": map[string]any{"theme": "default"}, "data": map[string]any{"msteams": map[string]any{"type": "task/fetch"}, "verb": "reveal", "incident": inc.ID}}
	return a
}

func TestReveal(t *testing.T) {
	const password = "pa*ss_[word](x)"
	h := newHarness(t)
	inc := h.incident(true)
	h.engine.password = password
	type dialog struct {
		Task struct {
			Type  string
			Value json.RawMessage
		}
	}
	open := func(from string, edit func(map[string]any)) dialog {
		t.Helper()
		act := fetch(from, inc)
		if edit != nil {
			edit(act)
		}
		w := h.send(act)
		var d dialog
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 {
			t.Fatal(w.Code, w.Body, err)
		}
		return d
	}
	if d := open(bobID, nil); d.Task.Type != "message" || !strings.Contains(string(d.Task.Value), "Only Ann") {
		t.Errorf("to another: %s", d.Task.Value)
	}
	if d := open(annID, func(a map[string]any) { a["replyToId"] = "9" }); d.Task.Type != "message" || !strings.Contains(string(d.Task.Value), "live card") {
		t.Errorf("from a foreign card: %s", d.Task.Value)
	}
	var shown struct {
		Title string
		Card  struct {
			ContentType string
			Content     json.RawMessage
		}
	}
	d := open(annID, nil)
	if err := json.Unmarshal(d.Task.Value, &shown); err != nil || d.Task.Type != "continue" || shown.Card.ContentType != card.ContentType || !strings.Contains(string(shown.Card.Content), password) {
		t.Errorf("to who asked: %s %s", d.Task.Type, d.Task.Value)
	}
	if d := open(annID, nil); d.Task.Type != "message" || !strings.Contains(string(d.Task.Value), "shown already") {
		t.Errorf("a second time: %s", d.Task.Value)
	}
	h.settle()
	if len(h.engine.noted) != 3 {
		t.Errorf("noted: %v", h.engine.noted)
	}
	for what, text := range map[string]string{"log": h.log.String(), "record": mustJSON(h.engine.noted), "channel": mustJSON(h.world.seen(""))} {
		if strings.Contains(text, "pa*ss") {
			t.Errorf("the %s holds the password", what)
		}
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestOldClient: an Action.Submit comes as a message; the same rules hold, and the
// answer goes to the person's own chat.
func TestOldClient(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(false)
	act := activity("message", annID)
	act["replyToId"], act["value"] = "17", map[string]any{"verb": "publish", "incident": inc.ID, "step": "publish", "round": "0"}
	if w := h.send(act); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	h.settle()
	if h.engine.incs[inc.ID].State != responsehub.Active {
		t.Error("not published")
	}
	act["from"] = map[string]any{"id": "29:x", "aadObjectId": ritaID}
	act["id"] = "a2"
	h.send(act)
	h.settle()
	calls := h.world.seen("POST")
	if len(calls) != 4 || !strings.HasSuffix(calls[3].Path, "/conversations/a:personal/activities") || !strings.Contains(mustJSON(calls[3].Body), "Your role (reader)") {
		t.Errorf("calls: %s", mustJSON(calls))
	}
}
