package receiver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"responsehub/sim/wire"
)

const (
	secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	other  = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
	event  = `{"type":"incident.opened","timestamp":"2026-11-23T03:00:00Z","data":{"incident":{"ref":"RH-7K2M"},"event":{"seq":1,"text":"Alert received"}}}`
)

// sign is done by the library of the specification's authors.
func sign(t testing.TB, key, id string, at time.Time, body string) http.Header {
	t.Helper()
	wh, err := webhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := wh.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	h.Set("webhook-signature", signature)
	return h
}

func post(s *Service, path string, h http.Header, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header = h
	rec := httptest.NewRecorder()
	s.Handler().ServeHTTP(rec, r)
	return rec
}

func TestWhatIsTakenAndWhatIsRefused(t *testing.T) {
	now := time.Now()
	with := func(h http.Header, name, value string) http.Header {
		h = h.Clone()
		h.Set(name, value)
		return h
	}
	good := sign(t, secret, "evt_1", now, event)
	for _, tt := range []struct {
		name   string
		header http.Header
		body   string
		want   int
	}{
		{"good", good, event, 200},
		{"the second of two secrets", sign(t, other, "evt_1", now, event), event, 200},
		{"the second of two signatures", with(good, "webhook-signature", "v1,AAAA "+good.Get("webhook-signature")), event, 200},
		{"not signed", http.Header{"Content-Type": {"application/json"}}, event, 401},
		{"a changed byte", good, strings.Replace(event, "7K2M", "7K2N", 1), 401},
		{"another id", with(good, "webhook-id", "evt_2"), event, 401},
		{"a foreign secret", sign(t, "whsec_"+strings.Repeat("QUFB", 11), "evt_1", now, event), event, 401},
		{"five minutes old", sign(t, secret, "evt_1", now.Add(-6*time.Minute), event), event, 401},
		{"of the future", sign(t, secret, "evt_1", now.Add(6*time.Minute), event), event, 401},
		{"no timestamp", with(good, "webhook-timestamp", "now"), event, 401},
		{"no JSON", sign(t, secret, "evt_1", now, "x"), "x", 400},
		{"another shape", sign(t, secret, "evt_1", now, "{}"), "{}", 400},
		{"another type", with(good, "Content-Type", "text/plain"), event, 400},
	} {
		s := New(Config{})
		if rec := post(s, "/receiver/hook/siem", tt.header, tt.body); rec.Code != 401 {
			t.Errorf("%s: %d without a secret", tt.name, rec.Code)
		}
		s.Trust("siem", secret, other)
		if rec := post(s, "/receiver/hook/siem", tt.header, tt.body); rec.Code != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, rec.Code, rec.Body, tt.want)
		}
		if got := s.Snapshot().Hooks[0]; len(got.Events) != map[bool]int{true: 1}[tt.want == 200] || len(got.Secrets) > 0 {
			t.Errorf("%s: kept %+v", tt.name, got)
		}
	}
}

func TestACopyIsNoSecondEvent(t *testing.T) {
	log := wire.NewLog()
	s := New(Config{Log: log})
	s.Trust("siem", secret)
	later := strings.Replace(event, `"ref"`, `"state":"active","ref"`, 1) // the incident moved on, the event did not
	for i, body := range []string{event, event, later} {
		if rec := post(s, "/receiver/hook/siem", sign(t, secret, "evt_1", time.Now().Add(time.Duration(i)*time.Second), body), body); rec.Code != 200 {
			t.Errorf("%d: %s", rec.Code, rec.Body)
		}
	}
	if len(log.UnexpectedAll()) > 0 || len(log.Effects()) != 1 {
		t.Errorf("unexpected %q, effects %v", log.UnexpectedAll(), log.Effects())
	}
	changed := strings.Replace(event, "Alert received", "Something else", 1)
	if rec := post(s, "/receiver/hook/siem", sign(t, secret, "evt_1", time.Now(), changed), changed); rec.Code != 409 || len(log.UnexpectedAll()) != 1 {
		t.Errorf("another event under the id: %d, unexpected %q", rec.Code, log.UnexpectedAll())
	}
	raw, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(Config{}, raw)
	if err != nil {
		t.Fatal(err)
	}
	if rec := post(again, "/receiver/hook/siem", sign(t, secret, "evt_1", time.Now(), event), event); rec.Code != 200 || again.Snapshot().Hooks[0].Events[0].Copies != 4 {
		t.Errorf("after a restart: %d %+v", rec.Code, again.Snapshot())
	}
}

func TestSlackRefusesWhatSlackRefuses(t *testing.T) {
	section := func(n, chars int, kind string) string {
		one := `{"type":"` + kind + `","text":{"type":"` + map[bool]string{true: "plain_text", false: "mrkdwn"}[kind == "header"] + `","text":"` + strings.Repeat("x", chars) + `"}}`
		return `{"text":"t","blocks":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
	}
	for _, tt := range []struct {
		name, path, media, body string
		status                  int
		word                    string
	}{
		{"a text", SlackPath, "application/json", `{"text":"hello"}`, 200, "ok"},
		{"a form", SlackPath, "application/x-www-form-urlencoded", "payload=%7B%22text%22%3A%22hello%22%7D", 200, "ok"},
		{"the longest blocks", SlackPath, "application/json", section(50, 3000, "section"), 200, "ok"},
		{"no JSON", SlackPath, "application/json", "hello", 400, "invalid_payload"},
		{"no text", SlackPath, "application/json", "{}", 400, "no_text"},
		{"another webhook", strings.Replace(SlackPath, "B0SIM", "B0OLD", 1), "application/json", `{"text":"hello"}`, 404, "no_service"},
		{"too many blocks", SlackPath, "application/json", section(51, 1, "section"), 400, "invalid_blocks"},
		{"a long section", SlackPath, "application/json", section(1, 3001, "section"), 400, "invalid_blocks"},
		{"a long header", SlackPath, "application/json", section(1, 151, "header"), 400, "invalid_blocks"},
		{"an empty section", SlackPath, "application/json", section(1, 0, "section"), 400, "invalid_blocks"},
	} {
		s := New(Config{})
		if rec := post(s, tt.path, http.Header{"Content-Type": {tt.media}}, tt.body); rec.Code != tt.status || rec.Body.String() != tt.word {
			t.Errorf("%s: %d %s, want %d %s", tt.name, rec.Code, rec.Body, tt.status, tt.word)
		}
	}
	log := wire.NewLog()
	s := New(Config{Log: log})
	for range burst {
		post(s, SlackPath, http.Header{}, `{"text":"\u003c!channel> look"}`)
	}
	rec := post(s, SlackPath, http.Header{}, `{"text":"hello"}`)
	if rec.Code != 429 || rec.Header().Get("Retry-After") != "1" || len(s.Snapshot().Slack) != burst {
		t.Errorf("the sixth within a second: %d, Retry-After %q", rec.Code, rec.Header().Get("Retry-After"))
	}
	if len(log.UnexpectedAll()) != burst {
		t.Errorf("mentions are not found out: %q", log.UnexpectedAll())
	}
}

// FuzzHook looks for a delivery that is taken without the secret.
func FuzzHook(f *testing.F) {
	f.Add("evt_1", "1790000000", "v1,AAAA", []byte(event))
	f.Add("", "", "", []byte("{}"))
	f.Add("a.b", "-1", "v1a,x v1,", []byte(nil))
	f.Fuzz(func(t *testing.T, id, at, signature string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {signature}}
		if verify([]string{secret}, h, body, time.Unix(1790000000, 0)) == nil {
			t.Errorf("%q %q %q verifies", id, at, signature)
		}
	})
}
