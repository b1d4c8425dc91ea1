package responsehub_test

import (
	"errors"
	"testing"
	"time"

	"responsehub"
)

func TestPersonCheck(t *testing.T) {
	good := responsehub.Person{ID: "ann", Name: "Ann", Role: responsehub.Responder, Tenants: []string{"*"}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for pointer, spoil := range map[string]func(*responsehub.Person){
		"/id":              func(p *responsehub.Person) { p.ID = "a b" },
		"/name":            func(p *responsehub.Person) { p.Name = " " },
		"/role":            func(p *responsehub.Person) { p.Role = "king" },
		"/entra_object_id": func(p *responsehub.Person) { p.EntraObjectID = "ann" },
		"/phone":           func(p *responsehub.Person) { p.Phone = "0555 0100" },
		"/email":           func(p *responsehub.Person) { p.Email = "ann@msp.example, bob@msp.example" },
		"/tenants":         func(p *responsehub.Person) { p.Role = responsehub.Guest },
		"/time_zone":       func(p *responsehub.Person) { p.TimeZone = "Mars/Base" },
	} {
		p := good
		spoil(&p)
		wantPointer(t, p.Check(), pointer)
	}
}

func TestTenantCheck(t *testing.T) {
	good := responsehub.Tenant{
		Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111", BreakGlass: []string{"glass@contoso.example"},
		Notify: responsehub.Notify{Teams: []string{"19:a@thread.tacv2"}, Mail: []string{"soc@msp.example"}, Phone: &responsehub.OnCall{Sequence: []string{"ann"}, Wait: time.Minute, Rounds: 3}},
	}
	known := func(id string) bool { return id == "ann" }
	if err := good.Check(known); err != nil {
		t.Fatal(err)
	}
	for pointer, spoil := range map[string]func(*responsehub.Tenant){
		"/name":                     func(t *responsehub.Tenant) { t.Name = "" },
		"/microsoft_tenant_id":      func(t *responsehub.Tenant) { t.MicrosoftTenantID = "contoso.example" },
		"/lock_group":               func(t *responsehub.Tenant) { t.LockGroup = "locked" },
		"/password_mode":            func(t *responsehub.Tenant) { t.PasswordMode = "magic" },
		"/automatic_locks_per_hour": func(t *responsehub.Tenant) { t.Limits.AutomaticLocksPerHour = new(-1) },
		"/break_glass/0":            func(t *responsehub.Tenant) { t.BreakGlass = []string{"admins"} },
		"/second_person_for/1":      func(t *responsehub.Tenant) { t.SecondPersonFor = []string{"admins", "everybody"} },
		"/notify/teams/0":           func(t *responsehub.Tenant) { t.Notify.Teams = []string{"General"} },
		"/notify/mail/0":            func(t *responsehub.Tenant) { t.Notify.Mail = []string{"soc"} },
		"/notify/webhooks/0":        func(t *responsehub.Tenant) { t.Notify.Webhooks = []string{"http://sink.example"} },
		"/notify/phone/sequence/0": func(t *responsehub.Tenant) {
			t.Notify.Phone = &responsehub.OnCall{Sequence: []string{"bob"}, Wait: time.Minute, Rounds: 1}
		},
		"/notify/phone/sequence": func(t *responsehub.Tenant) { t.Notify.Phone = &responsehub.OnCall{Wait: time.Minute, Rounds: 1} },
		"/notify/phone/wait": func(t *responsehub.Tenant) {
			t.Notify.Phone = &responsehub.OnCall{Sequence: []string{"ann"}, Wait: time.Second, Rounds: 1}
		},
		"/notify/phone/rounds": func(t *responsehub.Tenant) {
			t.Notify.Phone = &responsehub.OnCall{Sequence: []string{"ann"}, Wait: time.Minute}
		},
	} {
		tenant := good
		spoil(&tenant)
		wantPointer(t, tenant.Check(known), pointer)
	}
}

func wantPointer(t *testing.T, err error, pointer string) {
	t.Helper()
	e, ok := errors.AsType[*responsehub.Error](err)
	if !ok || e.Kind != responsehub.Invalid || e.Pointer != pointer || e.Message == "" {
		t.Errorf("want a sentence at %s, got %v", pointer, err)
	}
}
