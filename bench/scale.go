package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"responsehub"
	"responsehub/intake"
)

// scale is a whole hub, its Redis, and a town, each a process of its own.
type scale struct {
	redis *server
	town  *process
	hub   *process
	says  townSays
	dir   string
	path  string // of the hub's configuration
	url   string
	posts int
	used  wholeSays // by the hub's processes so far; memory is that of the largest
}

// settle builds the town and starts the hub in front of it.
func settle(ctx context.Context, of townOrders) (s *scale, err error) {
	s = &scale{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.redis, err = startRedis(ctx); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "rb"); err != nil {
		return s, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	s.url = "http://" + l.Addr().String()
	l.Close()
	of.HubURL = s.url
	if s.town, err = start("town", of, &s.says); err != nil {
		return s, err
	}
	text := strings.ReplaceAll(s.says.Config, "127.0.0.1:6379", s.redis.addr)
	text = strings.ReplaceAll(text, "server: {", `server: {admin_listen: "", `)
	s.path = filepath.Join(s.dir, "responsehub.yaml")
	if err := os.WriteFile(s.path, []byte(text), 0o600); err != nil {
		return s, err
	}
	if err := s.raise(); err != nil {
		return s, err
	}
	wait(ctx, 2*time.Second) // the bot is installed, tokens are fetched
	return s, ctx.Err()
}

// raise starts the hub.
func (s *scale) raise() (err error) {
	s.hub, err = start("whole", s.path, &wholeSays{})
	return err
}

// count asks the hub's process, which ends now, what it used.
func (s *scale) count() error {
	var used wholeSays
	if err := s.hub.ask("used", &used); err != nil {
		return err
	}
	s.used = wholeSays{Resident: max(s.used.Resident, used.Resident), CPU: s.used.CPU + used.CPU}
	return nil
}

func (s *scale) stop() {
	for _, p := range []*process{s.hub, s.town} {
		if p != nil {
			p.stop()
		}
	}
	if s.redis != nil {
		s.redis.stop()
	}
	_ = os.RemoveAll(s.dir)
}

// open delivers an alert and publishes its incident.
func (s *scale) open(ctx context.Context, alert map[string]any) (id string, err error) {
	body, err := json.Marshal(alert)
	if err != nil {
		return "", err
	}
	s.posts++
	header, err := intake.Sign(responsehub.Secret(s.says.Secret), fmt.Sprintf("msg_%d", s.posts), time.Now(), body)
	if err != nil {
		return "", err
	}
	var in struct{ Incident string }
	if err := s.call(ctx, http.MethodPost, "/v1/alerts/petra", header, body, &in); err != nil {
		return "", err
	}
	return in.Incident, s.step(ctx, in.Incident, responsehub.Publish, "{}")
}

// step asks for a step.
func (s *scale) step(ctx context.Context, id string, step responsehub.StepID, body string) error {
	var answer any
	return s.call(ctx, http.MethodPost, "/v1/incidents/"+id+"/steps/"+string(step), nil, []byte(body), &answer)
}

// shown is a step as the API shows it.
type shown struct {
	ID                      responsehub.StepID
	State                   responsehub.StepState
	Reason                  string
	Note                    string
	Progress                *responsehub.Progress
	RequestedAt, VerifiedAt time.Time
}

// look reads the retraction of an incident.
func (s *scale) look(ctx context.Context, id string) (shown, error) {
	var inc struct {
		Steps []struct {
			shown
			RequestedAt time.Time `json:"requested_at"`
			VerifiedAt  time.Time `json:"verified_at"`
		}
	}
	if err := s.call(ctx, http.MethodGet, "/v1/incidents/"+id, nil, nil, &inc); err != nil {
		return shown{}, err
	}
	for _, st := range inc.Steps {
		if st.ID == responsehub.Retract {
			st.shown.RequestedAt, st.shown.VerifiedAt = st.RequestedAt, st.VerifiedAt
			return st.shown, nil
		}
	}
	return shown{}, errors.New("the incident has no retraction")
}

// call speaks with the hub.
func (s *scale) call(ctx context.Context, method, path string, header http.Header, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if header == nil {
		header = http.Header{"Authorization": {"Bearer " + apiKey}}
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	return json.Unmarshal(b, answer)
}
