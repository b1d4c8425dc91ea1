package responsehub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"responsehub"
)

func TestAlertValidate(t *testing.T) {
	type alert = responsehub.Alert
	long := func(n int) string { return strings.Repeat("é", n) }
	tests := []struct {
		name    string
		change  func(*alert)
		pointer string // "" when the alert stays valid
	}{
		{"whole", func(*alert) {}, ""},
		{"least", func(a *alert) {
			*a = alert{Version: "1", ID: "x", DetectedAt: noon, Tenant: responsehub.AlertTenant{SourceTenantID: "o"}, Account: responsehub.Account{UserPrincipalName: "a@b"}, Severity: responsehub.Low, Title: "t"}
		}, ""},
		{"no version", func(a *alert) { a.Version = "" }, "/version"},
		{"later version", func(a *alert) { a.Version = "2" }, "/version"},
		{"no id", func(a *alert) { a.ID = "" }, "/id"},
		{"longest id", func(a *alert) { a.ID = long(200) }, ""},
		{"longer id", func(a *alert) { a.ID = long(201) }, "/id"},
		{"id not UTF-8", func(a *alert) { a.ID = "\xff" }, "/id"},
		{"no time", func(a *alert) { a.DetectedAt = time.Time{} }, "/detected_at"},
		{"no tenant", func(a *alert) { a.Tenant = responsehub.AlertTenant{} }, "/tenant"},
		{"detector's tenant only", func(a *alert) { a.Tenant.MicrosoftTenantID = "" }, ""},
		{"Microsoft's tenant only", func(a *alert) { a.Tenant.SourceTenantID = "" }, ""},
		{"tenant by domain", func(a *alert) { a.Tenant.MicrosoftTenantID = "contoso.onmicrosoft.com" }, "/tenant/microsoft_tenant_id"},
		{"tenant in braces", func(a *alert) { a.Tenant.MicrosoftTenantID = "{" + contoso.MicrosoftTenantID + "}" }, "/tenant/microsoft_tenant_id"},
		{"tenant in capitals", func(a *alert) { a.Tenant.MicrosoftTenantID = "ABCDEFAB-1111-4111-8111-111111111111" }, ""},
		{"tenant with a dash out of place", func(a *alert) { a.Tenant.MicrosoftTenantID = "1111111-11111-4111-8111-111111111111" }, "/tenant/microsoft_tenant_id"},
		{"longer detector's tenant", func(a *alert) { a.Tenant.SourceTenantID = long(201) }, "/tenant/source_tenant_id"},
		{"no account", func(a *alert) { a.Account = responsehub.Account{DisplayName: "Pat"} }, "/account"},
		{"account by id only", func(a *alert) { a.Account.UserPrincipalName = "" }, ""},
		{"account by name only", func(a *alert) { a.Account.ObjectID = "" }, ""},
		{"object id is a path", func(a *alert) { a.Account.ObjectID = "../groups/222222222222222222222222222" }, "/account/object_id"},
		{"longer principal name", func(a *alert) { a.Account.UserPrincipalName = long(320) + "@x" }, "/account/user_principal_name"},
		{"principal name without @", func(a *alert) { a.Account.UserPrincipalName = "pat" }, "/account/user_principal_name"},
		{"principal name with a slash", func(a *alert) { a.Account.UserPrincipalName = "pat/../ann@contoso.example" }, "/account/user_principal_name"},
		{"principal name with a backslash", func(a *alert) { a.Account.UserPrincipalName = `CONTOSO\pat@x` }, "/account/user_principal_name"},
		{"principal name with a space", func(a *alert) { a.Account.UserPrincipalName = "pat @x" }, "/account/user_principal_name"},
		{"guest", func(a *alert) { a.Account.UserPrincipalName = "pat_gmail.com#EXT#@contoso.example" }, ""},
		{"longer display name", func(a *alert) { a.Account.DisplayName = long(401) }, "/account/display_name"},
		{"no severity", func(a *alert) { a.Severity = "" }, "/severity"},
		{"another severity", func(a *alert) { a.Severity = "CRITICAL" }, "/severity"},
		{"no title", func(a *alert) { a.Title = "" }, "/title"},
		{"longest title", func(a *alert) { a.Title = long(300) }, ""},
		{"longer title", func(a *alert) { a.Title = long(301) }, "/title"},
		{"longer summary", func(a *alert) { a.Summary = long(4001) }, "/summary"},
		{"no link", func(a *alert) { a.Link = "" }, ""},
		{"plain http link", func(a *alert) { a.Link = "http://detector.example/" }, "/link"},
		{"script for a link", func(a *alert) { a.Link = "javascript:alert(1)" }, "/link"},
		{"link with a password", func(a *alert) { a.Link = "https://u:p@detector.example/" }, "/link"},
		{"link without a host", func(a *alert) { a.Link = "https:///x" }, "/link"},
		{"longer link", func(a *alert) { a.Link = "https://d.example/" + strings.Repeat("x", 2000) }, "/link"},
		{"most evidence", func(a *alert) {
			a.Evidence = make([]responsehub.Evidence, responsehub.MaxEvidence)
			for i := range a.Evidence {
				a.Evidence[i].Text = "x"
			}
		}, ""},
		{"more evidence", func(a *alert) { a.Evidence = make([]responsehub.Evidence, responsehub.MaxEvidence+1) }, "/evidence"},
		{"evidence says nothing", func(a *alert) { a.Evidence = append(a.Evidence, responsehub.Evidence{Kind: "x"}) }, "/evidence/1/text"},
		{"longer evidence", func(a *alert) { a.Evidence[0].Text = long(4001) }, "/evidence/0/text"},
		{"longer kind of evidence", func(a *alert) { a.Evidence[0].Kind = long(101) }, "/evidence/0/kind"},
		{"longer address", func(a *alert) { a.Evidence[0].IP = long(65) }, "/evidence/0/ip"},
		{"longer country", func(a *alert) { a.Evidence[0].Country = long(101) }, "/evidence/0/country"},
		{"more phish", func(a *alert) { a.Phish = make([]responsehub.Phish, responsehub.MaxPhish+1) }, "/phish"},
		{"longer message id", func(a *alert) { a.Phish[0].InternetMessageID = long(999) }, "/phish/0/internet_message_id"},
		{"longer sender", func(a *alert) { a.Phish[0].Sender = long(321) }, "/phish/0/sender"},
		{"longer subject", func(a *alert) { a.Phish[0].Subject = long(999) }, "/phish/0/subject"},
		{"phish by sender alone would take honest mail", func(a *alert) { a.Phish[0] = responsehub.Phish{Sender: "pat@contoso.example"} }, "/phish/0"},
		{"phish by subject alone", func(a *alert) { a.Phish[0] = responsehub.Phish{Subject: "Invoice"} }, "/phish/0"},
		{"phish by sender and subject", func(a *alert) {
			a.Phish[0] = responsehub.Phish{Sender: "pat@contoso.example", Subject: "Invoice"}
		}, ""},
		{"window without an end", func(a *alert) { a.Phish[0].ReceivedAfter = noon }, ""},
		{"window of an instant", func(a *alert) { a.Phish[0].ReceivedAfter, a.Phish[0].ReceivedBefore = noon, noon }, ""},
		{"window turned round", func(a *alert) { a.Phish[0].ReceivedAfter, a.Phish[0].ReceivedBefore = noon, noon.Add(-1) }, "/phish/0/received_before"},
		{"more persistence", func(a *alert) { a.Persistence = make([]responsehub.AlertFoothold, responsehub.MaxPersistence+1) }, "/persistence"},
		{"unknown persistence", func(a *alert) { a.Persistence[0].Kind = "rootkit" }, "/persistence/0/kind"},
		{"a message is no persistence", func(a *alert) { a.Persistence[0].Kind = responsehub.Message }, "/persistence/0/kind"},
		{"persistence without an id", func(a *alert) { a.Persistence[0].ID = "" }, "/persistence/0/id"},
		{"longer persistence id", func(a *alert) { a.Persistence[0].ID = long(1001) }, "/persistence/0/id"},
		{"longer persistence name", func(a *alert) { a.Persistence[0].Name = long(401) }, "/persistence/0/name"},
		{"of two faults the first", func(a *alert) { a.Title, a.ID = "", "" }, "/id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := takeover()
			tt.change(a)
			err := a.Validate()
			if tt.pointer == "" {
				if err != nil {
					t.Fatalf("a valid alert is refused: %v", err)
				}
				return
			}
			fault, ok := errors.AsType[*responsehub.Error](err)
			if !ok {
				t.Fatalf("got %v, want a fault at %s", err, tt.pointer)
			}
			if fault.Kind != responsehub.Invalid || fault.Pointer != tt.pointer {
				t.Errorf("got %s at %q (%s), want invalid at %q", fault.Kind, fault.Pointer, fault.Message, tt.pointer)
			}
			if !strings.HasPrefix(fault.Message, tt.pointer+" ") {
				t.Errorf("the sentence %q does not begin with the field %s", fault.Message, tt.pointer)
			}
		})
	}
}

func TestEveryPersistenceKindIsAcceptedAndHasWords(t *testing.T) {
	for _, kind := range responsehub.PersistenceKinds {
		a := takeover()
		a.Persistence[0].Kind = kind
		if err := a.Validate(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if kind.Words() == "" {
			t.Errorf("%s has no words for people", kind)
		}
	}
}

func TestAccountLabel(t *testing.T) {
	for want, a := range map[string]responsehub.Account{
		"Pat (pat@x)":   {ObjectID: "o", UserPrincipalName: "pat@x", DisplayName: "Pat"},
		"pat@x":         {ObjectID: "o", UserPrincipalName: "pat@x"},
		"Pat (o)":       {ObjectID: "o", DisplayName: "Pat"},
		"only-an-objid": {ObjectID: "only-an-objid"},
	} {
		if got := a.Label(); got != want {
			t.Errorf("label of %+v is %q, want %q", a, got, want)
		}
	}
}

func TestAccountKey(t *testing.T) {
	key := func(t responsehub.TenantRef, source string, change func(*responsehub.Alert)) string {
		a := takeover()
		change(a)
		return responsehub.AccountKey(t, source, a)
	}
	unknown := responsehub.TenantRef{Name: "?"}
	same := func(*responsehub.Alert) {}
	noName := func(a *responsehub.Alert) { a.Account.UserPrincipalName = "" }
	base := key(contoso, "petra", same)
	tests := []struct {
		name string
		got  string
		meet bool
	}{
		{"capitals in the name", key(contoso, "petra", func(a *responsehub.Alert) { a.Account.UserPrincipalName = "PAT@Contoso.Example" }), true},
		{"another detector", key(contoso, "other", same), true},
		{"the detector's tenant id left out", key(contoso, "petra", func(a *responsehub.Alert) { a.Tenant.SourceTenantID = "" }), true},
		{"another account", key(contoso, "petra", func(a *responsehub.Alert) { a.Account.UserPrincipalName = "sam@contoso.example" }), false},
		{"another tenant", key(responsehub.TenantRef{ID: "t2"}, "petra", same), false},
		{"an unknown tenant", key(unknown, "petra", same), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if (tt.got == base) != tt.meet {
				t.Errorf("key %q beside %q: meet is %v, want %v", tt.got, base, tt.got == base, tt.meet)
			}
		})
	}
	if a, b := key(unknown, "petra", same), key(unknown, "other", same); a != b {
		t.Errorf("two detectors name the same Microsoft tenant, but the keys differ: %q, %q", a, b)
	}
	noID := func(a *responsehub.Alert) { a.Tenant.MicrosoftTenantID = "" }
	if a, b := key(unknown, "petra", noID), key(unknown, "other", noID); a == b {
		t.Errorf("org-7 of one detector and org-7 of another need not be the same customer, but both have key %q", a)
	}
	if a, b := key(contoso, "petra", noName), key(contoso, "petra", func(a *responsehub.Alert) {
		noName(a)
		a.Account.ObjectID = strings.ToUpper(a.Account.ObjectID)
	}); a != b {
		t.Errorf("object ids in another case: keys %q and %q", a, b)
	}
}
