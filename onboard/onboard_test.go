package onboard_test

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"responsehub"
	"responsehub/onboard"
	"responsehub/store"
	"responsehub/store/storetest"
)

const (
	contoso  = "11111111-1111-4111-8111-111111111111"
	fabrikam = "22222222-2222-4222-8222-222222222222"
)

var (
	ann  = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Admin, Via: responsehub.ViaConsole, Tenants: []string{"*"}}
	some = responsehub.Actor{ID: "key:some", Name: "some", Role: responsehub.Admin, Via: responsehub.ViaAPI, Tenants: []string{"Contoso"}}
)

// microsoft lets somebody of one tenant sign in.
type microsoft struct {
	signedIn  string // tenant in the verified token
	consented string // tenant that let the app in
	nonce     string
}

func (m *microsoft) ConsentLink(tenant, back, state string) string {
	return "https://login.test/consent?" + url.Values{"tenant": {tenant}, "state": {state}, "back": {back}}.Encode()
}

func (m *microsoft) SignInLink(tenant, back, state, nonce, proof string) string {
	m.nonce = nonce
	return "https://login.test/authorize?" + url.Values{"tenant": {tenant}, "state": {state}, "nonce": {nonce}, "back": {back}}.Encode()
}

func (m *microsoft) SignedIn(_ context.Context, _, _, code, nonce, proof string) (onboard.Visitor, error) {
	if code != "good" || nonce != m.nonce || proof == "" {
		return onboard.Visitor{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "not accepted"}
	}
	return onboard.Visitor{Tenant: m.signedIn, Name: "Pat"}, nil
}

func (m *microsoft) Organization(_ context.Context, tenant string) (string, error) {
	if m.consented != tenant {
		return "", &responsehub.Error{Kind: responsehub.Forbidden, Message: "no consent"}
	}
	return tenant, nil
}

type desk struct {
	*onboard.Desk
	m      *microsoft
	dir    *store.Directory
	redis  *miniredis.Miniredis
	looked int
}

func newDesk(t *testing.T, sub responsehub.Subscription) *desk {
	t.Helper()
	rdb, mini := storetest.Mini(t)
	log := slog.New(slog.DiscardHandler)
	d := &desk{m: &microsoft{signedIn: contoso, consented: contoso}, dir: store.NewDirectory(rdb, log), redis: mini}
	d.Desk = onboard.New(onboard.Config{Back: "https://hub.test/onboard/back", Subscription: sub, Look: func(_ context.Context, t responsehub.Tenant) (responsehub.Readiness, error) {
		d.looked++
		return responsehub.Readiness{V: 1, Tenant: t.Ref(), At: time.Now(), Checks: []responsehub.Check{{Grade: responsehub.CheckMissing, Sentence: "Mail.ReadWrite is missing."}}}, nil
	}}, d.m, store.New(rdb), d.dir, log)
	return d
}

// link begins and returns the state of the link.
func (d *desk) link(t *testing.T, name, microsoft string) string {
	t.Helper()
	link, err := d.Begin(t.Context(), ann, name, microsoft)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link.Address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("state")
}

func back(state string) url.Values {
	return url.Values{"admin_consent": {"True"}, "tenant": {fabrikam}, "state": {state}} // the tenant is a lie
}

func code(state string) url.Values { return url.Values{"code": {"good"}, "state": {state}} }

func TestATenantComesInPaused(t *testing.T) {
	d := newDesk(t, responsehub.Subscription{})
	next, state, err := d.Consented(t.Context(), back(d.link(t, "Contoso", "")))
	if err != nil || !strings.Contains(next, state) {
		t.Fatalf("%q %v", next, err)
	}
	tenant, found, err := d.SignedIn(t.Context(), code(state), state)
	if err != nil {
		t.Fatal(err)
	}
	kept, ok := d.dir.Tenant(contoso)
	if !ok || kept.Name != "Contoso" || kept.Paused == nil || kept.Paused.By.ID != ann.ID || kept.Response || kept.ID != tenant.ID {
		t.Errorf("on the list: %t %+v", ok, kept)
	}
	if _, ok := d.dir.Tenant(fabrikam); ok {
		t.Error("the tenant of the address was believed")
	}
	if d.looked != 1 || found == nil || found.Missing() != 1 {
		t.Errorf("looked %d times: %+v", d.looked, found)
	}
	entries, err := d.dir.Journal(t.Context(), 0, 9)
	if err != nil || len(entries) != 1 || !strings.Contains(string(entries[0]), "person:ann") {
		t.Errorf("the record: %s %v", entries, err)
	}
	if _, _, err := d.SignedIn(t.Context(), code(state), state); responsehub.KindOf(err) != responsehub.Gone {
		t.Errorf("the same sign-in again: %v", err)
	}
}

func TestLinksThatAreRefused(t *testing.T) {
	type run struct {
		d     *desk
		state string
	}
	consent := func(t *testing.T, r *run) {
		t.Helper()
		var err error
		if _, r.state, err = r.d.Consented(t.Context(), back(r.state)); err != nil {
			t.Fatal(err)
		}
	}
	signIn := func(t *testing.T, r *run) error {
		_, _, err := r.d.SignedIn(t.Context(), code(r.state), r.state)
		return err
	}
	consented := func(t *testing.T, r *run) error { _, _, err := r.d.Consented(t.Context(), back(r.state)); return err }
	tests := []struct {
		name string
		of   string // Microsoft tenant of the link
		do   func(*testing.T, *run) error
		kind responsehub.Kind
		says string
	}{
		{"used", "", func(t *testing.T, r *run) error {
			first := *r
			consent(t, &first)
			return consented(t, r)
		}, responsehub.Gone, "used already"},
		{"old", "", func(t *testing.T, r *run) error {
			r.d.redis.FastForward(time.Hour + time.Second)
			return consented(t, r)
		}, responsehub.Gone, "older than an hour"},
		{"made up", "", func(t *testing.T, r *run) error { r.state = "made-up"; return consented(t, r) }, responsehub.Gone, "new one"},
		{"none", "", func(t *testing.T, r *run) error { r.state = ""; return consented(t, r) }, responsehub.Gone, "new one"},
		{"without consent", "", func(t *testing.T, r *run) error {
			_, _, err := r.d.Consented(t.Context(), url.Values{"state": {r.state}, "tenant": {contoso}})
			return err
		}, responsehub.Refused, "did not say"},
		{"the link's state as a sign-in", "", signIn, responsehub.Gone, "new one"},
		{"another tenant's administrator", fabrikam, func(t *testing.T, r *run) error { consent(t, r); return signIn(t, r) }, responsehub.Refused, "another Microsoft tenant"},
		{"a tenant that did not consent", "", func(t *testing.T, r *run) error {
			r.d.m.signedIn = fabrikam
			consent(t, r)
			return signIn(t, r)
		}, responsehub.Forbidden, "no consent"},
		{"another browser", "", func(t *testing.T, r *run) error {
			consent(t, r)
			_, _, err := r.d.SignedIn(t.Context(), code(r.state), "")
			return err
		}, responsehub.Invalid, "another window"},
		{"a code that is not good", "", func(t *testing.T, r *run) error {
			consent(t, r)
			_, _, err := r.d.SignedIn(t.Context(), url.Values{"code": {"bad"}, "state": {r.state}}, r.state)
			return err
		}, responsehub.Unauthorized, "not accepted"},
		{"an old sign-in", "", func(t *testing.T, r *run) error {
			consent(t, r)
			r.d.redis.FastForward(11 * time.Minute)
			return signIn(t, r)
		}, responsehub.Gone, "new one"},
		{"on the list meanwhile", "", func(t *testing.T, r *run) error {
			consent(t, r)
			if err := r.d.dir.Apply(t.Context(), ann.By(), []responsehub.Tenant{{Name: "Other", MicrosoftTenantID: contoso}}, nil); err != nil {
				t.Fatal(err)
			}
			return signIn(t, r)
		}, responsehub.Conflict, "on the list already"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, responsehub.Subscription{})
			err := tt.do(t, &run{d: d, state: d.link(t, "Contoso", tt.of)})
			if responsehub.KindOf(err) != tt.kind || !strings.Contains(responsehub.Sentence(err), tt.says) {
				t.Errorf("%v, want %s: %q", err, tt.kind, tt.says)
			}
			for _, k := range d.dir.Tenants() {
				if k.Name == "Contoso" {
					t.Error("the tenant is on the list all the same")
				}
			}
		})
	}
}

func TestADeclinedConsentLeavesTheLinkGood(t *testing.T) {
	d := newDesk(t, responsehub.Subscription{})
	state := d.link(t, "Contoso", contoso)
	if _, _, err := d.Consented(t.Context(), url.Values{"error": {"access_denied"}, "state": {state}}); responsehub.KindOf(err) != responsehub.Refused {
		t.Errorf("%v", err)
	}
	if _, _, err := d.Consented(t.Context(), back(state)); err != nil {
		t.Errorf("the same link again: %v", err)
	}
}

func TestWhoMayBegin(t *testing.T) {
	d := newDesk(t, responsehub.Subscription{})
	if err := d.dir.Apply(t.Context(), ann.By(), []responsehub.Tenant{{ID: "c", Name: "Contoso", MicrosoftTenantID: contoso}}, nil); err != nil {
		t.Fatal(err)
	}
	over := newDesk(t, responsehub.Subscription{TrialEnds: time.Now().Add(-time.Minute)})
	tests := []struct {
		name, tenant, microsoft string
		d                       *desk
		actor                   responsehub.Actor
		kind                    responsehub.Kind
		pointer                 string
	}{
		{"administrator of some tenants", "New", "", d, some, responsehub.Forbidden, ""},
		{"stranger", "New", "", d, responsehub.Actor{}, responsehub.Forbidden, ""},
		{"no name", " ", "", d, ann, responsehub.Invalid, "/name"},
		{"no id", "New", "contoso.example", d, ann, responsehub.Invalid, "/microsoft_tenant_id"},
		{"the same name", "contoso", "", d, ann, responsehub.Conflict, "/name"},
		{"the same tenant", "New", strings.ToUpper(contoso), d, ann, responsehub.Conflict, "/microsoft_tenant_id"},
		{"an ended trial", "New", "", over, ann, responsehub.Refused, ""},
	}
	for _, tt := range tests {
		_, err := tt.d.Begin(t.Context(), tt.actor, tt.tenant, tt.microsoft)
		e, ok := errors.AsType[*responsehub.Error](err)
		if !ok || e.Kind != tt.kind || e.Pointer != tt.pointer {
			t.Errorf("%s: %+v", tt.name, err)
		}
	}
}
