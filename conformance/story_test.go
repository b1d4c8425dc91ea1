//go:build conformance

package conformance_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/intake"
	"responsehub/sim"
	"responsehub/sim/teams"
	"responsehub/store/storetest"
)

var ann = responsehub.Actor{ID: "ann", Name: "Ann Berg", Role: responsehub.Responder, Via: responsehub.ViaAPI, Tenants: []string{"*"}}

// story is a hub with its world, in which incidents are played.
type story struct {
	*testing.T
	world   *sim.World
	app     *app.App
	url     string
	log     *strings.Builder
	answers []json.RawMessage // cards that answered a click, and dialogs
}

// play ends a takeover of a customer with Response on, and one that people publish, with
// every step and every action there is, by the API and by clicks.
func play(t *testing.T) *story {
	t.Helper()
	s := start(t)
	first := s.raise("takeover")
	s.settled(first, responsehub.Lock, responsehub.Retract, responsehub.Persistence)
	s.remove(first)
	s.end(first)
	second := s.raise("manual")
	s.click("Publish Incident")
	for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
		s.ask(second, id, responsehub.StepRequest{})
		s.settled(second, id)
	}
	s.end(second)
	third := s.raise("hybrid")
	s.settled(third, responsehub.Lock)
	if odd := s.world.Wire.UnexpectedAll(); len(odd) > 0 {
		t.Errorf("the simulators did not expect: %q", odd)
	}
	return s
}

// click presses a button as Ann does, as soon as a card shows it, and keeps the card that
// answers.
func (s *story) click(title string) {
	s.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		seen, err := s.world.Play(s.Context(), sim.Act{Do: "click", Press: teams.Press{Person: "ann", Title: title}})
		if err == nil {
			outcome, _ := seen.(teams.Outcome)
			if len(outcome.Card) == 0 {
				s.Errorf("pressing %q gave %+v", title, outcome)
			}
			s.answers = append(s.answers, outcome.Card)
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("press %q: %v", title, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func start(t *testing.T) *story {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &story{T: t, url: "http://" + l.Addr().String(), log: &strings.Builder{}}
	l.Close()
	if s.world, err = sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: s.url, NoInstall: true, NoLimits: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.world.Stop)
	if err := s.world.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "responsehub.yaml")
	if err := os.WriteFile(file, []byte(s.world.Config()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, faults, err := config.Load(file)
	if err != nil {
		t.Fatalf("configuration of the simulated world: %v %v", err, faults)
	}
	cfg.Redis.Addrs, cfg.Server.AdminListen = []string{storetest.Redis(t).Addr}, ""
	if s.app, err = app.New(cfg, app.Options{Log: slog.New(slog.NewTextHandler(s.log, nil))}); err != nil {
		t.Fatal(err)
	}
	if err := s.app.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.app.Stop()
		if t.Failed() {
			t.Logf("log of the hub:\n%s", s.log)
		}
	})
	if err := s.world.Teams.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// raise posts a signed alert and returns the id of the new incident.
func (s *story) raise(kind string) string {
	s.Helper()
	body := s.world.Alert(kind)
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+"/v1/alerts/petra", strings.NewReader(string(body)))
	if err != nil {
		s.Fatal(err)
	}
	if req.Header, err = intake.Sign(responsehub.Secret(s.world.WebhookSecret()), "msg_"+rand.Text(), time.Now(), body); err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	var in struct{ Incident string }
	decode(s.T, res.Body, &in)
	if in.Incident == "" {
		s.Fatalf("the alert was answered %s", res.Status)
	}
	return in.Incident
}

func (s *story) ask(id string, step responsehub.StepID, r responsehub.StepRequest) {
	s.Helper()
	if _, err := s.app.Engine().Request(s.Context(), ann, id, step, r); err != nil {
		s.Fatalf("%s of %s: %v", step, id, err)
	}
}

func (s *story) incident(id string) *responsehub.Incident {
	s.Helper()
	inc, err := s.app.Engine().Incident(s.Context(), ann, id)
	if err != nil {
		s.Fatal(err)
	}
	return inc
}

// settled waits until the steps are done, and sets aside what only a person can judge.
func (s *story) settled(id string, steps ...responsehub.StepID) {
	s.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for _, step := range steps {
		for {
			st := s.incident(id).Step(step)
			if st.State.Settled() {
				break
			}
			if st.State == responsehub.NeedsHuman {
				s.ask(id, step, responsehub.StepRequest{Skip: true, Items: open(st), Reason: "Looked at: harmless."})
			}
			if time.Now().After(deadline) {
				s.Fatalf("%s is %s: %s", step, st.State, st.Reason)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func open(st *responsehub.Step) (ids []string) {
	for _, it := range st.Items {
		if !it.State.Settled() {
			ids = append(ids, it.ID)
		}
	}
	return ids
}

// remove deletes the rules and removes the connectors that were only disabled so far.
func (s *story) remove(id string) {
	s.Helper()
	for action, kind := range map[responsehub.Action]responsehub.ItemKind{responsehub.Delete: responsehub.InboxRule, responsehub.Remove: responsehub.InboundConnector} {
		var ids []string
		for _, it := range s.incident(id).Step(responsehub.Persistence).Items {
			if it.Kind == kind {
				ids = append(ids, it.ID)
			}
		}
		if len(ids) == 0 {
			s.Errorf("no %s was found", kind)
			continue
		}
		s.ask(id, responsehub.Persistence, responsehub.StepRequest{Items: ids, Action: action, Reason: "The customer wants it gone."})
		s.settled(id, responsehub.Persistence)
	}
}

// end does the steps that people do.
func (s *story) end(id string) {
	s.Helper()
	s.click("4 Reset password")
	s.settled(id, responsehub.Password)
	s.click("Show password")
	s.ask(id, responsehub.Reenable, responsehub.StepRequest{})
	s.settled(id, responsehub.Reenable)
	s.ask(id, responsehub.Close, responsehub.StepRequest{})
	if state := s.incident(id).State; state != responsehub.Remediated {
		s.Errorf("the incident is %s at the end", state)
	}
	s.drawn()
}

// drawn waits for the card's last drawing, which is checked too.
func (s *story) drawn() {
	s.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		requests := s.world.Wire.Requests()
		for _, r := range requests[max(0, len(requests)-5):] {
			if r.Method == http.MethodPut && r.Status == http.StatusOK && strings.Contains(r.Body, "remediated") {
				return
			}
		}
		if time.Now().After(deadline) {
			s.Fatal("the card of the ended incident was not drawn")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
