package intake_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/intake"
)

// detector lists what it made since, newest first, as detectors do.
type detector struct {
	mu    sync.Mutex
	made  []intake.Finding
	asked []time.Time
	cut   bool
	err   error
}

func (d *detector) Found(_ context.Context, since time.Time) ([]intake.Finding, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, time.Now())
	if d.err != nil {
		return nil, false, d.err
	}
	var found []intake.Finding
	for _, f := range slices.Backward(d.made) {
		if !f.MadeAt.Before(since) {
			found = append(found, f)
		}
	}
	return found, d.cut, nil
}

// makes notes an incident as made now.
func (d *detector) makes(id string, change ...func(*intake.Finding)) {
	f := intake.Finding{ID: id, MadeAt: time.Now(), Alert: &responsehub.Alert{
		Version: "1", ID: id, DetectedAt: time.Now(), Tenant: responsehub.AlertTenant{SourceTenantID: "acme"},
		Account: responsehub.Account{UserPrincipalName: id + "@acme.example"}, Severity: responsehub.Critical, Title: "Account takeover",
	}}
	for _, c := range change {
		c(&f)
	}
	d.made = append(d.made, f)
	time.Sleep(time.Millisecond) // no two are made at once
}

// hub opens an incident for each id once.
type hub struct {
	mu     sync.Mutex
	opened []string
	err    error
}

func (h *hub) Open(_ context.Context, d responsehub.Delivery, a *responsehub.Alert) (*responsehub.Incident, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return nil, false, h.err
	}
	if d.Source != "petra" || d.ID != "" {
		return nil, false, errors.New("a delivery that is none")
	}
	known := slices.Contains(h.opened, a.ID)
	if !known {
		h.opened = append(h.opened, a.ID)
	}
	return &responsehub.Incident{ID: "i-" + a.ID}, known, nil
}

// marks is one memory for all processes of a test.
type marks struct {
	mu   sync.Mutex
	turn time.Time
	mark []byte
	err  error
}

func (m *marks) Turn(_ context.Context, _ string, period time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return false, m.err
	}
	if time.Since(m.turn) < period {
		return false, nil
	}
	m.turn = time.Now()
	return true, nil
}

func (m *marks) LoadMark(context.Context, string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark, m.err
}

func (m *marks) SaveMark(_ context.Context, _ string, mark []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mark = mark
	return m.err
}

// asking is a hub's half of the world in a bubble.
type asking struct {
	t      *testing.T
	d      detector
	hub    hub
	marks  marks
	alarms []string
}

// run lets n processes ask for a while, after which they are killed.
func (a *asking) run(n int, d time.Duration) {
	a.t.Helper()
	ctx, stop := context.WithTimeout(a.t.Context(), d)
	defer stop()
	for range n {
		p := &intake.Poll{
			Source: "petra", Detector: &a.d, Hub: &a.hub, Marks: &a.marks, Log: slog.New(slog.DiscardHandler),
			Alarm: func(_ context.Context, told responsehub.Alarm) { a.alarms = append(a.alarms, told.Words) },
		}
		go p.Run(ctx)
	}
	<-ctx.Done()
	synctest.Wait()
}

func (a *asking) opened(want ...string) {
	a.t.Helper()
	if !slices.Equal(a.hub.opened, want) {
		a.t.Errorf("opened %q, want %q", a.hub.opened, want)
	}
}

func (a *asking) told(want ...string) {
	a.t.Helper()
	if len(a.alarms) != len(want) {
		a.t.Fatalf("told %q, want %q", a.alarms, want)
	}
	for i := range want {
		if !strings.Contains(a.alarms[i], want[i]) {
			a.t.Errorf("told %q, want %q", a.alarms[i], want[i])
		}
	}
}

func TestPoll(t *testing.T) {
	down := &responsehub.Error{Kind: responsehub.Unavailable, Message: "It is away."}
	for _, tt := range []struct {
		name string
		play func(a *asking)
	}{
		{"a message that never came is found", func(a *asking) {
			a.run(1, time.Second)
			a.d.makes("lost")
			a.run(1, 2*time.Minute)
			a.opened("lost")
			a.told()
		}},
		{"the message has the first word", func(a *asking) {
			a.run(1, time.Second)
			a.d.makes("young")
			a.run(1, 20*time.Second)
			a.opened()
		}},
		{"what was made before the hub was there is nobody's", func(a *asking) {
			a.d.makes("old")
			time.Sleep(time.Hour)
			a.run(1, 5*time.Minute)
			a.opened()
		}},
		{"a hub that was away for days goes on where it was, oldest first", func(a *asking) {
			a.run(1, time.Minute)
			for _, id := range []string{"mon", "tue", "wed"} {
				a.d.makes(id)
				time.Sleep(24 * time.Hour)
			}
			a.run(1, time.Second)
			a.opened("mon", "tue", "wed")
		}},
		{"one that becomes visible late is found", func(a *asking) {
			a.run(1, time.Second)
			a.d.makes("new")
			a.run(1, 3*time.Minute)
			a.d.makes("late", func(f *intake.Finding) { f.MadeAt = f.MadeAt.Add(-10 * time.Minute) })
			a.run(1, 3*time.Minute)
			a.opened("new", "late")
		}},
		{"what was dealt with stays closed", func(a *asking) {
			a.run(1, time.Second)
			a.d.makes("done", func(f *intake.Finding) { f.Settled = true })
			a.run(1, 3*time.Minute)
			a.opened()
		}},
		{"a hub without Redis misses nothing", func(a *asking) {
			a.run(1, time.Second)
			a.d.makes("lost")
			a.hub.err = down
			a.run(1, 30*time.Minute)
			a.opened()
			a.hub.err = nil
			a.run(1, 2*time.Minute)
			a.opened("lost")
		}},
		{"three processes ask as often as one", func(a *asking) {
			a.run(3, 10*time.Minute-time.Second)
			if n := len(a.d.asked); n != 10 {
				a.t.Errorf("asked %d times in ten minutes", n)
			}
		}},
		{"one that cannot be used is told once and stops no other", func(a *asking) {
			a.run(1, time.Second)
			a.d.makes("bad", func(f *intake.Finding) { f.Alert.Account = responsehub.Account{} })
			a.d.makes("worse", func(f *intake.Finding) {
				f.Alert, f.Fault = nil, &responsehub.Error{Kind: responsehub.Invalid, Message: "Broken."}
			})
			a.d.makes("good")
			a.run(1, 10*time.Minute)
			a.run(1, 2*time.Minute) // another process knows that it was told
			a.opened("good")
			a.told("bad", "worse")
		}},
		{"silence is told after five rounds, once, and its end", func(a *asking) {
			a.d.err = down
			a.run(1, 4*time.Minute-time.Second)
			a.told()
			a.run(1, 30*time.Minute)
			a.told("It is away.")
			a.d.err = nil
			a.run(1, 2*time.Minute)
			a.told("It is away.", "can be asked again")
		}},
		{"a key that is refused is told at once", func(a *asking) {
			a.d.err = &responsehub.Error{Kind: responsehub.Unauthorized, Message: "Make a new key."}
			a.run(1, time.Second)
			a.told("Make a new key.")
		}},
		{"who wants to be left alone is", func(a *asking) {
			a.d.err = &responsehub.Error{Kind: responsehub.Throttled, Message: "Wait.", RetryAfter: 10 * time.Minute}
			a.run(1, 9*time.Minute)
			if n := len(a.d.asked); n != 1 {
				a.t.Errorf("asked %d times", n)
			}
			a.told()
		}},
		{"a list that was cut is told", func(a *asking) {
			a.d.cut = true
			a.run(1, time.Second)
			a.told("more than it gives at once")
		}},
		{"a mark that cannot be read begins now", func(a *asking) {
			a.marks.mark = []byte("{")
			a.d.makes("old")
			time.Sleep(time.Hour)
			a.run(1, time.Minute)
			a.d.makes("new")
			a.run(1, 3*time.Minute)
			a.opened("new")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.play(&asking{t: t}) })
		})
	}
}
