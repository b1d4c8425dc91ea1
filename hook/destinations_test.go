package hook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// office is a directory of two tenants with their incidents.
type office struct {
	tenants  []responsehub.Tenant
	settings responsehub.Settings
	incs     []*responsehub.Incident
	said     []string
}

func (o *office) Tenants() []responsehub.Tenant { return o.tenants }

func (o *office) Tenant(id string) (responsehub.Tenant, bool) {
	for _, t := range o.tenants {
		if t.ID == id {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}

func (o *office) ChangeTenant(_ context.Context, _ responsehub.By, what, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error) {
	for i := range o.tenants {
		if o.tenants[i].ID == id {
			t := o.tenants[i]
			if err := edit(&t); err != nil {
				return t, err
			}
			o.tenants[i], o.said = t, append(o.said, what)
			return t, nil
		}
	}
	return responsehub.Tenant{}, nil
}

func (o *office) Settings() responsehub.Settings { return o.settings }

func (o *office) Sign(_ context.Context, _ responsehub.By, text, id string, edit func(responsehub.Signing) responsehub.Signing) (responsehub.Signing, error) {
	if o.settings.Signing == nil {
		o.settings.Signing = map[string]responsehub.Signing{}
	}
	o.settings.Signing[id] = edit(o.settings.Signing[id])
	o.said = append(o.said, text)
	return o.settings.Signing[id], nil
}

func destinationsOf(t *testing.T) (*Destinations, *office, *sink) {
	tenant := func(id, name string) responsehub.Tenant {
		return responsehub.Tenant{ID: id, Name: name, MicrosoftTenantID: strings.Repeat(id, 8) + "-1111-4111-8111-111111111111"}
	}
	o := &office{tenants: []responsehub.Tenant{tenant("1", "Contoso"), tenant("2", "Fabrikam")}}
	s := &sink{ids: map[string][]string{}, bodies: map[string][]string{}, err: map[string]error{}, tries: map[string]int{}, slow: map[string]time.Duration{}}
	return NewDestinations(Office{
		Directory: o, Sender: s,
		Secret: func(a string, g int) responsehub.Secret { return responsehub.Secret(fmt.Sprint(a, "#", g)) },
		Incidents: func(context.Context, responsehub.Actor, string, int) ([]*responsehub.Incident, error) {
			return o.incs, nil
		},
		Amend: func(_ context.Context, id string, edit responsehub.Edit) error {
			i := slices.IndexFunc(o.incs, func(inc *responsehub.Incident) bool { return inc.ID == id })
			return edit(o.incs[i])
		},
	}), o, s
}

var (
	boss  = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Admin, Tenants: []string{"*"}}
	local = responsehub.Actor{ID: "person:bob", Name: "Bob", Role: responsehub.Admin, Tenants: []string{"Contoso"}}
	desk1 = responsehub.Actor{ID: "person:eve", Name: "Eve", Role: responsehub.Responder, Tenants: []string{"*"}}
)

func TestTheSecretIsShownOnceAndNeverOfAnothersAddress(t *testing.T) {
	d, o, _ := destinationsOf(t)
	made, secret, err := d.Add(t.Context(), boss, "1", " "+good+" ")
	if err != nil || secret != good+"#1" || made.Host != "good.example" {
		t.Fatalf("made %+v, secret %q, %v", made, secret, err)
	}
	if _, _, err := d.Add(t.Context(), boss, "1", good); responsehub.KindOf(err) != responsehub.Conflict {
		t.Errorf("the same again: %v", err)
	}
	if _, _, err := d.Add(t.Context(), boss, "1", "http://good.example/"); responsehub.KindOf(err) != responsehub.Invalid {
		t.Errorf("without TLS: %v", err)
	}
	if _, secret, err := d.Add(t.Context(), boss, "2", good); err != nil || secret != "" {
		t.Errorf("another tenant's address: %q, %v", secret, err)
	}
	if _, _, err := d.Rotate(t.Context(), local, "1", made.ID); responsehub.KindOf(err) != responsehub.Forbidden {
		t.Errorf("somebody who manages one of the two tenants rotates: %v", err)
	}
	if _, secret, err := d.Rotate(t.Context(), boss, "1", made.ID); err != nil || secret != good+"#2" {
		t.Errorf("rotated: %q, %v", secret, err)
	}
	list, err := d.List(t.Context(), desk1, "1")
	if err != nil || len(list) != 1 || !list[0].Overlapping || strings.Contains(fmt.Sprintf("%+v", list), "/hook") {
		t.Errorf("listed %+v, %v", list, err)
	}
	for _, tenant := range []string{"1", "2"} {
		if err := d.Remove(t.Context(), boss, tenant, made.ID); err != nil {
			t.Error(err)
		}
	}
	if _, secret, err := d.Add(t.Context(), local, "1", good); err != nil || secret != good+"#3" {
		t.Errorf("made anew, whoever had it before: %q, %v", secret, err)
	}
	if said := strings.Join(o.said, "\n"); strings.Contains(said, "/hook") || !strings.Contains(said, "good.example rotated") {
		t.Errorf("recorded:\n%s", said)
	}
}

func TestOnlyWhoManagesATenantTouchesItsDestinations(t *testing.T) {
	d, o, _ := destinationsOf(t)
	o.tenants[1].Notify.Webhooks = []string{good}
	id := responsehub.AddressID(good)
	for name, ask := range map[string]func(a responsehub.Actor) error{
		"add":    func(a responsehub.Actor) error { _, _, err := d.Add(t.Context(), a, "2", bad); return err },
		"rotate": func(a responsehub.Actor) error { _, _, err := d.Rotate(t.Context(), a, "2", id); return err },
		"test":   func(a responsehub.Actor) error { _, _, err := d.Test(t.Context(), a, "2", id); return err },
		"retry":  func(a responsehub.Actor) error { _, err := d.Retry(t.Context(), a, "2", id); return err },
		"remove": func(a responsehub.Actor) error { return d.Remove(t.Context(), a, "2", id) },
	} {
		if err := ask(desk1); responsehub.KindOf(err) != responsehub.Forbidden {
			t.Errorf("%s by a responder: %v", name, err)
		}
		if err := ask(local); responsehub.KindOf(err) != responsehub.NotFound {
			t.Errorf("%s by another tenant's administrator: %v", name, err)
		}
	}
	if _, err := d.List(t.Context(), local, "2"); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("listed for another tenant's administrator: %v", err)
	}
	if _, _, err := d.Test(t.Context(), boss, "2", "0000"); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("a destination that is none: %v", err)
	}
}

func TestATestTellsWhatTheReceiverAnswered(t *testing.T) {
	d, o, s := destinationsOf(t)
	o.tenants[0].Notify.Webhooks, o.tenants[0].Notify.Slack = []string{good, bad}, []string{slack}
	s.err[bad] = &responsehub.Error{Kind: responsehub.Unavailable, Message: "It answered 500."}
	for address, want := range map[string]string{good: "good.example took the test event", bad: "bad.example did not take the test event: It answered 500.", slack: "hooks.slack.example took"} {
		taken, sentence, err := d.Test(t.Context(), boss, "1", responsehub.AddressID(address))
		if err != nil || !strings.Contains(sentence, want) || taken != (address != bad) {
			t.Errorf("%s: %t %q %v", address, taken, sentence, err)
		}
	}
	if len(s.bodies[good]) != 1 || !strings.Contains(s.bodies[good][0], `"type":"test"`) || !strings.HasPrefix(s.ids[good][0], "evt_test_") || !strings.Contains(s.bodies[slack][0], "A test from ResponseHub for Contoso, sent by Ann") {
		t.Errorf("sent %v %v", s.ids, s.bodies)
	}
}

func TestStandingAndRetry(t *testing.T) {
	d, o, _ := destinationsOf(t)
	o.tenants[0].Notify.Webhooks = []string{bad, good}
	at, id := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), responsehub.AddressID(bad)
	for n, ref := range []responsehub.HookRef{
		{Seq: 3, At: at.Add(time.Hour)},
		{Seq: 1, At: at, Tries: 2, Since: at.Add(2 * time.Hour), Again: at.Add(5 * time.Hour)},
		{Seq: 2, Tries: 1, Since: at, Failure: "given up for this incident. It answered 410.", Dead: true},
	} {
		o.incs = append(o.incs, &responsehub.Incident{ID: fmt.Sprint(n), Hooks: map[string]responsehub.HookRef{id: ref, responsehub.AddressID(good): {Seq: 9, At: at}}})
	}
	list, err := d.List(t.Context(), boss, "1")
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	if s := list[0]; !s.Delivered.Equal(at.Add(time.Hour)) || !s.Failing.Equal(at) || s.Waiting != 2 || s.Dead != 1 || !strings.Contains(s.Failure, "410") {
		t.Errorf("the bad one: %+v", s)
	}
	if s := list[1]; !s.Delivered.Equal(at) || s.Waiting != 0 || !s.Failing.IsZero() || s.Failure != "" {
		t.Errorf("the good one: %+v", s)
	}
	if n, err := d.Retry(t.Context(), boss, "1", id); n != 2 || err != nil {
		t.Errorf("tried again on %d incidents (%v)", n, err)
	}
	for i, want := range []responsehub.HookRef{{Seq: 3, At: at.Add(time.Hour)}, {Seq: 1, At: at}, {Seq: 2}} {
		if got := o.incs[i].Hooks[id]; got != want {
			t.Errorf("incident %d: %+v", i, got)
		}
	}
	if n, err := d.Retry(t.Context(), boss, "1", id); n != 0 || err != nil {
		t.Errorf("tried again without need on %d incidents (%v)", n, err)
	}
}
