package responsehub_test

import (
	"strings"
	"testing"

	"responsehub"
)

func TestMay(t *testing.T) {
	const (
		see, act, manage = responsehub.See, responsehub.Act, responsehub.Manage
	)
	all := []string{"*"}
	tests := []struct {
		name string
		who  responsehub.Actor
		verb responsehub.Verb
		want string // words of the refusal; "" when allowed
	}{
		{"stranger", responsehub.Actor{Name: "X", Via: responsehub.ViaTeams, Tenants: all}, see, "not on this hub's list"},
		{"admin manages", responsehub.Actor{Role: responsehub.Admin, Tenants: all}, manage, ""},
		{"admin acts", responsehub.Actor{Role: responsehub.Admin, Tenants: all}, act, ""},
		{"responder acts", responsehub.Actor{Role: responsehub.Responder, Tenants: all}, act, ""},
		{"responder sees", responsehub.Actor{Role: responsehub.Responder, Tenants: all}, see, ""},
		{"responder manages", responsehub.Actor{Role: responsehub.Responder, Tenants: all}, manage, "(responder) may look but not do this"},
		{"reader sees", responsehub.Actor{Role: responsehub.Reader, Tenants: all}, see, ""},
		{"reader acts", responsehub.Actor{Role: responsehub.Reader, Tenants: all}, act, "(reader) may look"},
		{"guest sees", responsehub.Actor{Role: responsehub.Guest, Tenants: []string{"t1"}}, see, ""},
		{"guest acts", responsehub.Actor{Role: responsehub.Guest, Tenants: []string{"t1"}}, act, "(guest) may look"},
		{"an unheard-of role", responsehub.Actor{Role: "owner", Tenants: all}, act, "(owner) may look"},
		{"tenant by name in another case", responsehub.Actor{Role: responsehub.Responder, Tenants: []string{"CONTOSO"}}, act, ""},
		{"tenant by Microsoft's id", responsehub.Actor{Role: responsehub.Responder, Tenants: []string{contoso.MicrosoftTenantID}}, act, ""},
		{"another tenant", responsehub.Actor{Role: responsehub.Admin, Tenants: []string{"Fabrikam"}}, see, "Contoso is not among your tenants"},
		{"no tenant", responsehub.Actor{Role: responsehub.Admin}, see, "not among your tenants"},
		{"responder by phone", responsehub.Actor{Role: responsehub.Responder, Via: responsehub.ViaPhone, Tenants: all}, act, "cannot be run by phone"},
		{"admin by text", responsehub.Actor{Role: responsehub.Admin, Via: responsehub.ViaText, Tenants: all}, act, "cannot be run by phone"},
		{"responder looks by phone", responsehub.Actor{Role: responsehub.Responder, Via: responsehub.ViaPhone, Tenants: all}, see, ""},
		{"policy acts", responsehub.Policy, act, ""},
		{"policy manages", responsehub.Policy, manage, "may look"},
		{"hub manages", responsehub.Hub, manage, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.who.May(tt.verb, contoso)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && err == nil:
				t.Errorf("allowed, want a refusal with %q", tt.want)
			case tt.want != "" && (responsehub.KindOf(err) != responsehub.Forbidden || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %s %q, want forbidden with %q", responsehub.KindOf(err), err, tt.want)
			}
		})
	}
}

// A tenant that the hub does not know yet has no id; nobody reaches it by an empty one.
func TestUnknownTenantIsSeenOnlyByThoseWhoSeeAll(t *testing.T) {
	unknown := responsehub.TenantRef{Name: "org-7 of petra", MicrosoftTenantID: "33333333-3333-4333-8333-333333333333"}
	limited := responsehub.Actor{Role: responsehub.Responder, Tenants: []string{""}}
	if limited.Sees(unknown) {
		t.Error("an empty entry among somebody's tenants opens the unknown tenant")
	}
	if !ann.Sees(unknown) {
		t.Error("somebody with all tenants does not see the unknown tenant")
	}
}

func TestPeopleAndKeysBecomeActors(t *testing.T) {
	p := responsehub.Person{ID: "ann", Name: "Ann", Role: responsehub.Responder, Tenants: []string{"Contoso"}}
	a := p.Actor(responsehub.ViaTeams)
	if a.ID != "person:ann" || a.Via != responsehub.ViaTeams || a.By().Name != "Ann" {
		t.Errorf("person became %+v", a)
	}
	a.Tenants[0] = "*"
	if p.Tenants[0] != "Contoso" {
		t.Error("changing the actor changed the person")
	}
	k := responsehub.APIKey{ID: "k1", Name: "robot", Role: responsehub.Reader}
	if a := k.Actor(); a.ID != "key:k1" || a.Via != responsehub.ViaAPI || a.Role != responsehub.Reader {
		t.Errorf("key became %+v", a)
	}
}
