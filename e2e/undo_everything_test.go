package e2e

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// TestUndoEverything: what steps 1 to 3 did, rules and connectors deleted among it, is
// taken back, while the hub's process is killed in the middle of each undo. Then the
// customer's tenant is what it was before, but for the ids of what was made anew.
func TestUndoEverything(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{separate: true, movedBack: true})
	s.furnish()
	before := s.portrait(0)
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.byName(in)
	if r := s.ask(in.Incident, responsehub.Persistence, api.StepBody{Action: responsehub.Delete, Items: s.deletable(in), Reason: "delete what can be made anew"}); r.status != http.StatusAccepted {
		t.Fatalf("delete: %s", r)
	}
	s.persistenceSettled(in)
	if gocmp.Equal(before, s.portrait(0)) {
		t.Fatal("the steps changed nothing")
	}
	for _, m := range []moment{
		{name: "a message was moved back", step: responsehub.Retract, fault: wire.Fault{Vendor: "graph", Method: "POST", Match: "/move"}, landed: true},
		{name: "a rule was made anew", step: responsehub.Persistence, fault: wire.Fault{Vendor: "graph", Method: "POST", Match: "/messageRules"}, landed: true},
		{name: "sign-in was allowed", step: responsehub.Lock, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "accountEnabled"}, landed: true},
	} {
		s.world.Wire.AddFault(m.hang())
		r := s.undo(in, m.step, "it was a test of our own")
		if r.status != http.StatusAccepted || !strings.Contains(string(r.body), `"irreversible":[`) {
			t.Fatalf("undo %s: %s", m.step, r)
		}
		s.until(m.name, func() bool { return len(s.world.Wire.Faults()) == 0 })
		time.Sleep(50 * time.Millisecond) // the effect is made, the answer is held back
		s.killHub()
		s.world.Wire.ClearFaults()
		s.startHub()
		s.is(in.Incident, m.step, responsehub.Undone)
	}
	if d := gocmp.Diff(before, s.portrait(0)); d != "" {
		t.Errorf("the tenant is not what it was (-before +after the undo):\n%s", d)
	}
	s.recorded(in.Incident, responsehub.EventStepUndone, "Lock taken back")
	// Nobody can take it back twice.
	effects := len(s.world.Wire.Effects())
	if r := s.undo(in, responsehub.Lock, "again"); !strings.Contains(string(r.body), "taken back already") {
		t.Errorf("a second undo: %s", r)
	}
	for _, e := range s.world.Wire.Effects()[effects:] {
		if e.Vendor == "graph" || e.Vendor == "exchange" {
			t.Errorf("a second undo had the effect %+v", e)
		}
	}
}

// furnish puts in what else an attacker leaves, one of each kind that the hub can give back.
func (s *stage) furnish() {
	s.Helper()
	scene := s.scene(0)
	scene.Date(scene.Started.Add(2 * time.Minute))
	scene.Victim.AddSweep(tenant.Sweep{Name: "Tidy", Sender: "bank@partner.example"})
	scene.Tenant.AddTransportRule(tenant.TransportRule{Name: "Copy all", By: scene.Victim.UPN, More: map[string]any{"BlindCopyTo": []string{"drop@evil.example"}}})
	scene.Victim.Forward("smtp:drop@evil.example", true)
	scene.Victim.Delegate(scene.Sam.UPN, false)
	scene.Victim.Delegate(scene.Robin.UPN, true)
	scene.Victim.ShareInbox(scene.Sam.UPN, "Editor")
	s.frozen(func() {
		scene.Victim.AutomaticRepliesStatus, scene.Victim.AutomaticReply = "alwaysEnabled", "I have moved, write to drop@evil.example."
		// What cannot be given back is another story.
		scene.Victim.Methods = slices.DeleteFunc(scene.Victim.Methods, func(m tenant.Method) bool { return m.ID == scene.EvilMethod })
	})
}

// byName disables what the hub leaves to a person, item by item, and checks that there is
// one of each kind that can be given back.
func (s *stage) byName(in opened) {
	s.Helper()
	s.is(in.Incident, responsehub.Persistence, responsehub.NeedsHuman)
	var names []string
	kinds := map[responsehub.ItemKind]bool{}
	for _, it := range s.step(in.Incident, responsehub.Persistence).Items {
		kinds[it.Kind] = true
		if !it.State.Settled() {
			names = append(names, it.ID)
		}
	}
	for _, k := range responsehub.PersistenceKinds {
		if k.Restorable() && !kinds[k] {
			s.Errorf("there is no %s to give back", k)
		}
	}
	if r := s.ask(in.Incident, responsehub.Persistence, api.StepBody{Items: names}); r.status != http.StatusAccepted {
		s.Fatalf("by name: %s", r)
	}
	s.is(in.Incident, responsehub.Persistence, responsehub.Done)
}

// deletable are the items that the hub can make anew: no hidden rules.
func (s *stage) deletable(in opened) []string {
	s.Helper()
	var ids []string
	for _, it := range s.step(in.Incident, responsehub.Persistence).Items {
		if (it.Kind == responsehub.InboxRule || it.Kind == responsehub.InboundConnector) && !it.Hidden && it.State == responsehub.Done {
			ids = append(ids, it.ID)
		}
	}
	if len(ids) < 2 {
		s.Fatalf("there are %d rules and connectors to delete", len(ids))
	}
	return ids
}

func (s *stage) undo(in opened, step responsehub.StepID, reason string) reply {
	s.Helper()
	return s.api(http.MethodPost, "/v1/incidents/"+in.Incident+"/steps/"+string(step)+"/undo", api.UndoBody{Reason: reason})
}

// portrait is all of a scene's tenant that the steps may change. Ids of things that can
// only be made anew are left out.
func (s *stage) portrait(scene int) any {
	type mailbox struct {
		Enabled  bool
		Folders  map[string]string // of the messages
		Rules    []tenant.Rule
		Sweeps   []tenant.Sweep
		Forwards string
		Keeps    bool
		Replies  string
		Reply    string
		Open     []string // who may open the mailbox
		Send     []string // who may send as its owner
		Shares   []tenant.Share
		Devices  []tenant.Device
	}
	type app struct {
		Disabled bool
		Owners   []string
	}
	type portrait struct {
		Users      map[string]mailbox
		Principals map[string]bool
		Apps       map[string]app
		Grants     []tenant.Grant
		Connectors []tenant.Connector
		Transport  []map[string]any
	}
	p := portrait{Users: map[string]mailbox{}, Principals: map[string]bool{}, Apps: map[string]app{}}
	t := s.scene(scene).Tenant
	s.frozen(func() {
		for _, u := range t.Users {
			m := mailbox{Enabled: u.AccountEnabled, Folders: map[string]string{}, Forwards: u.ForwardingSMTPAddress, Keeps: u.DeliverAndForward, Replies: u.AutomaticRepliesStatus, Reply: u.AutomaticReply}
			m.Open, m.Send = slices.Sorted(slices.Values(u.Delegates)), slices.Sorted(slices.Values(u.SendAs))
			for _, d := range u.Devices {
				m.Devices = append(m.Devices, *d)
			}
			if u.Mailbox != nil {
				for _, l := range u.Mailbox.Messages {
					m.Folders[l.ImmutableID] = l.FolderID
				}
				for _, r := range u.Mailbox.Rules {
					rule := *r
					rule.ID, rule.Number = "", 0
					m.Rules = append(m.Rules, rule)
				}
				for _, sweep := range u.Mailbox.Sweeps {
					m.Sweeps = append(m.Sweeps, *sweep)
				}
				m.Shares = slices.Clone(u.Mailbox.Shares)
				slices.SortFunc(m.Rules, func(a, b tenant.Rule) int { return cmp.Compare(a.Name, b.Name) })
			}
			p.Users[u.UPN] = m
		}
		for _, r := range t.TransportRules {
			rule := maps.Clone(r)
			delete(rule, "WhenChanged")
			p.Transport = append(p.Transport, rule)
		}
		for _, sp := range t.ServicePrincipals {
			p.Principals[sp.ID] = sp.AccountEnabled
		}
		for _, a := range t.Applications {
			p.Apps[a.ID] = app{a.IsDisabled, slices.Sorted(slices.Values(a.Owners))}
		}
		for _, g := range t.Grants {
			grant := *g
			grant.ID = ""
			p.Grants = append(p.Grants, grant)
		}
		slices.SortFunc(p.Grants, func(a, b tenant.Grant) int { return cmp.Compare(a.ClientID+a.PrincipalID, b.ClientID+b.PrincipalID) })
		for _, c := range t.Connectors {
			connector := *c
			connector.GUID, connector.Created = "", time.Time{}
			p.Connectors = append(p.Connectors, connector)
		}
		slices.SortFunc(p.Connectors, func(a, b tenant.Connector) int { return cmp.Compare(a.Name, b.Name) })
	})
	return p
}
