package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"responsehub/sim"
	"responsehub/sim/graph"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// townOrders say what town is built.
type townOrders struct {
	HubURL    string
	Mailboxes int
	Hits      int // copies of each phish
	Phish     int // how many different ones
	Locks     int // accounts beside, to be locked
	Latency   time.Duration
	Throttled int // one request in so many is answered 429
}

// crowd is how many of the copies of a phish lie in one mailbox: more than may be asked
// for at once there.
const crowd = 20

// townSays is what the hub and whoever asks it need to know of the town.
type townSays struct {
	Config, Secret string
	Alerts         []map[string]any // one for each phish
	Locks          []map[string]any // one for each account to be locked
	Mailboxes      int              // all there are, the scene's own included
}

// townReport is what became of the town, from the simulator's own ledger.
type townReport struct {
	Phish     []phishReport
	Innocent  int // other messages that were moved
	Peak      graph.Peak
	Requests  int
	Throttled int
	Unknown   []string             // what Microsoft would not have known
	Disabled  map[string]time.Time // by account: when it was locked
}

// phishReport is about the copies of one phish.
type phishReport struct{ Copies, Missed, Twice int }

// town is the pretended Microsoft with one customer who has very many mailboxes.
type town struct {
	world *sim.World
	of    townOrders
	users []*tenant.User
	locks []*tenant.User
	kinds map[string]int // phish by message id
}

// serveTown is a process that is the town.
func serveTown() error {
	t := &town{kinds: map[string]int{}}
	if err := orders(&t.of); err != nil {
		return err
	}
	debug.SetGCPercent(200) // the hub is measured, and shares the machine
	var err error
	t.world, err = sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: t.of.HubURL, NoLimits: true})
	if err != nil {
		return err
	}
	defer t.world.Stop()
	says := t.build()
	t.world.Graph.SetLatency("", t.of.Latency)
	if t.of.Throttled > 0 {
		t.world.Wire.AddFault(wire.Fault{
			Vendor: "graph", Every: t.of.Throttled, Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "1"},
			Answer: `{"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}}`,
		})
	}
	if err := t.world.Start(context.Background()); err != nil {
		return err
	}
	return converse(says, func() any { return t.report() })
}

// build adds the mailboxes. Each has honest mail, and some of it looks much like phish.
func (t *town) build() townSays {
	scene := t.world.Scenes[1] // Response is off there
	domain, sender := scene.Tenant.Domains[0].Name, scene.Victim.Mail
	at := time.Now().UTC().Add(-30 * time.Minute).Truncate(time.Second)
	says := townSays{Config: t.world.Config(), Secret: t.world.WebhookSecret()}
	subject := func(k int) string { return fmt.Sprintf("Invoice 90%02d is overdue", k) }
	for n := range t.of.Mailboxes {
		u := scene.Tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("user%06d@%s", n, domain), Shared: n%50 == 0})
		t.users = append(t.users, u)
		switch n % 4 {
		case 0:
			u.Deliver(tenant.Message{From: sender, Subject: "Minutes of Monday", Received: at})
		case 1:
			u.Deliver(tenant.Message{From: "kim@" + domain, Subject: subject(0), Received: at})
		case 2:
			u.Deliver(tenant.Message{From: sender, Subject: subject(0), Received: at.Add(-48 * time.Hour)})
		default:
			u.Deliver(tenant.Message{From: "news@partner.example", Subject: "News", Received: at})
		}
	}
	each := t.of.Mailboxes / t.of.Hits
	for k := range t.of.Phish {
		id := fmt.Sprintf("<phish-90%02d@%s>", k, domain)
		t.kinds[id] = k
		for n := range t.of.Hits {
			m := tenant.Message{InternetMessageID: id, From: sender, Subject: subject(k), Received: at}
			if n%5 == 4 { // sent by itself, with an id of its own
				m.InternetMessageID = fmt.Sprintf("<%d-%s", n, id[1:])
				t.kinds[m.InternetMessageID] = k
			}
			t.users[max(0, n-crowd+1)*each+k].Deliver(m)
		}
		victim := t.users[each-1-k]
		a := scene.Alert(fmt.Sprint("retract-", k))
		a["account"] = map[string]any{"object_id": victim.ID, "user_principal_name": victim.UPN}
		a["phish"] = []any{map[string]any{
			"internet_message_id": id, "sender": sender, "subject": subject(k),
			"received_after": at.Add(-10 * time.Minute).Format(time.RFC3339), "received_before": at.Add(10 * time.Minute).Format(time.RFC3339),
		}}
		delete(a, "persistence")
		says.Alerts = append(says.Alerts, a)
	}
	for n := range t.of.Locks {
		u := scene.Tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("lock%03d@%s", n, domain)})
		t.locks = append(t.locks, u)
		a := scene.Alert(fmt.Sprint("lock-", n))
		a["account"] = map[string]any{"object_id": u.ID, "user_principal_name": u.UPN}
		delete(a, "phish")
		delete(a, "persistence")
		says.Locks = append(says.Locks, a)
	}
	says.Mailboxes = t.of.Mailboxes + t.of.Locks + len(scene.Receivers) + 3 // Pat, Robin and the administrator
	return says
}

// report looks at every message.
func (t *town) report() townReport {
	r := townReport{
		Phish: make([]phishReport, t.of.Phish), Peak: t.world.Graph.Peak(), Unknown: t.world.Wire.UnexpectedAll(), Disabled: map[string]time.Time{},
	}
	for _, u := range t.users {
		bin := map[string]bool{}
		for _, m := range u.Messages("deleteditems") {
			bin[m.ID] = true
		}
		for _, m := range u.Messages("") {
			k, phish := t.kinds[m.InternetMessageID]
			if !phish {
				r.Innocent += min(m.Moves, 1)
				continue
			}
			p := &r.Phish[k]
			p.Copies++
			if !bin[m.ID] {
				p.Missed++
			}
			if m.Moves > 1 {
				p.Twice++
			}
		}
	}
	for _, q := range t.world.Wire.Requests() {
		if q.Vendor != "graph" {
			continue
		}
		r.Requests++
		if q.Status == http.StatusTooManyRequests {
			r.Throttled++
		}
	}
	for _, e := range t.world.Wire.Effects() {
		if _, known := r.Disabled[e.Target]; e.Kind == "disable" && !known {
			r.Disabled[e.Target] = e.At
		}
	}
	return r
}
