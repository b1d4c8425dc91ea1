package twilio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/oncall"
	network "responsehub/sim/twilio"
	"responsehub/sim/wire"
)

// through makes requests by calling a handler, so that a story needs no sockets and runs
// in a bubble.
type through struct{ handler func() http.Handler }

func (t through) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	var body []byte
	if req.Body != nil {
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	in := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.RequestURI(), bytes.NewReader(body))
	in.Header, in.Host = req.Header.Clone(), req.URL.Host
	w := httptest.NewRecorder()
	defer func() {
		if recover() != nil {
			resp, err = nil, errors.New("connection reset")
		}
	}()
	t.handler().ServeHTTP(w, in)
	resp = w.Result()
	resp.Request = req
	return resp, req.Context().Err()
}

// story is the connector between a pretend Twilio and a switchboard.
type story struct {
	c     *Client
	world *network.Service
	log   *wire.Log
	board *board
}

// ann is a number that is none of Twilio's magic ones.
const ann = "+31612345678"

var toAnn = oncall.Call{Attempt: "a1", To: ann, Ring: 25 * time.Second, Severity: responsehub.Critical}

func tell(t *testing.T, script string) *story {
	t.Helper()
	s := &story{board: &board{speech: ask, after: &oncall.Speech{Lines: []string{"You have it."}, Goodbye: "Goodbye."}}, log: wire.NewLog()}
	var inbound http.Handler
	world, err := network.New(network.Config{
		URL: "https://api.example.com/twilio", AccountSID: accountSID, AuthToken: token, APIKey: "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", APISecret: "secretOfTheKey",
		Numbers: []string{ourNumber}, SMSURL: "https://hub.example.com/twilio/sms", VoiceURL: "https://hub.example.com/twilio/voice",
		People: []network.Person{{Key: "ann", Name: "Ann", Number: ann, Script: script}}, Log: s.log,
		Client: &http.Client{Transport: through{func() http.Handler { return inbound }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.world = world
	t.Cleanup(world.Stop)
	cfg := testConfig("https://api.example.com/twilio")
	cfg.Memory = &memory{}
	handler := http.StripPrefix("/twilio", world.Handler())
	if s.c, err = New(cfg, &http.Client{Transport: through{func() http.Handler { return handler }}}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	inbound = s.c.Inbound(s.board)
	return s
}

func (s *story) told() []string {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	var out []string
	for _, line := range s.board.told {
		words := strings.Fields(line)
		out = append(out, strings.Join(words[:min(len(words), 4)], " "))
	}
	return out
}

// TestStories: the connector against a Twilio that shares no code with it.
func TestStories(t *testing.T) {
	for _, c := range []struct {
		name, script string
		do           func(t *testing.T, s *story)
		want         []string // that the switchboard was told, among other things, in this order
	}{
		{"a key", "presses 4", nil, []string{"reported a1 CA0 requested", "reported a1 CA0 ringing", "answered a1", `pressed a1 CA0 "4"`, "reported a1 CA0 heard"}},
		{"silence", "answers", nil, []string{"answered a1", `pressed a1 CA0 ""`, "reported a1 CA0 heard"}},
		{"voicemail", "voicemail", nil, []string{"answered a1", "reported a1 CA0 voicemail"}},
		{"busy", "busy", nil, []string{"reported a1 CA0 busy"}},
		{"asleep", "sleeps", nil, []string{"reported a1 CA0 ringing", "reported a1 CA0 no_answer"}},
		{"a dead number", "dead", nil, []string{"reported a1 CA0 failed"}},
		{"acknowledged elsewhere", "sleeps", func(t *testing.T, s *story) {
			time.Sleep(8 * time.Second)
			calls, _ := s.world.Snapshot().To("ann")
			if err := s.c.HangUp(t.Context(), calls[0].SID); err != nil {
				t.Error(err)
			}
			if err := s.c.HangUp(t.Context(), calls[0].SID); err != nil {
				t.Errorf("the second time: %v", err)
			}
		}, []string{"reported a1 CA0 ringing", "reported a1 CA0 cancelled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tell(t, c.script)
				if _, err := s.c.Call(t.Context(), toAnn); err != nil {
					t.Fatal(err)
				}
				if c.do != nil {
					c.do(t, s)
				}
				time.Sleep(3 * time.Minute)
				synctest.Wait()
				told := s.told()
				for i, from := 0, 0; i < len(c.want); i++ {
					at := slices.IndexFunc(told[from:], func(line string) bool { return same3(line, c.want[i]) })
					if at < 0 {
						t.Fatalf("not told %q; told %q", c.want[i], told)
					}
					from += at + 1
				}
				if odd := s.log.UnexpectedAll(); len(odd) > 0 {
					t.Errorf("Twilio would not understand: %q", odd)
				}
				if alerts := s.world.Snapshot().Alerts; len(alerts) > 0 {
					t.Errorf("Twilio's debugger has %+v", alerts)
				}
			})
		})
	}
}

// same3 compares without the number in an id.
func same3(got, want string) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	if len(g) < len(w) {
		return false
	}
	for i := range w {
		if strings.HasPrefix(w[i], "CA") {
			w[i], g[i] = "CA", "CA"
		}
		if g[i] != w[i] {
			return false
		}
	}
	return true
}

// TestTextStory: a text, its answer, STOP, and what comes after it.
func TestTextStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tell(t, "")
		s.board.reply = "RH-7K2M is yours."
		send := func(attempt string) error {
			_, err := s.c.Text(t.Context(), oncall.Text{Attempt: attempt, To: ann, Body: "RH-7K2M Contoso. Reply 4821", Severity: responsehub.Critical})
			return err
		}
		if err := send("a1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := s.world.Write(t.Context(), "ann", "", " ack 4821 "); err != nil {
			t.Fatal(err)
		}
		s.board.reply = ""
		if err := s.world.Write(t.Context(), "ann", "", "STOP"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := send("a2"); oncall.RefusalOf(err) != oncall.OptedOut {
			t.Errorf("after STOP: %v, want the refusal of one who opted out", err)
		}
		_, texts := s.world.Snapshot().To("ann")
		if len(texts) != 3 || texts[1].Body != "RH-7K2M is yours." || texts[0].Segments != 1 {
			t.Errorf("Ann got %+v", texts)
		}
		s.board.mu.Lock()
		defer s.board.mu.Unlock()
		var in []string
		for _, line := range s.board.told {
			if strings.HasPrefix(line, "texted") {
				in = append(in, line[strings.Index(line, "+"):])
			}
		}
		if diff := cmp.Diff([]string{ann + ` " ack 4821 "`, ann + ` "STOP"`}, in); diff != "" {
			t.Errorf("texted (-want +got):\n%s", diff)
		}
	})
}

// TestLostAnswer: a call that was created though its answer was lost is found before it
// is placed again; one that was not is not.
func TestLostAnswer(t *testing.T) {
	for name, made := range map[string]bool{"created": true, "not created": false} {
		synctest.Test(t, func(t *testing.T) {
			s := tell(t, "sleeps")
			s.log.AddFault(wire.Fault{Vendor: "twilio", Method: "POST", After: made, Drop: true, Times: 1})
			begin := time.Now()
			if _, err := s.c.Call(t.Context(), toAnn); responsehub.KindOf(err) != responsehub.UnknownOutcome {
				t.Fatalf("%s: %v, want an unknown outcome", name, err)
			}
			found, err := s.c.Find(context.WithoutCancel(t.Context()), responsehub.ByCall, ann, begin)
			if err != nil || (len(found) == 1) != made {
				t.Errorf("%s: found %+v, %v", name, found, err)
			}
			time.Sleep(2 * time.Minute)
			if calls, _ := s.world.Snapshot().To("ann"); (len(calls) == 1) != made {
				t.Errorf("%s: %s", name, fmt.Sprint(calls))
			}
		})
	}
}
