package remediation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
)

// guarded is an engine with the real counts, at a tenant of the given guards.
func guarded(t *testing.T, rdb redis.UniversalClient, tenant responsehub.Tenant, settings *responsehub.Settings, roles remediation.Roles) *remediation.Engine {
	tenant.V, tenant.ID, tenant.Name, tenant.MicrosoftTenantID, tenant.Response = 1, "contoso", "Contoso", on, true
	return serving(t, rdb, tenant, settings, roles)
}

// serving is an engine with the real counts, whose only tenant is the one given.
func serving(t *testing.T, rdb redis.UniversalClient, tenant responsehub.Tenant, settings *responsehub.Settings, roles remediation.Roles) *remediation.Engine {
	s := store.New(rdb)
	e, err := remediation.New(s, s, remediation.Config{
		Key: bytes.Repeat([]byte{1}, remediation.KeySize), Tenants: tenants{tenant}, Counts: store.NewLimits(rdb), Roles: roles,
		Settings: func() responsehub.Settings { return *settings },
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestLimitAcrossIncidents: of five accounts three are locked by themselves, whichever
// process takes the alerts in; an alert that joins counts nothing; after the hour the
// next is locked again.
func TestLimitAcrossIncidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := bubbleRedis(t)
		three := responsehub.Tenant{Limits: responsehub.Limits{AutomaticLocksPerHour: new(3)}}
		one, other := guarded(t, rdb, three, &responsehub.Settings{}, nil), guarded(t, rdb, three, &responsehub.Settings{}, nil)
		for i := range 5 {
			e := []*remediation.Engine{one, other}[i%2]
			user := fmt.Sprintf("u%d@contoso.example", i)
			inc, _ := open(t, e, alert(fmt.Sprint("a", i), on, user), fmt.Sprint("m", i))
			open(t, other, alert(fmt.Sprint("b", i), on, user), fmt.Sprint("again", i))
			want := responsehub.Queued
			if i >= 3 {
				want = responsehub.Waiting
			}
			lock := inc.Step(responsehub.Lock)
			if inc.State != responsehub.Active || lock.State != want || inc.Step(responsehub.Persistence).State != responsehub.Queued {
				t.Errorf("account %d: %s, lock %s, step 3 %s", i, inc.State, lock.State, inc.Step(responsehub.Persistence).State)
			}
			if want == responsehub.Waiting && !strings.Contains(lock.Reason, "3 accounts of Contoso were locked by themselves within the hour") {
				t.Errorf("account %d: %q", i, lock.Reason)
			}
			if _, err := e.Request(t.Context(), ann, inc.ID, responsehub.Lock, responsehub.StepRequest{}); err != nil {
				t.Errorf("a person cannot lock account %d: %v", i, err)
			}
		}
		time.Sleep(time.Hour + time.Second)
		// The accounts of before, still open: their alerts lock nothing, so they count nothing.
		for i := range 5 {
			open(t, one, alert(fmt.Sprint("c", i), on, fmt.Sprintf("u%d@contoso.example", i)), "")
		}
		if inc, _ := open(t, one, alert("later", on, "later@contoso.example"), "later"); inc.Step(responsehub.Lock).State != responsehub.Queued {
			t.Errorf("an hour later: %+v", inc.Step(responsehub.Lock))
		}
	})
}

// broken counts nothing.
type broken struct{}

func (broken) Take(context.Context, string, string, int, time.Duration) (bool, bool, error) {
	return false, false, errors.New("away")
}

func (broken) Drop(context.Context, string, string) error { return errors.New("away") }

func TestLimitThatCannotBeReadHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.New(bubbleRedis(t))
		var log bytes.Buffer
		e, err := remediation.New(s, s, remediation.Config{Key: bytes.Repeat([]byte{1}, remediation.KeySize), Tenants: both, Counts: broken{}}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "m")
		if inc.Step(responsehub.Lock).State != responsehub.Queued || !strings.Contains(log.String(), "holds nothing back") {
			t.Errorf("lock %s, log %s", inc.Step(responsehub.Lock).State, log.String())
		}
	})
}

// TestSwitch: while all automatic action is stopped nothing starts by itself, also in
// incidents that were open before; afterwards it does.
func TestSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := &responsehub.Settings{Stopped: &responsehub.Stop{By: ann.By(), At: time.Now()}}
		e := guarded(t, bubbleRedis(t), responsehub.Tenant{}, settings, nil)
		inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "m1")
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
			if s := inc.Step(id); s.State != responsehub.Waiting || !strings.Contains(s.Reason, "Ann stopped all automatic action") {
				t.Errorf("%s is %s: %q", id, s.State, s.Reason)
			}
		}
		settings.Stopped = nil
		if inc, _ := open(t, e, alert("a2", on, "kim@contoso.example"), "m2"); inc.Step(responsehub.Lock).State != responsehub.Queued {
			t.Errorf("after the switch: %s", inc.Step(responsehub.Lock).State)
		}
	})
}

// TestEndedTrialBlocksNoRemediation: what was not paid for must not help an attacker.
func TestEndedTrialBlocksNoRemediation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := guarded(t, bubbleRedis(t), responsehub.Tenant{TrialEnds: time.Now().AddDate(-1, 0, 0)}, &responsehub.Settings{}, nil)
		inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "m1")
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
			if s := inc.Step(id); s.State != responsehub.Queued {
				t.Errorf("%s is %s: %q", id, s.State, s.Reason)
			}
		}
		if _, err := e.Undo(t.Context(), ann, inc.ID, responsehub.Lock, responsehub.UndoRequest{Reason: "r"}); responsehub.KindOf(err) != responsehub.Refused {
			t.Errorf("undo of a lock under way: %v", err)
		}
	})
}

// TestSecondPersonForAdmins: the account's roles are asked for; where they cannot be
// read a second person is asked for too. The policy waits for nobody.
func TestSecondPersonForAdmins(t *testing.T) {
	for _, c := range []struct {
		name  string
		roles []string
		err   error
		two   bool
	}{
		{"an administrator", []string{"Global Administrator"}, nil, true},
		{"no administrator", nil, nil, false},
		{"cannot be read", nil, errors.New("away"), true},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			roles := func(context.Context, string, string) ([]string, error) { asked++; return c.roles, c.err }
			tenant := responsehub.Tenant{SecondPersonFor: []string{responsehub.Admins}, Limits: responsehub.Limits{AutomaticLocksPerHour: new(1)}}
			e := guarded(t, bubbleRedis(t), tenant, &responsehub.Settings{}, roles)
			first, _ := open(t, e, alert("a0", on, "root@contoso.example"), "m0")
			if first.Step(responsehub.Lock).State != responsehub.Queued {
				t.Errorf("%s: the policy's lock is %s", c.name, first.Step(responsehub.Lock).State)
			}
			// A false alarm takes the lock back: to open must not be easier than to shut.
			for i, who := range []responsehub.Actor{ann, ann, bob} {
				got, err := e.FalseAlarm(t.Context(), who, first.ID, "on holiday", fmt.Sprint("fa", i))
				if begun := err == nil && got.Incident.Withdrawal != nil; err != nil || begun != (!c.two || i == 2) {
					t.Errorf("%s: declared %d times: begun %v, %v, %q", c.name, i+1, begun, err, got.Sentence)
				}
			}
			inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "m1") // past the limit: for a person
			got, err := e.Request(t.Context(), ann, inc.ID, responsehub.Lock, responsehub.StepRequest{})
			if err != nil {
				t.Fatal(err)
			}
			want := responsehub.Queued
			if c.two {
				want = responsehub.NeedsHuman
			}
			if s := got.Incident.Step(responsehub.Lock).State; s != want || asked == 0 {
				t.Errorf("%s: Ann's lock is %s, roles asked for %d times", c.name, s, asked)
			}
			if got, err = e.Request(t.Context(), bob, inc.ID, responsehub.Lock, responsehub.StepRequest{}); err != nil || got.Incident.Step(responsehub.Lock).State != responsehub.Queued {
				t.Errorf("%s: after Bob: %v, %s", c.name, err, got.Incident.Step(responsehub.Lock).State)
			}
		})
	}
}
