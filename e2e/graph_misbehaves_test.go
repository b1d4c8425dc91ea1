package e2e

import (
	"net/http"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// blocking is the request that blocks sign-in, passwordChange the one that sets the
// password.
var (
	blocking       = wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "accountEnabled"}
	passwordChange = wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "passwordProfile"}
	moving         = wire.Fault{Vendor: "graph", Method: "POST", Match: "/move"}
)

// badly makes a fault of a request.
func badly(f wire.Fault, change func(*wire.Fault)) wire.Fault {
	change(&f)
	return f
}

// TestGraphMisbehaves: whatever Microsoft does, the step ends right, and the card says
// in a sentence what is the matter while it lasts.
func TestGraphMisbehaves(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]func(*stage){
		"a permission is missing":          permissionMissing,
		"the victim is an administrator":   adminVictim,
		"429 with seconds":                 func(s *stage) { s.limited(map[string]string{"Retry-After": "3"}, 3*time.Second, 2) },
		"429 with a date":                  limitedTill,
		"429 without a header":             func(s *stage) { s.limited(nil, 0, 2) },
		"the answer to the block is lost":  answerOfBlockLost,
		"the answer to a move is lost":     answerOfMoveLost,
		"the answer to a password is lost": answerOfPasswordLost,
		"Graph is down":                    graphDown,
		"a gateway answers in HTML":        gateway,
		"400 with an empty object":         emptyRefusal,
		"reads lag behind writes":          lagging,
		"somebody opens the account again": forgotten,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := raise(t, scenery{noHub: true})
			story(s)
		})
	}
}

func (s *stage) up() {
	s.Helper()
	s.startHub()
	s.install()
}

// permissionMissing: the card names the right. Once it is granted, trying again works,
// although the hub's token was made before.
func permissionMissing(s *stage) {
	s.scene(0).Tenant.RemoveRole(sim.HubClientID, "User.EnableDisableAccount.All")
	s.up()
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Partial, responsehub.Failed)
	s.card(in.Ref, "User.EnableDisableAccount.All", "admin consent")
	if s.count("revoke", s.scene(0).Victim.ID) == 0 {
		s.Error("the sessions were not revoked although that right is there")
	}
	s.scene(0).Tenant.ConsentAll(sim.HubClientID)
	granted := time.Now()
	for tries := 0; s.step(in.Incident, responsehub.Lock).State != responsehub.Done; tries++ {
		if time.Since(granted) > 30*time.Second {
			s.Fatalf("%s after the right was granted, and after %d tries, the hub still lacks it", time.Since(granted), tries)
		}
		s.click("ann", in.Ref, "1 Revoke sessions and lock account", nil)
		s.is(in.Incident, responsehub.Lock, responsehub.Done, responsehub.Partial, responsehub.Failed)
	}
}

// adminVictim: Microsoft protects administrators; the card says which role is missing.
func adminVictim(s *stage) {
	s.scene(0).Tenant.RemoveRole(sim.HubClientID, tenant.PrivilegedAuthAdmin)
	s.up()
	alert := s.scene(0).Alert("det-admin")
	admin := s.scene(0).Admin
	alert["account"] = map[string]any{"object_id": admin.ID, "user_principal_name": admin.UPN}
	delete(alert, "phish")
	delete(alert, "persistence")
	in := s.alert(encoded(s, alert))
	s.is(in.Incident, responsehub.Lock, responsehub.Partial, responsehub.Failed)
	s.card(in.Ref, "Privileged Authentication Administrator")
	if !admin.Enabled() {
		s.Error("the world let the hub lock an administrator")
	}
}

// limited: the block is refused with 429 so many times. The hub waits as long as it is
// told and says so.
func (s *stage) limited(header map[string]string, least time.Duration, times int) {
	s.Helper()
	s.up()
	s.world.Wire.AddFault(badly(blocking, func(f *wire.Fault) { f.Status, f.Header, f.Times = http.StatusTooManyRequests, header, times }))
	in := s.takeover()
	if least > 0 {
		s.card(in.Ref, "slow down")
	}
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.pace(least, times+1)
}

func limitedTill(s *stage) {
	s.limited(map[string]string{"Retry-After": time.Now().Add(8 * time.Second).UTC().Format(http.TimeFormat)}, 3*time.Second, 1)
}

// pace checks that no two tries to block sign-in came closer than the pause asked for.
func (s *stage) pace(least time.Duration, want int) {
	s.Helper()
	var last time.Time
	tries := 0
	for _, q := range s.world.Wire.Requests() {
		if q.Method != http.MethodPatch || q.Path != "/graph/v1.0/users/"+s.scene(0).Victim.ID {
			continue
		}
		if tries++; !last.IsZero() && q.At.Sub(last) < least-100*time.Millisecond {
			s.Errorf("tried again %s after a 429 that asked for %s", q.At.Sub(last), least)
		}
		last = q.At
	}
	if tries != want {
		s.Errorf("%d tries, want all but the last refused: %d", tries, want)
	}
}

func answerOfBlockLost(s *stage) {
	s.up()
	s.world.Wire.AddFault(badly(blocking, func(f *wire.Fault) { f.After, f.Drop, f.Times = true, true, 1 }))
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	if n := s.count("disable", s.scene(0).Victim.ID); n != 1 {
		s.Errorf("the account was disabled %d times", n)
	}
}

func answerOfMoveLost(s *stage) {
	s.up()
	s.world.Wire.AddFault(badly(moving, func(f *wire.Fault) { f.After, f.Drop, f.Times = true, true, 3 }))
	in := s.takeover()
	st := s.is(in.Incident, responsehub.Retract, responsehub.Done)
	if n := s.count("move", ""); n != 3 {
		s.Errorf("%d messages were moved, want 3", n)
	}
	if p := st.Progress; p == nil || p.Moved != 3 || p.Already != 1 || p.Kept != 1 {
		s.Errorf("the hub counts %+v", p)
	}
}

func answerOfPasswordLost(s *stage) {
	s.up()
	s.world.Wire.AddFault(badly(passwordChange, func(f *wire.Fault) { f.After, f.Drop, f.Times = true, true, 1 }))
	in := s.takeover()
	s.persistenceSettled(in)
	if r := s.ask(in.Incident, responsehub.Password, api.StepBody{}); r.status != http.StatusAccepted {
		s.Fatalf("reset: %s", r)
	}
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.onePassword(in, s.scene(0).Victim.Password())
}

// graphDown: Graph answers nothing for a while. The card says so, and all is done soon
// after it is back.
func graphDown(s *stage) {
	s.up()
	s.world.Wire.AddFault(wire.Fault{Vendor: "graph", Drop: true})
	in := s.takeover()
	s.card(in.Ref, "The hub tries again by itself")
	time.Sleep(8 * time.Second)
	s.world.Wire.ClearFaults()
	back := time.Now()
	lock := s.is(in.Incident, responsehub.Lock, responsehub.Done)
	if d := lock.VerifiedAt.Sub(back); d > 16*time.Second {
		s.Errorf("the lock was verified %s after Graph was back", d)
	}
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.persistenceDone(in)
}

func gateway(s *stage) {
	s.up()
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodPost} {
		s.world.Wire.AddFault(wire.Fault{Vendor: "graph", Method: method, Status: http.StatusBadGateway, Times: 4, Answer: "<html><body><h1>502 Bad Gateway</h1></body></html>"})
	}
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.persistenceDone(in)
}

// emptyRefusal: a refusal that says nothing is nothing to try again; the card says that
// it is refused, and a person can ask again.
func emptyRefusal(s *stage) {
	s.up()
	s.world.Wire.AddFault(badly(blocking, func(f *wire.Fault) { f.Status, f.Answer, f.Times = http.StatusBadRequest, "{}", 1 }))
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Partial, responsehub.Failed)
	s.card(in.Ref, "sign-in could not be blocked", "Microsoft refused the request as wrong")
	s.click("ann", in.Ref, "1 Revoke sessions and lock account", nil)
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
}

// lagging: the directory shows a block only after a while. Until then the step is
// sent, not done.
func lagging(s *stage) {
	s.up()
	s.world.Microsoft.SetLag(6 * time.Second)
	in := s.takeover()
	s.card(in.Ref, "1 Revoke sessions and lock account — sent, checking", "does not show it yet")
	lock := s.is(in.Incident, responsehub.Lock, responsehub.Done)
	if d := lock.VerifiedAt.Sub(lock.SentAt); d < 5*time.Second {
		s.Errorf("verified %s after it was sent, before it could be seen", d)
	}
	if n := s.count("disable", s.scene(0).Victim.ID); n != 1 {
		s.Errorf("the account was disabled %d times", n)
	}
}

// forgotten: the account is open again before the block was read back. The hub does not
// believe the answer it got: it looks, waits as long as reads may lag, and blocks again.
func forgotten(s *stage) {
	s.up()
	s.world.Wire.AddFault(badly(blocking, func(f *wire.Fault) { f.After, f.DelayMS, f.Times = true, 300, 1 }))
	in := s.takeover()
	victim := s.scene(0).Victim
	s.until("sign-in is blocked", func() bool { return s.count("disable", victim.ID) == 1 })
	if _, err := s.world.Play(s.Context(), sim.Act{Do: "microsoft", Action: "user.enable", User: victim.UPN}); err != nil {
		s.Fatal(err)
	}
	s.card(in.Ref, "1 Revoke sessions and lock account — sent, checking", "does not show it yet")
	s.within(100*time.Second, "the account is locked again and read back", func() bool {
		return s.step(in.Incident, responsehub.Lock).State == responsehub.Done
	})
	if victim.Enabled() {
		s.Error("the account is open")
	}
}
