package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/tenant"
	"responsehub/store"
)

// truth is what holds at the end of every story.
func (s *stage) truth() {
	s.Helper()
	if odd := s.world.Wire.UnexpectedAll(); len(odd) > 0 {
		s.Errorf("the vendors got what they do not know:\n%s", strings.Join(odd, "\n"))
	}
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	for _, id := range known {
		s.unbroken(id)
		if !s.claimsOnly {
			s.matches(s.incident(id))
		}
	}
	s.onceOnly(known)
	if !s.deadLanes {
		var dead api.List[api.DeadLane]
		s.api(http.MethodGet, "/v1/lanes?state=dead", nil).decode(s, &dead)
		if len(dead.Items) > 0 {
			s.Errorf("work was given up: %+v", dead.Items)
		}
	}
	for _, bad := range []string{"panic", "lanes were found that nobody would have visited"} {
		if strings.Contains(s.logs.String(), bad) {
			s.Errorf("the hub's log speaks of %q", bad)
		}
	}
}

// unbroken checks the incident's record against the hash that Redis keeps of its end.
func (s *stage) unbroken(id string) {
	s.Helper()
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	s.api(http.MethodGet, "/v1/incidents/"+id+"/events", nil).decode(s, &list)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	kept, head, err := store.New(s.rdb).Events(ctx, id)
	if err != nil {
		s.Fatalf("record of %s: %v", id, err)
	}
	if err := responsehub.CheckChain(kept, head); err != nil {
		s.Errorf("record of %s: %v", id, err)
	}
	if len(list.Items) > len(kept) || len(list.Items) == 0 {
		s.Errorf("the API shows %d entries of %s, Redis keeps %d", len(list.Items), id, len(kept))
		return
	}
	for i, e := range list.Items {
		if d := cmp.Diff(string(kept[i]), string(e)); d != "" {
			s.Errorf("entry %d of %s is shown differently from what is kept: %s", i+1, id, d)
		}
	}
}

// matches compares what the hub claims of an incident with what the world is.
func (s *stage) matches(inc api.Incident) {
	s.Helper()
	t := s.world.Microsoft.Tenant(inc.Tenant.MicrosoftTenantID)
	if t == nil || inc.Tenant.ID == "" {
		return // a tenant that nobody knows: nothing was claimed
	}
	u := t.User(inc.Account.ObjectID)
	if u == nil {
		u = t.User(inc.Account.UserPrincipalName)
	}
	if u == nil {
		s.Errorf("%s: the account %+v is not in the world", inc.Ref, inc.Account)
		return
	}
	done := func(id responsehub.StepID) bool { return stepOf(inc, id).State == responsehub.Done }
	switch {
	case done(responsehub.Reenable) && !u.Enabled():
		s.Errorf("%s: claimed to be re-enabled, the account is locked", inc.Ref)
	case done(responsehub.Lock) && !done(responsehub.Reenable) && u.Enabled():
		s.Errorf("%s: claimed to be locked, the account is open", inc.Ref)
	}
	s.frozen(func() {
		if done(responsehub.Lock) && u.UserType != "Guest" && !u.SessionsValidFrom.After(inc.OpenedAt.Truncate(time.Second).Add(-time.Second)) {
			s.Errorf("%s: sessions are valid from %s, before the incident", inc.Ref, u.SessionsValidFrom)
		}
		if done(responsehub.Password) && !stepOf(inc, responsehub.Password).ByHand && u.PasswordResets == 0 {
			s.Errorf("%s: claimed to have a new password, it was never set", inc.Ref)
		}
	})
	for _, it := range stepOf(inc, responsehub.Retract).Items {
		if it.State == responsehub.Done {
			s.retracted(inc, t)
			break
		}
	}
	for _, it := range stepOf(inc, responsehub.Persistence).Items {
		if it.State == responsehub.Done && s.alive(t, u, it) {
			s.Errorf("%s: %s %q is claimed to be %s but works", inc.Ref, it.Kind, it.Name, it.Proof.Value)
		}
	}
	for _, st := range inc.Steps {
		numbered := st.ID.Number() > 0 && st.ID != responsehub.Close
		if numbered && st.State == responsehub.Done && (st.Proof == nil || st.VerifiedAt.IsZero()) {
			s.Errorf("%s: step %s is done without proof", inc.Ref, st.ID)
		}
	}
}

// frozen runs f while nothing else changes the simulated Microsoft.
func (s *stage) frozen(f func()) {
	s.world.Microsoft.Lock()
	defer s.world.Microsoft.Unlock()
	f()
}

// retracted checks that a finished retraction left no phish outside Deleted Items.
func (s *stage) retracted(inc api.Incident, t *tenant.Tenant) {
	s.Helper()
	if stepOf(inc, responsehub.Retract).State != responsehub.Done {
		return
	}
	for _, scene := range s.world.Scenes {
		if scene.Tenant != t {
			continue
		}
		for _, u := range scene.Receivers {
			for _, m := range u.Messages("inbox") {
				if m.InternetMessageID == scene.PhishID {
					s.Errorf("%s: the phish is claimed to be retracted but lies in the inbox of %s", inc.Ref, u.UPN)
				}
			}
		}
	}
}

// alive reports whether a foothold works in the world.
func (s *stage) alive(t *tenant.Tenant, u *tenant.User, it api.Item) (alive bool) {
	s.frozen(func() {
		switch it.Kind {
		case responsehub.InboxRule:
			if u.Mailbox == nil {
				return
			}
			for _, r := range u.Mailbox.Rules {
				if r.Name == it.Name {
					alive = alive || r.Enabled
				}
			}
		case responsehub.ServicePrincipal:
			for _, sp := range t.ServicePrincipals {
				alive = alive || sp.DisplayName == it.Name && sp.AccountEnabled
			}
		case responsehub.AppRegistration:
			for _, a := range t.Applications {
				alive = alive || a.DisplayName == it.Name && !a.IsDisabled
			}
		case responsehub.OAuthGrant:
			for _, g := range t.Grants {
				sp := tenant.FindServicePrincipal(t, g.ClientID)
				alive = alive || sp != nil && sp.DisplayName == it.Name && sp.AccountEnabled
			}
		case responsehub.Forwarding:
			alive = u.ForwardingSMTPAddress == "smtp:"+it.Name
		case responsehub.AuthMethod:
			for _, m := range u.Methods {
				alive = alive || m.Detail != "" && strings.HasSuffix(it.Name, m.Detail)
			}
		case responsehub.Device:
			for _, d := range u.Devices {
				alive = alive || d.Name == it.Name && d.AccountEnabled
			}
		case responsehub.AutoReply:
			alive = u.AutomaticRepliesStatus != "disabled"
		case responsehub.SweepRule:
			for _, r := range u.Mailbox.Sweeps {
				alive = alive || r.Name == it.Name && r.Enabled
			}
		case responsehub.TransportRule:
			r := tenant.FindTransportRule(t, it.Name)
			alive = r != nil && r["State"] == "Enabled"
		case responsehub.InboundConnector:
			for _, c := range t.Connectors {
				alive = alive || c.Name == it.Name && c.Enabled
			}
		}
	})
	return alive
}

// onceOnly checks the world's own ledger: each message moved once, one card for each
// incident, one account disabled once for each round of its lock.
func (s *stage) onceOnly(known []string) {
	s.Helper()
	moves, cards := map[string]int{}, map[string]int{}
	for _, e := range s.world.Wire.Effects() {
		switch e.Kind {
		case "move":
			id, _, _ := strings.Cut(e.Detail, ": ")
			moves[e.Tenant+" "+e.Target+" "+id]++
		case "card.post":
			ref, _, _ := strings.Cut(e.Detail, " ")
			cards[ref]++
		}
	}
	for what, n := range moves {
		if n != 1 && !(s.movedBack && n == 2) {
			s.Errorf("message %s was moved %d times", what, n)
		}
	}
	most := 1
	if s.twoCards {
		most = 2
	}
	for ref, n := range cards {
		if strings.HasPrefix(ref, "RH-") && n > most {
			s.Errorf("%s has %d cards", ref, n)
		}
	}
}

// count counts the effects of a kind on a target; "" is any target.
func (s *stage) count(kind, target string) int {
	n := 0
	for _, e := range s.world.Wire.Effects() {
		if e.Kind == kind && (target == "" || e.Target == target) {
			n++
		}
	}
	return n
}

// picture prints what is needed to understand a failed story.
func (s *stage) picture() {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	for i, id := range known {
		if i == 3 {
			s.Logf("and %d incidents more", len(known)-i)
			break
		}
		if inc, ok := s.kept(id); ok {
			b, _ := json.Marshal(api.ViewOf(inc))
			s.Logf("incident: %s", b)
		}
		for _, e := range s.events(id) {
			s.Logf("record: %s %s %s %s", e.At.Format("15:04:05.000"), e.Kind, e.Step, e.Text)
		}
	}
	all := s.world.Wire.Requests()
	var b strings.Builder
	for _, q := range all[max(0, len(all)-40):] {
		fmt.Fprintf(&b, "%s %s %s %s?%s -> %d %s\n", q.At.Format("15:04:05.000"), q.Vendor, q.Method, q.Path, q.Query, q.Status, q.Fault)
	}
	s.Logf("the last requests:\n%s", &b)
	log := s.logs.String()
	s.Logf("the hub's last log lines:\n%s", log[max(0, len(log)-6000):])
}
