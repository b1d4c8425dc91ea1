package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/receiver"
	"responsehub/sim/wire"
)

// TestEveryEventReachesTheReceiver: an outgoing webhook and Slack through a whole incident.
// An answer is lost, a redirect is not followed, Slack asks for patience, and the hub is
// killed while a delivery hangs: what the receiver verified is the record, in order, each
// entry under its own id. Then the receiver wants nothing more and is given up: it stands
// among the dead lanes, and a person's retry delivers what it missed. The one-time
// password is in nothing that went out.
func TestEveryEventReachesTheReceiver(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{separate: true, hooks: true})
	tenant := "/v1/tenants/" + s.scene(0).Tenant.ID + "/destinations"
	siem := s.destination(tenant, "webhook")

	// The secret is shown by the rotation alone. Before that the receiver takes nothing.
	var tested api.Tested
	s.api(http.MethodPost, tenant+"/"+siem.ID+"/test", nil).decode(t, &tested)
	if tested.Taken || !strings.Contains(tested.Sentence, "It answered 401.") {
		t.Errorf("a receiver without the secret: %+v", tested)
	}
	var made api.SignedDestination
	s.api(http.MethodPost, tenant+"/"+siem.ID+"/rotate", nil).decode(t, &made)
	s.world.Receiver.Trust("siem", made.Secret)
	s.until("the rotation is in effect", func() bool {
		s.api(http.MethodPost, tenant+"/"+siem.ID+"/test", nil).decode(t, &tested)
		return tested.Taken
	})

	s.world.Wire.AddFault(wire.Fault{Vendor: "receiver", Body: `"seq":1,`, After: true, Drop: true, Times: 1})
	s.world.Wire.AddFault(wire.Fault{Vendor: "receiver", Body: `"seq":3,`, Status: http.StatusFound, Header: map[string]string{"Location": s.world.LoginURL() + "/receiver/elsewhere"}, Times: 1})
	s.world.Wire.AddFault(wire.Fault{Vendor: "slack", Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "1"}, Times: 1})
	s.world.Wire.AddFault(wire.Fault{Vendor: "receiver", Body: `"seq":5,`, After: true, DelayMS: 20_000, Times: 1})
	in := s.takeover()
	s.persistenceSettled(in)
	s.until("a delivery hangs", func() bool { return len(s.world.Wire.Faults()) == 0 })
	s.killHub()
	s.startHub()
	s.ask(in.Incident, responsehub.Password, api.StepBody{})
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	password := s.scene(0).Victim.Password()
	s.delivered(in)
	first := s.receiverEvents(in)
	if first[0].Copies < 1 || first[4].Copies < 1 {
		t.Errorf("what was lost on the way came %d and %d times more", first[0].Copies, first[4].Copies)
	}

	// It wants nothing more.
	s.world.Wire.AddFault(wire.Fault{Vendor: "receiver", Status: http.StatusGone})
	s.ask(in.Incident, responsehub.Reenable, api.StepBody{})
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	var dead api.List[api.DeadLane]
	s.until("it stands among the dead lanes", func() bool {
		s.api(http.MethodGet, "/v1/lanes?state=dead", nil).decode(t, &dead)
		return len(dead.Items) == 1
	})
	if l := dead.Items[0]; !strings.Contains(l.Error, "It answered 410.") || !strings.Contains(l.ID, in.Incident+"|webhook-") {
		t.Errorf("the dead lane: %+v", l)
	}
	if d := s.destination(tenant, "webhook"); d.Dead != 1 || d.Waiting != 1 || d.FailingFrom.IsZero() || d.DeliveredAt.IsZero() || !strings.Contains(d.Failure, "410") {
		t.Errorf("the destination stands as %+v", d)
	}
	s.ask(in.Incident, responsehub.Close, api.StepBody{})
	s.closed(in)
	s.world.Wire.ClearFaults()
	if r := s.api(http.MethodPost, "/v1/lanes/"+strings.ReplaceAll(dead.Items[0].ID, "|", "%7C")+"/retry", nil); r.status != http.StatusAccepted {
		t.Fatalf("retry: %s", r)
	}
	s.delivered(in)
	if d := s.destination(tenant, "webhook"); d.Dead != 0 || d.Waiting != 0 || !d.FailingFrom.IsZero() {
		t.Errorf("after the retry it stands as %+v", d)
	}

	state := s.world.Receiver.Snapshot()
	if found([]byte(fmt.Sprintf("%+v", state)), password) {
		t.Error("the one-time password went out")
	}
	if len(state.Slack) < 2 || !strings.Contains(state.Slack[0].Text, in.Ref) || !strings.Contains(state.Slack[0].Text, "Response is on there") || state.Slack[0].Blocks < 2 {
		t.Errorf("Slack heard %+v", state.Slack)
	}
}

// destination is the tenant's only one of its kind.
func (s *stage) destination(path, kind string) api.Destination {
	s.Helper()
	var list api.List[api.Destination]
	s.api(http.MethodGet, path, nil).decode(s, &list)
	for _, d := range list.Items {
		if d.Kind == kind {
			return d
		}
	}
	s.Fatalf("no %s among %+v", kind, list.Items)
	return api.Destination{}
}

// receiverEvents is what the receiver took of an incident.
func (s *stage) receiverEvents(in opened) []receiver.Event {
	var out []receiver.Event
	for _, e := range s.world.Receiver.Snapshot().Hooks[0].Events {
		if e.Ref == in.Ref {
			out = append(out, e)
		}
	}
	return out
}

// delivered waits until the receiver has the whole record, and compares the two.
func (s *stage) delivered(in opened) {
	s.Helper()
	var record struct{ Items []responsehub.Event }
	s.until("the receiver has the whole record", func() bool {
		record.Items = nil
		s.api(http.MethodGet, "/v1/incidents/"+in.Incident+"/events", nil).decode(s, &record)
		return len(s.receiverEvents(in)) >= len(record.Items)
	})
	for i, e := range s.receiverEvents(in)[:len(record.Items)] {
		want := record.Items[i]
		if e.Seq != int64(i+1) || e.Type != string(want.Kind) || e.Text != want.Text || e.ID != fmt.Sprintf("evt_%s_%d", in.Incident, i+1) {
			s.Errorf("delivery %d is %s %d %s %q, the record says %s %q", i+1, e.ID, e.Seq, e.Type, e.Text, want.Kind, want.Text)
		}
	}
	refused := s.world.Receiver.Snapshot().Hooks[0].Refused
	if slices.ContainsFunc(refused, func(r receiver.Refused) bool { return strings.HasPrefix(r.ID, "evt_"+in.Incident) }) {
		s.Errorf("the receiver refused %+v", refused)
	}
}
