package remediation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// tenants is a list of tenants in memory.
type tenants []responsehub.Tenant

func (ts tenants) Tenant(id string) (responsehub.Tenant, bool) {
	for _, t := range ts {
		if t.Known(id) || t.Name == id {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}

func (ts tenants) Version() int64 { return 0 }

func (ts tenants) TenantOf(_ context.Context, _ int64, _ string, a responsehub.AlertTenant) (responsehub.Tenant, bool, error) {
	t, ok := ts.Tenant(a.MicrosoftTenantID)
	return t, ok, nil
}

const (
	on  = "11111111-1111-4111-8111-111111111111" // Response on
	off = "22222222-2222-4222-8222-222222222222"
)

var both = tenants{
	{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: on, Response: true},
	{V: 1, ID: "fabrikam", Name: "Fabrikam", MicrosoftTenantID: off},
}

var (
	ann = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}
	bob = responsehub.Actor{ID: "person:bob", Name: "Bob", Role: responsehub.Responder, Via: responsehub.ViaAPI, Tenants: []string{"*"}}
)

// bubbleRedis is a Redis inside a synctest bubble.
func bubbleRedis(t *testing.T) redis.UniversalClient {
	rdb, _ := storetest.Mini(t)
	return rdb
}

func newEngine(t *testing.T, rdb redis.UniversalClient, fs ...responsehub.Follower) *remediation.Engine {
	s := store.New(rdb)
	e, err := remediation.New(s, s, remediation.Config{Key: bytes.Repeat([]byte{1}, remediation.KeySize), Tenants: both, Followers: fs}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func alert(id, tenant, user string) *responsehub.Alert {
	return &responsehub.Alert{
		Version: "1", ID: id, DetectedAt: time.Now(), Tenant: responsehub.AlertTenant{MicrosoftTenantID: tenant},
		Account: responsehub.Account{UserPrincipalName: user}, Severity: responsehub.Critical, Title: "Account takeover",
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r1", Name: "."}},
	}
}

func open(t *testing.T, e *remediation.Engine, a *responsehub.Alert, delivery string) (*responsehub.Incident, bool) {
	t.Helper()
	inc, known, err := e.Open(t.Context(), responsehub.Delivery{Source: "petra", ID: delivery, BodyHash: a.ID + a.Title}, a)
	if err != nil {
		t.Fatal(err)
	}
	return inc, known
}

func TestOpenOnceAndJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, bubbleRedis(t))
		first, known := open(t, e, alert("a1", on, "pat@contoso.example"), "msg1")
		if known || first.State != responsehub.Active || first.Step(responsehub.Lock).State != responsehub.Queued {
			t.Fatalf("first alert: known=%t, %s, lock %s", known, first.State, first.Step(responsehub.Lock).State)
		}
		for i, delivery := range []string{"msg1", "msg2", "", "msg4"} {
			again, known := open(t, e, alert("a1", on, "PAT@contoso.example"), delivery)
			if !known || again.ID != first.ID || again.Revision != first.Revision {
				t.Fatalf("delivery %d: known=%t, incident %s at revision %d", i, known, again.ID, again.Revision)
			}
		}
		more := alert("a2", on, "pat@contoso.example")
		more.Persistence = append(more.Persistence, responsehub.AlertFoothold{Kind: responsehub.ServicePrincipal, ID: "sp"})
		joined, known := open(t, e, more, "msg5")
		if !known || joined.ID != first.ID || len(joined.Step(responsehub.Persistence).Items) != 2 || len(joined.Alerts) != 2 {
			t.Fatalf("new evidence was not joined: %+v", joined.Alerts)
		}
		other, known := open(t, e, alert("a3", on, "kim@contoso.example"), "msg6")
		if known || other.ID == first.ID {
			t.Fatal("another account was joined")
		}
		if got, err := e.Incident(t.Context(), ann, strings.ToLower(first.Ref)); err != nil || got.ID != first.ID {
			t.Fatalf("by ref %s: %v", first.Ref, err)
		}
		_, _, err := e.Open(t.Context(), responsehub.Delivery{Source: "petra", ID: "msg1", BodyHash: "other"}, alert("a9", on, "x@contoso.example"))
		if responsehub.KindOf(err) != responsehub.Conflict {
			t.Fatalf("the same delivery id with another body: %v", err)
		}
	})
}

// Five deliveries at the same instant make one incident.
func TestOpenAtTheSameInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, bubbleRedis(t))
		var wg sync.WaitGroup
		var ids sync.Map
		var opened atomic.Int32
		for i := range 20 {
			wg.Go(func() {
				inc, known, err := e.Open(t.Context(), responsehub.Delivery{Source: "petra", ID: fmt.Sprint("m", i), BodyHash: "h"}, alert("a1", on, "pat@contoso.example"))
				if err != nil {
					t.Error(err)
					return
				}
				ids.Store(inc.ID, true)
				if !known {
					opened.Add(1)
				}
			})
		}
		wg.Wait()
		n := 0
		ids.Range(func(any, any) bool { n++; return true })
		if n != 1 || opened.Load() != 1 {
			t.Errorf("%d incidents, opened %d times", n, opened.Load())
		}
	})
}

func TestUnknownTenantIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, bubbleRedis(t))
		inc, _ := open(t, e, alert("a1", "33333333-3333-4333-8333-333333333333", "x@y.example"), "")
		if inc.State != responsehub.Unpublished || inc.Tenant.ID != "" {
			t.Fatalf("%+v", inc.Tenant)
		}
		if _, err := e.Request(t.Context(), ann, inc.ID, responsehub.Publish, responsehub.StepRequest{}); err != nil {
			t.Fatal(err)
		}
		_, err := e.Request(t.Context(), ann, inc.ID, responsehub.Lock, responsehub.StepRequest{})
		if responsehub.KindOf(err) != responsehub.Refused || !strings.Contains(responsehub.Sentence(err), "does not know the tenant") {
			t.Fatalf("lock: %v", err)
		}
	})
}

// counter is a follower that counts what it does and can misbehave.
type counter struct {
	lane    responsehub.Lane
	step    responsehub.StepID
	visits  atomic.Int32
	running atomic.Int32
	overlap atomic.Bool
	do      func(n int32, ctx context.Context, t *responsehub.Turn) responsehub.Outcome
}

func (c *counter) Lane() responsehub.Lane { return c.lane }
func (c *counter) Wake(_ *responsehub.Incident, events []responsehub.Event) bool {
	return len(events) > 0
}

func (c *counter) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if c.running.Add(1) > 1 {
		c.overlap.Store(true)
	}
	defer c.running.Add(-1)
	n := c.visits.Add(1)
	if c.do == nil {
		return responsehub.Settle(nil)
	}
	return c.do(n, ctx, t)
}

// finish marks the step done, in one go.
func (c *counter) finish() responsehub.Outcome {
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		s := inc.Step(c.step)
		if !s.State.Busy() {
			return nil
		}
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventDone, Step: c.step})
		return s.To(responsehub.Done)
	})
}

// running starts the engine and stops it at the end of the bubble.
func running(t *testing.T, e *remediation.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); e.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func TestTwoAskersOneEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock := &counter{lane: responsehub.LaneLock, step: responsehub.Lock}
		effects := 0
		lock.do = func(_ int32, _ context.Context, turn *responsehub.Turn) responsehub.Outcome {
			if turn.Incident.Step(responsehub.Lock).State.Busy() {
				effects++
			}
			time.Sleep(3 * time.Second)
			return lock.finish()
		}
		e := newEngine(t, bubbleRedis(t), lock)
		running(t, e)
		inc, _ := open(t, e, alert("a1", off, "pat@fabrikam.example"), "")
		if _, err := e.Request(t.Context(), ann, inc.ID, responsehub.Lock, responsehub.StepRequest{}); !strings.Contains(responsehub.Sentence(err), "Publish") {
			t.Fatalf("before publish: %v", err)
		}
		if _, err := e.Request(t.Context(), ann, inc.ID, responsehub.Publish, responsehub.StepRequest{}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		answers := make(chan responsehub.Answer, 20)
		for i := range 20 {
			actor := ann
			if i%2 == 1 {
				actor = bob
			}
			wg.Go(func() {
				a, err := e.Request(t.Context(), actor, inc.ID, responsehub.Lock, responsehub.StepRequest{CommandID: fmt.Sprint("c", i)})
				if err != nil {
					t.Error(err)
				}
				answers <- a
			})
		}
		wg.Wait()
		close(answers)
		firsts, who := 0, map[string]bool{}
		for a := range answers {
			if !a.Joined {
				firsts++
			}
			who[a.Incident.Step(responsehub.Lock).RequestedBy.Name] = true
		}
		time.Sleep(10 * time.Second)
		if firsts != 1 || len(who) != 1 || effects != 1 {
			t.Errorf("%d firsts, named %v, %d effects", firsts, who, effects)
		}
		// The first asker's retry with the same command id gets the first answer.
	})
}

func TestSameCommandTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, bubbleRedis(t))
		inc, _ := open(t, e, alert("a1", off, "pat@fabrikam.example"), "")
		r := responsehub.StepRequest{CommandID: "same"}
		first, err := e.Request(t.Context(), ann, inc.ID, responsehub.Publish, r)
		if err != nil {
			t.Fatal(err)
		}
		second, err := e.Request(t.Context(), ann, inc.ID, responsehub.Publish, r)
		if err != nil || second.Joined || second.Sentence != first.Sentence || second.Incident.Revision != first.Incident.Revision {
			t.Errorf("second answer %+v, %v", second, err)
		}
	})
}

// A woken lane is visited after its last change, one holder at a time, though changes
// come in while it works.
func TestNoWakeUpIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := atomic.Int64{}
		f := &counter{lane: responsehub.LaneTeams}
		f.do = func(_ int32, _ context.Context, turn *responsehub.Turn) responsehub.Outcome {
			time.Sleep(700 * time.Millisecond)
			seen.Store(turn.Incident.Revision)
			return responsehub.Settle(nil)
		}
		rdb := bubbleRedis(t)
		e, other := newEngine(t, rdb, f), newEngine(t, rdb, f)
		running(t, e)
		running(t, other)
		inc, _ := open(t, e, alert("a1", off, "pat@fabrikam.example"), "")
		for i := range 50 {
			if err := e.Note(t.Context(), inc.ID, responsehub.Event{At: time.Now(), Kind: responsehub.EventNoticeSent, Text: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(90 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		now, err := e.Incident(t.Context(), ann, inc.ID)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Load() != now.Revision {
			t.Errorf("the follower saw revision %d, the incident is at %d", seen.Load(), now.Revision)
		}
		if f.overlap.Load() {
			t.Error("two holders at once")
		}
		if n := f.visits.Load(); n > 20 {
			t.Errorf("%d visits for a burst of 50 changes", n)
		}
		events, err := e.Events(t.Context(), ann, inc.ID)
		if err != nil || len(events) != 51 {
			t.Errorf("%d events, %v", len(events), err)
		}
	})
}

func TestRetriesThrottlesPanicsAndDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &counter{lane: responsehub.LaneTicket}
		var pauses []time.Duration
		last := time.Now()
		f.do = func(n int32, _ context.Context, turn *responsehub.Turn) responsehub.Outcome {
			pauses = append(pauses, time.Since(last))
			last = time.Now()
			switch n {
			case 1:
				return responsehub.TryAgain(&responsehub.Error{Kind: responsehub.Throttled, Message: "wait", RetryAfter: 40 * time.Second}, nil)
			case 2:
				if turn.Attempt != 0 {
					t.Errorf("being limited counted as an attempt")
				}
				panic("broken follower")
			case 3:
				if turn.Attempt != 1 {
					t.Errorf("attempt is %d", turn.Attempt)
				}
				return responsehub.TryAgain(errors.New("network"), nil)
			case 4:
				return responsehub.GiveUp(&responsehub.Error{Kind: responsehub.Permanent, Message: "The desk is gone."}, nil)
			}
			return responsehub.Settle(nil)
		}
		e := newEngine(t, bubbleRedis(t), f)
		running(t, e)
		inc, _ := open(t, e, alert("a1", off, "pat@fabrikam.example"), "")
		time.Sleep(3 * time.Minute)
		if len(pauses) < 4 || pauses[1] < 40*time.Second {
			t.Fatalf("visits after %v", pauses)
		}
		admin := responsehub.Hub
		// Death is recorded, which wakes the lane's own follower elsewhere, not itself.
		dead, err := e.DeadLanes(t.Context(), admin)
		if err != nil || len(dead) != 1 || dead[0].Error != "The desk is gone." || dead[0].ID != inc.ID {
			t.Fatalf("dead lanes %+v, %v", dead, err)
		}
		if _, err := e.DeadLanes(t.Context(), ann); responsehub.KindOf(err) != responsehub.Forbidden {
			t.Errorf("a responder saw the dead lanes: %v", err)
		}
		if err := e.Revive(t.Context(), admin, inc.ID+"|ticket"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if dead, _ := e.DeadLanes(t.Context(), admin); len(dead) != 0 || f.visits.Load() < 5 {
			t.Errorf("revived: %+v after %d visits", dead, f.visits.Load())
		}
	})
}

// A worker that lost its lease cannot write: its result is dropped, the lane starts
// elsewhere within one lease.
func TestFrozenWorkerCannotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := miniredis.NewMiniRedis()
		t.Cleanup(m.Close)
		var cut atomic.Bool
		dial := func(cuttable bool) redis.UniversalClient {
			rdb := redis.NewClient(&redis.Options{MaxRetries: -1, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}, Dialer: func(context.Context, string, string) (net.Conn, error) {
				if cuttable && cut.Load() {
					return nil, errors.New("no route")
				}
				return m.Dial()
			}})
			t.Cleanup(func() { _ = rdb.Close() })
			return rdb
		}
		release := make(chan struct{})
		slow := &counter{lane: responsehub.LaneLock, step: responsehub.Lock}
		slow.do = func(_ int32, _ context.Context, turn *responsehub.Turn) responsehub.Outcome {
			<-release // frozen: hears neither its context nor Redis
			return responsehub.Settle(func(inc *responsehub.Incident) error {
				inc.Title = "written by a zombie"
				return nil
			})
		}
		quick := &counter{lane: responsehub.LaneLock, step: responsehub.Lock}
		quick.do = func(int32, context.Context, *responsehub.Turn) responsehub.Outcome { return quick.finish() }

		zombieRedis := dial(true)
		zombie := newEngine(t, zombieRedis, slow)
		zctx, stop := context.WithCancel(t.Context())
		gone := make(chan struct{})
		go func() { defer close(gone); zombie.Run(zctx) }()
		healthy := newEngine(t, dial(false), quick)
		inc, _ := open(t, healthy, alert("a1", on, "pat@contoso.example"), "")
		time.Sleep(2 * time.Second)
		if slow.visits.Load() != 1 {
			t.Fatal("the zombie did not get the lane")
		}
		cut.Store(true)
		_ = zombieRedis.Close()
		stop() // claims nothing more; the turn under way stays frozen
		running(t, healthy)
		start := time.Now()
		for quick.visits.Load() == 0 && time.Since(start) < time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		if d := time.Since(start); d > 11*time.Second {
			t.Errorf("the lane started elsewhere after %s", d)
		}
		time.Sleep(time.Second)
		cut.Store(false)
		close(release)
		<-gone
		now, err := healthy.Incident(t.Context(), ann, inc.ID)
		if err != nil || now.Title != "Account takeover" || now.Step(responsehub.Lock).State != responsehub.Done {
			t.Errorf("title %q, lock %s, %v", now.Title, now.Step(responsehub.Lock).State, err)
		}
	})
}

func TestRevealOnceToTheAsker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := bubbleRedis(t)
		var e *remediation.Engine
		account := &counter{lane: responsehub.LaneAccount, step: responsehub.Password}
		account.do = func(_ int32, _ context.Context, turn *responsehub.Turn) responsehub.Outcome {
			if !turn.Incident.Step(responsehub.Password).State.Busy() {
				return responsehub.Settle(nil)
			}
			box := e.Vault().Seal("correct-horse", remediation.BoundTo(turn.Incident.ID, remediation.SealedPassword))
			return responsehub.Settle(func(inc *responsehub.Incident) error {
				s := inc.Step(responsehub.Password)
				inc.Sealed = map[string]responsehub.Sealed{remediation.SealedPassword: {Box: box, For: s.RequestedBy.ID, Expires: time.Now().Add(15 * time.Minute)}}
				inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventDone, Step: s.ID})
				return s.To(responsehub.Done)
			})
		}
		e = newEngine(t, rdb, account)
		running(t, e)
		inc, _ := open(t, e, alert("a1", off, "pat@fabrikam.example"), "")
		for _, step := range []struct {
			id responsehub.StepID
			r  responsehub.StepRequest
		}{{responsehub.Publish, responsehub.StepRequest{}}, {responsehub.Persistence, responsehub.StepRequest{Skip: true, Reason: "ours"}}} {
			if _, err := e.Request(t.Context(), ann, inc.ID, step.id, step.r); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Reveal(t.Context(), ann, inc.ID); responsehub.KindOf(err) != responsehub.Refused {
			t.Errorf("before the reset: %v", err)
		}
		if _, err := e.Request(t.Context(), ann, inc.ID, responsehub.Password, responsehub.StepRequest{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if _, err := e.Reveal(t.Context(), bob, inc.ID); responsehub.KindOf(err) != responsehub.Forbidden {
			t.Errorf("somebody else: %v", err)
		}
		var wg sync.WaitGroup
		var shown atomic.Int32
		for range 10 {
			wg.Go(func() {
				r, err := e.Reveal(t.Context(), ann, inc.ID)
				switch {
				case err == nil && r.Password == "correct-horse":
					shown.Add(1)
				case responsehub.KindOf(err) != responsehub.Gone:
					t.Errorf("reveal: %+v, %v", r, err)
				}
			})
		}
		wg.Wait()
		if shown.Load() != 1 {
			t.Errorf("shown %d times", shown.Load())
		}
	})
}

func TestWhoMayNotSeeSeesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, bubbleRedis(t))
		inc, _ := open(t, e, alert("a1", on, "pat@contoso.example"), "")
		open(t, e, alert("a2", off, "pat@fabrikam.example"), "")
		guest := responsehub.Actor{ID: "person:g", Name: "G", Role: responsehub.Guest, Via: responsehub.ViaAPI, Tenants: []string{"Fabrikam"}}
		if _, err := e.Incident(t.Context(), guest, inc.ID); responsehub.KindOf(err) != responsehub.NotFound {
			t.Errorf("guest reads another tenant's incident: %v", err)
		}
		page, err := e.Incidents(t.Context(), guest, remediation.Query{})
		if err != nil || len(page.Incidents) != 1 || page.Incidents[0].Tenant.Name != "Fabrikam" {
			t.Errorf("guest's list: %d, %v", len(page.Incidents), err)
		}
		for _, a := range []responsehub.Actor{{Name: "stranger", Via: responsehub.ViaTeams}, guest, {ID: "p", Name: "P", Role: responsehub.Admin, Via: responsehub.ViaPhone, Tenants: []string{"*"}}} {
			if _, err := e.Request(t.Context(), a, inc.ID, responsehub.Lock, responsehub.StepRequest{}); err == nil {
				t.Errorf("%s may lock", a.Name)
			}
		}
		all, err := e.Incidents(t.Context(), ann, remediation.Query{Tenant: on, State: responsehub.Active, Limit: 1})
		if err != nil || len(all.Incidents) != 1 {
			t.Errorf("list: %+v, %v", all, err)
		}
	})
}
