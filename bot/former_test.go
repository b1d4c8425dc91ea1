package bot

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// past adds a closed incident of an account to the engine, with a card in the channel.
func (l *lane) past(id, key string, closed time.Duration) *responsehub.Incident {
	old := clone(l.inc)
	old.ID, old.Ref, old.Key, old.State, old.ClosedAt = id, "RH-"+strings.ToUpper(id), key, responsehub.Remediated, time.Now().Add(-closed)
	old.Cards = map[string]responsehub.CardRef{general: {Conversation: general + ";messageid=42" + id, Activity: "42" + id}}
	l.engine.mu.Lock()
	defer l.engine.mu.Unlock()
	l.engine.incs[id] = old
	return old
}

// TestResumedThread: what begins again goes on in the thread of the incident that was
// closed last, with its name; others of the tenant and old ones have no part in it.
func TestResumedThread(t *testing.T) {
	bubble(t, func(l *lane) {
		l.past("older", l.inc.Key, 50*time.Hour)
		l.past("last", l.inc.Key, 20*time.Hour)
		l.past("else", "another account", time.Hour)
		l.run(time.Minute)
		ref := l.inc.Cards[general]
		if ref.Conversation != general+";messageid=42last" || ref.Activity == "" || ref.Activity == "42last" {
			t.Fatalf("the card is %+v", ref)
		}
		posts := l.world.seen("POST")
		if len(posts) != 1 || !strings.Contains(mustJSON(posts[0].Body), "RH-LAST") || !strings.Contains(mustJSON(posts[0].Body), "the same account, remediated") {
			t.Errorf("%d posts; the first does not name the former incident", len(posts))
		}
		l.write(locked)
		l.run(time.Minute)
		if got := l.replies(); len(got) != 1 || !strings.Contains(got[0], "is locked") {
			t.Errorf("replies %q", got)
		}
	})
}

func TestNotResumed(t *testing.T) {
	bubble(t, func(l *lane) {
		l.past("old", l.inc.Key, 8*24*time.Hour)
		l.run(time.Minute)
		if ref := l.inc.Cards[general]; l.inc.Former != nil || ref.Conversation != general+";messageid="+ref.Activity {
			t.Errorf("the card of an account whose last incident was long ago is %+v", ref)
		}
	})
}

// TestResumedThreadIsGone: a thread that was deleted gives way to a new one, once.
func TestResumedThreadIsGone(t *testing.T) {
	bubble(t, func(l *lane) {
		l.past("last", l.inc.Key, time.Hour)
		l.world.respond = func(c call) (int, http.Header, string) {
			if strings.Contains(c.Path, "messageid=42last") {
				return http.StatusNotFound, nil, `{"error":{"code":"ConversationNotFound"}}`
			}
			return 0, nil, ""
		}
		l.run(time.Minute)
		ref := l.inc.Cards[general]
		if ref.Activity == "" || ref.Conversation != general+";messageid="+ref.Activity || l.inc.Former == nil {
			t.Errorf("the card is %+v, the former incident %+v", ref, l.inc.Former)
		}
	})
}
