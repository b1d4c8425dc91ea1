package e2e

import (
	"encoding/json"
	"fmt"
	"slices"

	"responsehub"
	"responsehub/sim"
	"responsehub/sim/desk"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// product is a ticket system, with its requests as the stories that are told of all of
// them need to know them. The customers of a stage with scenery.desks have one each.
type product struct {
	name     string
	snapshot func(*sim.World) desk.State
	company  wire.Fault                  // the company is looked for: the hub has noted that it makes a ticket, and has not asked for it
	made     wire.Fault                  // the ticket is made
	noted    wire.Fault                  // a note is written; Body is the story's
	moved    wire.Fault                  // the status is set
	read     func(ticket int) wire.Fault // the ticket is read
}

var products = []product{
	{
		name: "connectwise", snapshot: func(w *sim.World) desk.State { return w.ConnectWise.Snapshot() },
		company: wire.Fault{Method: "GET", Match: "/company/companies"},
		made:    wire.Fault{Method: "POST", Match: "/service/tickets", Body: `"externalXRef":"RH-`},
		noted:   wire.Fault{Method: "POST", Match: "/notes"},
		moved:   wire.Fault{Method: "PATCH", Match: "/service/tickets/", Body: `"path":"status"`},
		read: func(id int) wire.Fault {
			return wire.Fault{Method: "GET", Match: fmt.Sprintf("/service/tickets/%d", id)}
		},
	},
	{
		name: "autotask", snapshot: func(w *sim.World) desk.State { return w.Autotask.Snapshot() },
		company: wire.Fault{Method: "POST", Match: "/Companies/query"},
		made:    wire.Fault{Method: "POST", Match: "/Tickets", Body: `"externalID":"RH-`},
		noted:   wire.Fault{Method: "POST", Match: "/Notes"},
		moved:   wire.Fault{Method: "PATCH", Match: "/Tickets", Body: `"status":`},
		read:    func(id int) wire.Fault { return wire.Fault{Method: "GET", Match: fmt.Sprintf("/Tickets/%d", id)} },
	},
	{
		name: "halopsa", snapshot: func(w *sim.World) desk.State { return w.Halo.Snapshot() },
		company: wire.Fault{Method: "GET", Match: "/Client"},
		made:    wire.Fault{Method: "POST", Match: "/Tickets", Body: `"third_party_id_string":"RH-`},
		noted:   wire.Fault{Method: "POST", Match: "/Actions"},
		moved:   wire.Fault{Method: "POST", Match: "/Tickets", Body: `[{"id":`},
		read:    func(id int) wire.Fault { return wire.Fault{Method: "GET", Match: fmt.Sprintf("/Tickets/%d", id)} },
	},
}

// pair is two incidents of one customer, whose tickets are kept in one product.
type pair struct {
	product
	alerts [2][]byte
	in     [2]opened
}

// pairs makes two alerts for each product, about accounts that nothing was planted in.
func (s *stage) pairs() []*pair {
	s.Helper()
	var out []*pair
	for i, p := range products {
		scene, next := s.scene(i), &pair{product: p}
		for k := range next.alerts {
			u := scene.Tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("account%d@%s", k, scene.Tenant.Domains[0].Name), Name: fmt.Sprintf("Account %d", k)})
			alert := scene.Alert(fmt.Sprintf("pair-%s-%d", p.name, k))
			alert["account"] = map[string]any{"object_id": u.ID, "user_principal_name": u.UPN}
			delete(alert, "persistence")
			delete(alert, "phish")
			body, err := json.Marshal(alert)
			if err != nil {
				s.Fatal(err)
			}
			next.alerts[k] = body
		}
		out = append(out, next)
	}
	return out
}

// refAt is what the hub knows of the incident's ticket in a product.
func (s *stage) refAt(p product, in opened) responsehub.TicketRef {
	inc, ok := s.kept(in.Incident)
	if !ok {
		return responsehub.TicketRef{}
	}
	return inc.Tickets[p.name]
}

// toldAt waits until the ticket tells of all the keys and nothing is in doubt.
func (s *stage) toldAt(p product, in opened, keys ...string) {
	s.Helper()
	s.until(fmt.Sprintf("the ticket of %s in %s tells of %q", in.Ref, p.name, keys), func() bool {
		ref := s.refAt(p, in)
		return ref.ID != "" && ref.Intent == "" && !slices.ContainsFunc(keys, func(k string) bool { return !slices.Contains(ref.Noted, k) })
	})
}

// stands waits until the ticket is known to be set to a stage.
func (s *stage) stands(p product, in opened, stage string) {
	s.Helper()
	s.until(fmt.Sprintf("the ticket of %s in %s is %s", in.Ref, p.name, stage), func() bool {
		ref := s.refAt(p, in)
		return ref.Stage == stage && ref.Intent == ""
	})
}

// oneTicketAt is the incident's only ticket in a product; a deleted one does not count.
func (s *stage) oneTicketAt(p product, in opened) desk.Ticket {
	s.Helper()
	all := p.snapshot(s.world).ByRef(in.Ref)
	if len(all) != 1 {
		s.Fatalf("%s has %d tickets in %s: %+v", in.Ref, len(all), p.name, all)
	}
	return all[0]
}
