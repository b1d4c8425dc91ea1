package connectwise

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub/sim/desk"
)

// ear takes callbacks and answers with the statuses given, then 204.
type ear struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	got      []heard
}

type heard struct {
	query, signature string
	body             []byte
}

func listen(t *testing.T, statuses ...int) *ear {
	e := &ear{statuses: statuses}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.got = append(e.got, heard{r.URL.RawQuery, r.Header.Get("x-content-signature"), body})
		status := http.StatusNoContent
		if len(e.statuses) > 0 {
			status, e.statuses = e.statuses[0], e.statuses[1:]
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(e.Close)
	return e
}

// wait returns what was heard once there are n.
func (e *ear) wait(t *testing.T, n int) []heard {
	t.Helper()
	for range 300 {
		e.mu.Lock()
		got := append([]heard(nil), e.got...)
		e.mu.Unlock()
		if len(got) >= n {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("fewer than %d events", n)
	return nil
}

func (s *site) register(url string) {
	s.t.Helper()
	body := `{"type":"ticket","level":"owner","objectId":1,"payloadVersion":"3.0.0","url":"` + url + `/psa/events?token=x&recordId="}`
	if status, raw := s.ask("POST", "system/callbacks", body); status != 201 || !strings.Contains(raw, `"memberId":150`) {
		s.t.Fatalf("%d %s", status, raw)
	}
	if status, raw := s.ask("POST", "system/callbacks", body); status != 400 || !strings.Contains(raw, `"ObjectExists"`) {
		s.t.Fatalf("twice: %d %s", status, raw)
	}
}

func TestCallbackIsSignedWithTheKeyAtItsAddress(t *testing.T) {
	s, e := newSite(t), listen(t)
	s.register(e.URL)
	id := s.ticket("RH-1")
	got := e.wait(t, 1)[0]
	if got.query != "token=x&recordId="+itoa(id)+"&action=added" {
		t.Errorf("query %s", got.query)
	}
	var body struct {
		Action, Entity, MemberId, MessageId, Type string
		ID                                        int
		Metadata                                  struct {
			KeyURL string `json:"key_url"`
		}
	}
	if err := json.Unmarshal(got.body, &body); err != nil {
		t.Fatal(err)
	}
	if body.ID != id || body.MemberId != "ResponseHub" || !strings.Contains(body.Entity, `"externalXRef":"RH-1"`) {
		t.Errorf("%+v", body)
	}
	where, ok := strings.CutPrefix(body.Metadata.KeyURL, "https://127.0.0.1:1")
	if !ok {
		t.Fatal(body.Metadata.KeyURL)
	}
	_, raw, _ := s.full("GET", where, "", func(r *http.Request) { r.Header.Del("Authorization") })
	var k struct {
		Key string `json:"signing_key"`
	}
	if err := json.Unmarshal([]byte(raw), &k); err != nil || sign(k.Key, got.body) != got.signature {
		t.Errorf("key %s does not sign: %v", raw, err)
	}
}

func TestCallbackIsRetriedOnFourAnswersOnly(t *testing.T) {
	for _, c := range []struct {
		status, attempts int
	}{{500, 1}, {404, 3}, {429, 3}, {302, 1}, {200, 1}} {
		s, e := newSite(t), listen(t, c.status, c.status, c.status)
		s.register(e.URL)
		s.ticket("RH-1")
		for d := s.sender.Deliveries(); len(d) == 0 || !d[0].Done; d = s.sender.Deliveries() {
			time.Sleep(5 * time.Millisecond)
		}
		if got := s.sender.Deliveries()[0].Attempts; got != c.attempts {
			t.Errorf("%d: %d attempts", c.status, got)
		}
	}
}

func TestFailingDaysSwitchACallbackOff(t *testing.T) {
	s := newSite(t)
	s.register("http://127.0.0.1:1")
	s.mu.Lock()
	h := s.hooks[0]
	s.failing[h.Int("id")] = []string{"2026-01-01", "2026-01-02"}
	s.mu.Unlock()
	s.settled(desk.Post{Queue: itoa(h.Int("id"))}, false)
	if st := s.Snapshot(); st.Hooks[0].Active {
		t.Error("still active after three days")
	}
}

func TestHostileEvents(t *testing.T) {
	s, e := newSite(t), listen(t)
	s.register(e.URL)
	id := s.ticket("RH-1")
	first := e.wait(t, 1)[0]
	for i, kind := range []string{"replay", "forged", "elsewhere", "reordered"} {
		if seen, err := s.Play(t.Context(), desk.Act{Do: "desk_event", Value: kind, Ticket: id}); err != nil || seen != "The hub answered 204." {
			t.Errorf("%s: %q %v", kind, seen, err)
		}
		got := e.wait(t, i+2)[i+1]
		if good := sign(s.keys[0].Secret, got.body) == got.signature; good != (kind == "replay") {
			t.Errorf("%s: signature good %t", kind, good)
		}
		if kind == "replay" && string(got.body) != string(first.body) {
			t.Error("the replay is another event")
		}
	}
}
