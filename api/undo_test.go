package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
)

func (e *engine) Undo(_ context.Context, actor responsehub.Actor, id string, step responsehub.StepID, r responsehub.UndoRequest) (responsehub.Answer, error) {
	return e.change(actor, id, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.AskUndo(step, actor, r, time.Now())
	})
}

func (e *engine) FalseAlarm(_ context.Context, actor responsehub.Actor, id, reason, _ string) (responsehub.Answer, error) {
	return e.change(actor, id, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.FalseAlarm(actor, reason, time.Now())
	})
}

func (e *engine) change(actor responsehub.Actor, id string, do func(*responsehub.Incident) (responsehub.Answer, error)) (responsehub.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inc, err := e.find(actor, id)
	if err == nil {
		err = actor.May(responsehub.Act, inc.Tenant)
	}
	if err != nil {
		return responsehub.Answer{}, err
	}
	answer, err := do(inc)
	answer.Incident = inc
	return answer, err
}

func TestUndo(t *testing.T) {
	h := newHub(t, api.Config{})
	lock := h.engine.inc.Step(responsehub.Lock)
	lock.State, lock.Snapshot = responsehub.Done, []byte(`{"enabled":true}`)

	var inc api.Incident
	if err := json.Unmarshal([]byte(h.ask("reader", "GET", "/v1/incidents/i1", "").body), &inc); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(inc.Steps, func(s api.Step) bool { return s.ID == responsehub.Lock })
	if s := inc.Steps[i]; s.Reversal == "" || len(s.Lasting) == 0 {
		t.Errorf("nobody is told before what an undo does and what it cannot: %+v", s)
	}
	for _, tc := range []struct {
		name, key, path, body string
		status                int
		says                  string
	}{
		{"a reader", "reader", "steps/lock/undo", `{"reason":"r"}`, 403, "role"},
		{"no reason", "responder", "steps/lock/undo", `{}`, 400, "reason"},
		{"a step that has no way back", "responder", "steps/password/undo", `{"reason":"r"}`, 409, "cannot be brought back"},
		{"an unknown step", "responder", "steps/reboot/undo", `{"reason":"r"}`, 404, "reboot"},
		{"a field that is not known", "responder", "steps/lock/undo", `{"reason":"r","skip":true}`, 400, "skip"},
		{"undone", "responder", "steps/lock/undo", `{"reason":"it was the CEO on holiday"}`, 202, "signs in anew"},
		{"the second asker joins", "responder", "steps/lock/undo", `{"reason":"r"}`, 202, `"joined":true`},
		{"no reason for a false alarm", "responder", "false-alarm", `{}`, 400, "reason"},
		{"false alarm", "responder", "false-alarm", `{"reason":"it was the CEO on holiday"}`, 202, "being taken back"},
		{"nothing else meanwhile", "responder", "steps/retract", `{}`, 409, "false alarm"},
	} {
		got := h.ask(tc.key, http.MethodPost, "/v1/incidents/i1/"+tc.path, tc.body)
		if got.status != tc.status || !strings.Contains(got.body, tc.says) {
			t.Errorf("%s: %d %s", tc.name, got.status, got.body)
		}
		var answer struct{ Irreversible json.RawMessage }
		if got.status == 202 && (json.Unmarshal([]byte(got.body), &answer) != nil || !strings.HasPrefix(string(answer.Irreversible), "[")) {
			t.Errorf("%s: irreversible is %s", tc.name, answer.Irreversible)
		}
	}
}
