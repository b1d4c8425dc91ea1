package teams

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// restart replaces the bench's service by one restored from it, as a new process would have it.
func (b *bench) restart() {
	b.Helper()
	raw, err := b.svc.Save()
	if err != nil {
		b.Fatal(err)
	}
	cfg := b.svc.cfg
	cfg.Channels = cfg.Channels[:1:1]
	restored, err := Restore(cfg, raw)
	if err != nil {
		b.Fatal(err)
	}
	if raw2, err := restored.Save(); err != nil || !bytes.Equal(raw, raw2) {
		b.Errorf("saved again it is something else (%v):\n%s", err, cmp.Diff(string(raw), string(raw2)))
	}
	b.svc = restored
	b.handler.Store(http.StripPrefix("/teams", restored.Handler()))
}

func (b *bench) shown() string {
	b.Helper()
	st := b.svc.Snapshot()
	st.Sent = nil // a ledger, it begins anew
	raw, err := json.Marshal(st)
	if err != nil {
		b.Fatal(err)
	}
	return string(raw)
}

func TestRestoredCardsCanBeClickedAndUpdated(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	conv, id := b.post(lockCard)
	_, gone := b.post(lockCard)
	b.call("DELETE", b.activityPath(conv[:strings.Index(conv, ";")], gone), "")
	if _, err := b.svc.Say(t.Context(), "bob", "", "", "<hello> & \u2028"); err != nil {
		t.Fatal(err)
	}
	b.bot.answer(func(map[string]any) (int, string) { return 200, executeAnswer(lockCard) })
	b.click(Press{Person: "ann", Activity: id, Verb: "lock"})
	for range keptVersions + 3 {
		b.call("PUT", b.activityPath(conv, id), withCard(lockCard))
	}
	b.click(Press{Person: "ann", Activity: id, Verb: "lock"})
	b.bot.answer(func(map[string]any) (int, string) {
		return 200, `{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":"Ann was first."}`
	})
	b.click(Press{Person: "bob", Activity: id, Verb: "lock"})
	if err := b.svc.RollKeys(); err != nil {
		t.Fatal(err)
	}

	before := b.shown()
	b.restart()
	if diff := cmp.Diff(before, b.shown()); diff != "" {
		t.Errorf("the restored Teams differs:\n%s", diff)
	}
	if !strings.Contains(before, "Ann was first.") || !strings.Contains(before, `"views"`) {
		t.Errorf("the story lacks a notice or a view: %s", before)
	}
	// The bot verifies every token by the published keys, so a 200 says that they are the old ones.
	for _, key := range []string{"", "previous"} {
		if out := b.click(Press{Person: "mallory", Activity: id, Verb: "lock", Tamper: Tamper{Key: key}}); out.Status != 200 {
			t.Errorf("click with key %q: %+v", key, out)
		}
	}
	if out := b.click(Press{Person: "mallory", Activity: id, Verb: "lock", Tamper: Tamper{Key: "unrelated"}}); out.Status != 401 {
		t.Errorf("click with a foreign key: %+v", out)
	}
	b.click(Press{Person: "bob", Activity: id, Verb: "lock", Stale: keptVersions - 1})
	if _, err := b.svc.Click(t.Context(), Press{Person: "bob", Activity: id, Verb: "lock", Stale: keptVersions}); err == nil {
		t.Error("a state older than those kept can be pressed")
	}
	b.bot.answer(func(map[string]any) (int, string) { return 200, executeAnswer(lockedCard) })
	if out := b.click(Press{Person: "bob", Activity: id, Verb: "lock"}); !out.Replaced || b.cardFor("bob", id) != lockedCard {
		t.Errorf("a click does not change the restored card: %+v", out)
	}
	if status, _, body := b.call("PUT", b.activityPath(conv, id), withCard(lockedCard)); status != 200 || b.cardFor("mallory", id) != lockedCard {
		t.Errorf("PUT on a restored card: %d %s", status, body)
	}
	if status, _, _ := b.call("PUT", b.activityPath(channel, gone), withCard(lockedCard)); status != 404 {
		t.Errorf("PUT on a deleted card: %d", status)
	}
	if _, fresh := b.post(lockCard); fresh <= gone {
		t.Errorf("new id %s after %s", fresh, gone)
	}
	if u := b.log.UnexpectedAll(); len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
}

func TestRestoreRefusesHalves(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	b.post(lockCard)
	raw, err := b.svc.Save()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"cut", string(raw[len(raw)-1:]), "", "unexpected end"},
		{"no key", `"current":{`, `"present":{`, "current key is missing"},
		{"half a key", `"key":"MII`, `"key":"MAA`, "key: "},
		{"odd conversation", `"kind":"channel"`, `"kind":"tunnel"`, "kind"},
		{"message without id", `"messages":[{"id":"`, `"messages":[{"di":"`, "empty"},
	} {
		bad := strings.Replace(string(raw), tt.old, tt.new, 1)
		if tt.name == "cut" {
			bad = string(raw[:len(raw)-1])
		}
		if bad == string(raw) {
			t.Fatalf("%s: the save holds no %s", tt.name, tt.old)
		}
		if _, err := Restore(b.svc.cfg, []byte(bad)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
