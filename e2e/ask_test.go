package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/intake"
	"responsehub/remediation"
	"responsehub/sim/tenant"
	"responsehub/store"
)

// patience bounds every wait of a story. It is far above what the hub needs: a killed
// worker's lease is 10 s, a card is drawn every 2 s, and the machine may be busy.
const patience = 60 * time.Second

// until polls for a condition.
func (s *stage) until(what string, ok func() bool) {
	s.Helper()
	s.within(patience, what, ok)
}

func (s *stage) within(most time.Duration, what string, ok func() bool) {
	s.Helper()
	for end := time.Now().Add(most); ; {
		if ok() {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("waited %s in vain until %s", most, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// reply is an answer of the hub.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) String() string { return fmt.Sprintf("%d %s", r.status, r.body) }

func (r reply) decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("answer %s: %v", r, err)
	}
}

// try sends a request; err is for a hub that is not there.
func (s *stage) try(method, path string, header http.Header, body []byte) (reply, error) {
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	r := reply{resp.StatusCode, resp.Header, b}
	if !strings.HasSuffix(path, "/reveal") {
		s.mu.Lock()
		s.heard = append(s.heard, b)
		s.mu.Unlock()
	}
	return r, err
}

// api calls the API with the admin key.
func (s *stage) api(method, path string, body any) reply {
	s.Helper()
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			s.Fatal(err)
		}
	}
	for {
		r, err := s.try(method, path, http.Header{"Authorization": {"Bearer " + s.key}, "Content-Type": {"application/json"}}, b)
		if err != nil {
			s.Errorf("%s %s: %v", method, path, err)
		}
		if r.status != http.StatusTooManyRequests {
			return r
		}
		time.Sleep(200 * time.Millisecond) // a story asks more often than people do
	}
}

// post delivers an alert signed as the detector does.
func (s *stage) post(id string, body []byte) (reply, error) {
	header, err := intake.Sign(responsehub.Secret(s.world.WebhookSecret()), id, time.Now(), body)
	if err != nil {
		return reply{}, err
	}
	return s.try(http.MethodPost, "/v1/alerts/petra", header, body)
}

// opened is the answer to an alert.
type opened struct{ Incident, Ref, State string }

// alert delivers an alert and expects an incident.
func (s *stage) alert(body []byte) opened {
	s.Helper()
	r, err := s.post(fmt.Sprintf("msg_%d", time.Now().UnixNano()), body)
	if err != nil || r.status/100 != 2 {
		s.Fatalf("alert: %v, %v", r, err)
	}
	return s.took(r)
}

// took notes the incident of an answer.
func (s *stage) took(r reply) opened {
	s.Helper()
	var o opened
	r.decode(s, &o)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.known, o.Incident) {
		s.known = append(s.known, o.Incident)
	}
	return o
}

// takeover delivers the first customer's takeover, Response on.
func (s *stage) takeover() opened { s.Helper(); return s.alert(s.world.Alert("takeover")) }

// incident reads an incident by id or ref.
func (s *stage) incident(id string) api.Incident {
	s.Helper()
	r := s.api(http.MethodGet, "/v1/incidents/"+id, nil)
	var inc api.Incident
	if r.status == http.StatusOK {
		r.decode(s, &inc)
	}
	return inc
}

// kept is an incident as Redis keeps it, which a story may read as often as it likes
// and while the hub is away; false when Redis is away too.
func (s *stage) kept(id string) (*responsehub.Incident, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := store.New(s.rdb).Load(ctx, id, "")
	if err != nil {
		return nil, false
	}
	inc, err := remediation.Decode(st)
	return inc, err == nil
}

// cardOnRecord waits until the hub has noted its card of an incident: one that is killed
// between the post and the note posts again, for Teams has no way to look for it.
func (s *stage) cardOnRecord(in opened) {
	s.Helper()
	s.until("the card of "+in.Ref+" is on record", func() bool {
		inc, ok := s.kept(in.Incident)
		if !ok || len(inc.Cards) == 0 {
			return false
		}
		for _, c := range inc.Cards {
			if c.Activity == "" {
				return false
			}
		}
		return true
	})
}

// step reads one step, an empty one when it cannot be read.
func (s *stage) step(id string, step responsehub.StepID) responsehub.Step {
	inc, ok := s.kept(id)
	if !ok {
		return responsehub.Step{}
	}
	return *inc.Step(step)
}

func stepOf(inc api.Incident, step responsehub.StepID) api.Step {
	for _, st := range inc.Steps {
		if st.ID == step {
			return st
		}
	}
	return api.Step{}
}

// is waits until a step is in one of the states.
func (s *stage) is(id string, step responsehub.StepID, states ...responsehub.StepState) responsehub.Step {
	s.Helper()
	var st responsehub.Step
	s.until(fmt.Sprintf("step %s is %v", step, states), func() bool {
		st = s.step(id, step)
		return slices.Contains(states, st.State)
	})
	return st
}

// ask asks for a step by the API.
func (s *stage) ask(id string, step responsehub.StepID, body api.StepBody) reply {
	s.Helper()
	return s.api(http.MethodPost, "/v1/incidents/"+id+"/steps/"+string(step), body)
}

// events is an incident's record as Redis keeps it.
func (s *stage) events(id string) []responsehub.Event {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stored, _, err := store.New(s.rdb).Events(ctx, id)
	if err != nil {
		return nil
	}
	var out []responsehub.Event
	for _, b := range stored {
		var e responsehub.Event
		if err := json.Unmarshal(b, &e); err != nil {
			s.Fatalf("record of %s: %v", id, err)
		}
		out = append(out, e)
	}
	return out
}

// recorded waits until the record has an entry of the kind whose text has all words.
func (s *stage) recorded(id string, kind responsehub.EventKind, words ...string) responsehub.Event {
	s.Helper()
	var found responsehub.Event
	s.until(fmt.Sprintf("the record has %s with %q", kind, words), func() bool {
		for _, e := range s.events(id) {
			if e.Kind == kind && hasAll(e.Text, words) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

func hasAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// scene is the takeover of the n-th customer, from 0.
func (s *stage) scene(n int) *tenant.Scene { return s.world.Scenes[n] }

// encoded is v as JSON.
func encoded(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
