package steps

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/remediation/remediationtest"
	"responsehub/store"
	"responsehub/store/storetest"
)

// cloudOf is a directory of many accounts whose requests take a while, and whose effects
// come at some moment within.
type cloudOf struct {
	mu       sync.Mutex
	accounts map[string]*cloudAccount
}

type cloudAccount struct {
	Account
	shut, opened []time.Time // when the hub blocked and allowed sign-in
}

func (c *cloudOf) with(user string, f func(*cloudAccount)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.accounts[user])
}

func (c *cloudOf) slow(f func()) {
	time.Sleep(rand.N(120 * time.Millisecond))
	f()
	time.Sleep(rand.N(120 * time.Millisecond))
}

func (c *cloudOf) Account(_ context.Context, _, user string) (a Account, _ error) {
	time.Sleep(rand.N(30 * time.Millisecond))
	c.with(user, func(x *cloudAccount) { a = x.Account })
	return a, nil
}

func (c *cloudOf) SetEnabled(_ context.Context, _, user string, on bool) (Receipt, error) {
	// Sent is sent: the caller's end does not stop what Microsoft does. To block takes
	// longer than to open, so that what step 5 does not wait for comes after it.
	if !on {
		time.Sleep(rand.N(1200 * time.Millisecond))
	}
	c.slow(func() {
		c.with(user, func(x *cloudAccount) {
			x.Enabled = on
			if on {
				x.opened = append(x.opened, time.Now())
			} else {
				x.shut = append(x.shut, time.Now())
			}
		})
	})
	return Receipt{At: time.Now()}, nil
}

func (c *cloudOf) RevokeSessions(_ context.Context, _, user string) (Receipt, error) {
	c.slow(func() { c.with(user, func(x *cloudAccount) { x.SessionsValidFrom = time.Now() }) })
	return Receipt{At: time.Now()}, nil
}

func (c *cloudOf) SetPassword(context.Context, string, string, responsehub.Secret) (Receipt, error) {
	return Receipt{}, nil
}

// oneTenant is a list with one tenant, whose Response is off.
type oneTenant struct{}

func (o oneTenant) Version() int64                           { return 1 }
func (o oneTenant) Tenant(string) (responsehub.Tenant, bool) { return o.t(), true }
func (o oneTenant) TenantOf(context.Context, int64, string, responsehub.AlertTenant) (responsehub.Tenant, bool, error) {
	return o.t(), true, nil
}
func (o oneTenant) t() responsehub.Tenant {
	return responsehub.Tenant{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"}
}

// TestReenableAgainstRelock: directory sync undoes the locks of many accounts, and while
// the watch does them again a person re-enables each, at a moment of its own, with two
// engines on one Redis at work. An account that was read back as open stays open, and
// nothing opens one before its person asked.
func TestReenableAgainstRelock(t *testing.T) {
	const accounts = 48
	rdb := storetest.Redis(t).Client()
	cloud := &cloudOf{accounts: map[string]*cloudAccount{}}
	ctx, stop := context.WithCancel(t.Context())
	var engines []*remediation.Engine
	var running sync.WaitGroup
	for range 2 {
		s := store.New(rdb)
		e, err := remediation.New(s, s, remediation.Config{
			Key: bytes.Repeat([]byte{1}, remediation.KeySize), Tenants: oneTenant{}, Followers: []responsehub.Follower{
				&Lock{Directory: cloud}, &AccountLane{Directory: cloud},
				&Watch{Directory: cloud, Schedule: responsehub.WatchSchedule{Looks: []time.Duration{100 * time.Millisecond}, Every: 200 * time.Millisecond}},
			},
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		engines = append(engines, e)
		running.Go(func() { e.Run(ctx) })
	}
	defer running.Wait()
	defer stop()

	var stories sync.WaitGroup
	var mu sync.Mutex
	during, again := 0, 0 // re-enabled while a relock was under way; locked again before it
	for i := range accounts {
		stories.Go(func() {
			a, b := engines[i%2], engines[(i+1)%2]
			user := fmt.Sprintf("22222222-2222-4222-8222-%012d", i)
			cloud.mu.Lock()
			cloud.accounts[user] = &cloudAccount{Account: Account{ObjectID: user, UPN: user + "@contoso.example", Enabled: true, Synced: true, SessionsValidFrom: time.Now().Add(-time.Hour)}}
			cloud.mu.Unlock()
			inc, err := lockedBy(ctx, a, user)
			if err != nil {
				t.Error(err)
				return
			}
			cloud.with(user, func(x *cloudAccount) { x.Enabled = true }) // directory sync
			// The watch sees it within 0.2 s, looks again after 2 s, and takes up to 1.7 s to lock.
			time.Sleep(watchConfirms - 200*time.Millisecond + rand.N(2*time.Second))
			asked := time.Now()
			answer, err := b.Request(ctx, remediationtest.Ann, inc, responsehub.Reenable, responsehub.StepRequest{})
			if err != nil {
				t.Errorf("account %d: %v", i, err)
				return
			}
			end, err := until(ctx, a, inc, func(inc *responsehub.Incident) bool { return inc.Step(responsehub.Reenable).State == responsehub.Done })
			if err != nil {
				t.Errorf("account %d: %v", i, err)
				return
			}
			verified := end.Step(responsehub.Reenable).VerifiedAt
			time.Sleep(time.Second) // looks that must not come
			mu.Lock()
			defer mu.Unlock()
			if answer.Incident.Watch.Relocking(asked) {
				during++
			}
			cloud.with(user, func(x *cloudAccount) {
				again += len(x.shut) - 1
				if !x.Enabled {
					t.Errorf("account %d is locked after it was read back as open", i)
				}
				for _, at := range x.shut {
					if at.After(verified) {
						t.Errorf("account %d was blocked %s after it was read back as open", i, at.Sub(verified))
					}
				}
				if len(x.opened) != 1 || x.opened[0].Before(asked) {
					t.Errorf("account %d was opened %d times, the first %s after it was asked for", i, len(x.opened), x.opened[0].Sub(asked))
				}
			})
		})
	}
	stories.Wait()
	t.Logf("%d of %d were asked for while a relock was under way; %d were locked again before", during, accounts, again)
	if during == 0 || again == 0 {
		t.Error("nobody met the watch: this proves nothing")
	}
}

// lockedBy opens an incident for the account, locks it, and sets aside what stands between
// the lock and step 5.
func lockedBy(ctx context.Context, e *remediation.Engine, user string) (string, error) {
	a := alert()
	a.ID, a.Account.ObjectID, a.Account.UserPrincipalName, a.Phish, a.Persistence = "det-"+user, user, user+"@contoso.example", nil, nil
	opened, _, err := e.Open(ctx, responsehub.Delivery{Source: "petra", ID: user, BodyHash: user}, a)
	if err != nil {
		return "", err
	}
	for _, step := range []responsehub.StepID{responsehub.Publish, responsehub.Lock, responsehub.Persistence, responsehub.Password} {
		skip := step == responsehub.Persistence || step == responsehub.Password
		if _, err := e.Request(ctx, remediationtest.Ann, opened.ID, step, responsehub.StepRequest{Skip: skip, Reason: "r"}); err != nil {
			return "", err
		}
	}
	_, err = until(ctx, e, opened.ID, func(inc *responsehub.Incident) bool {
		return inc.Step(responsehub.Lock).State == responsehub.Done && inc.Watch.Active()
	})
	return opened.ID, err
}

// until reads the incident until it is as it should be.
func until(ctx context.Context, e *remediation.Engine, id string, ok func(*responsehub.Incident) bool) (*responsehub.Incident, error) {
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		inc, err := e.Incident(ctx, remediationtest.Ann, id)
		if err != nil || ok(inc) {
			return inc, err
		}
		if time.Now().After(end) {
			return inc, fmt.Errorf("%s: the lock is %s, step 5 %s %q", id, inc.Step(responsehub.Lock).State, inc.Step(responsehub.Reenable).State, inc.Step(responsehub.Reenable).Reason)
		}
	}
}
