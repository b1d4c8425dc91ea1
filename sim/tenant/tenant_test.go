package tenant_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/tenant"
)

func TestTakeoverScene(t *testing.T) {
	w := tenant.NewWorld()
	one, two := tenant.Takeover(w, 1), tenant.Takeover(w, 2)
	if one.Tenant.ID != "11111111-1111-4111-8111-111111111111" || one.Victim.UPN != "pat@contoso.example" || two.Tenant.Name != "Fabrikam" {
		t.Errorf("%s %s %s", one.Tenant.ID, one.Victim.UPN, two.Tenant.Name)
	}
	for _, u := range one.Receivers {
		inbox := u.Messages("inbox")
		if len(inbox) != 2 || inbox[0].InternetMessageID != one.PhishID {
			t.Errorf("%s holds %d messages", u.UPN, len(inbox))
		}
	}
	if got := one.Robin.Messages("deleteditems"); len(got) != 1 || got[0].InternetMessageID != one.PhishID {
		t.Errorf("robin's Deleted Items: %+v", got)
	}
	if one.Guest.Mailbox != nil || one.NoMailbox.Mailbox != nil || one.Shared.Enabled() || !one.Hybrid.Synced || one.Victim.ID == two.Victim.ID {
		t.Error("the cast is not as its names say")
	}
	again := tenant.Takeover(tenant.NewWorld(), 1)
	if again.Rule.ID != one.Rule.ID || again.Victim.ID != one.Victim.ID {
		t.Error("the same story gave other ids")
	}
}

func TestAlertNamesWhatIsThere(t *testing.T) {
	s := tenant.Takeover(tenant.NewWorld(), 1)
	raw, err := json.Marshal(s.Alert("det-1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"det-1"`, s.Tenant.ID, s.Victim.ID, s.Rule.ID, s.EvilSP.ID, s.EvilApp.ID, s.Connector.GUID, "inbox_rule", "inbound_connector"} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("the alert lacks %s", want)
		}
	}
}

func TestSnapshotIsACopyWithoutPasswords(t *testing.T) {
	w := tenant.NewWorld()
	w.AddClient(tenant.Client{ID: "c", Secret: "client-hush"})
	s := tenant.Takeover(w, 1)
	w.Lock()
	tenant.SetPassword(s.Victim, "user-hush", true)
	w.Unlock()
	before := w.Snapshot()
	s.Victim.AddRule(tenant.Rule{Name: "later"})
	raw, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("hush")) || bytes.Contains(raw, []byte("later")) || !bytes.Contains(raw, []byte(s.PhishSubject)) {
		t.Error("the snapshot shows a secret, changes later, or lacks the phish")
	}
	if s.Victim.Password() != "user-hush" {
		t.Error("the plain password is lost to assertions")
	}
}

func TestMoveChangesOneIDOnly(t *testing.T) {
	w := tenant.NewWorld()
	s := tenant.Takeover(w, 1)
	before := s.Sam.Messages("inbox")[0]
	if err := s.Sam.DeleteMessage(before.InternetMessageID); err != nil {
		t.Fatal(err)
	}
	after := s.Sam.Messages("deleteditems")[0]
	if after.ID == before.ID || after.ImmutableID != before.ImmutableID {
		t.Errorf("ids before %s/%s, after %s/%s", before.ID, before.ImmutableID, after.ID, after.ImmutableID)
	}
	if err := s.Guest.DeleteMessage("x"); err == nil {
		t.Error("a guest has no mailbox to delete from")
	}
}

func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := tenant.NewWorld()
		s := tenant.Takeover(w, 1)
		w.SetLag(20 * time.Second)
		shown := func() bool {
			w.Lock()
			defer w.Unlock()
			return tenant.ShownEnabled(s.Victim)
		}
		w.Lock()
		tenant.SetEnabled(s.Victim, false)
		w.Unlock()
		if !shown() || s.Victim.Enabled() {
			t.Error("within the lag a read should show the old value, and the truth the new")
		}
		time.Sleep(20 * time.Second)
		if shown() {
			t.Error("after the lag a read still shows the old value")
		}
	})
}

func TestDirectorySync(t *testing.T) {
	w := tenant.NewWorld()
	s := tenant.Takeover(w, 1)
	lock := func() {
		w.Lock()
		defer w.Unlock()
		tenant.SetEnabled(s.Victim, false)
		tenant.SetEnabled(s.Hybrid, false)
	}
	lock()
	if got := s.Tenant.SyncDirectory(); !cmp.Equal(got, []string{s.Hybrid.UPN}) || s.Victim.Enabled() {
		t.Errorf("synced %v, victim enabled %v", got, s.Victim.Enabled())
	}
	s.Hybrid.DisableOnPrem(true)
	lock()
	if got := s.Tenant.SyncDirectory(); got != nil || s.Hybrid.Enabled() {
		t.Errorf("disabled on both sides, still synced %v", got)
	}
}

func TestMayChange(t *testing.T) {
	wid := tenant.RoleTemplate
	for _, c := range []struct {
		name   string
		wids   []string
		target []string
		want   bool
	}{
		{"nobody special", nil, nil, true},
		{"admin without a role", nil, []string{tenant.GlobalAdministrator}, false},
		{"light role by user administrator", []string{wid(tenant.UserAdministrator)}, []string{tenant.DirectoryReaders}, true},
		{"admin by user administrator", []string{wid(tenant.UserAdministrator)}, []string{tenant.DirectoryReaders, tenant.GlobalAdministrator}, false},
		{"admin by privileged authentication administrator", []string{wid(tenant.PrivilegedAuthAdmin)}, []string{tenant.GlobalAdministrator}, true},
		{"exchange administrator is no help", []string{wid(tenant.ExchangeAdministrator)}, []string{tenant.DirectoryReaders}, false},
	} {
		if got := tenant.MayChange(c.wids, c.target); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestAct(t *testing.T) {
	w := tenant.NewWorld()
	s := tenant.Takeover(w, 1)
	s.Tenant.ConsentAll("c")
	id := s.Tenant.ID
	for _, c := range []struct {
		act  tenant.Action
		want string // part of the error, "" for none
	}{
		{tenant.Action{Verb: "directory.sync", Tenant: "contoso.example"}, ""},
		{tenant.Action{Verb: "onprem.disable", Tenant: id, User: s.Hybrid.UPN}, ""},
		{tenant.Action{Verb: "user.disable", Tenant: id, User: s.Sam.ID}, ""},
		{tenant.Action{Verb: "rule.add", Tenant: id, User: s.Victim.UPN, Value: "back again"}, ""},
		{tenant.Action{Verb: "rule.add", Tenant: id, User: s.Guest.ID, Value: "x"}, "no mailbox"},
		{tenant.Action{Verb: "mail.delete", Tenant: id, User: s.Sam.UPN, Value: s.PhishID}, ""},
		{tenant.Action{Verb: "mail.delete", Tenant: id, User: s.Sam.UPN, Value: "none"}, "no message"},
		{tenant.Action{Verb: "role.remove", Tenant: id, Client: "c", Value: "Mail.ReadWrite"}, ""},
		{tenant.Action{Verb: "consent.withdraw", Tenant: id, Client: "c"}, ""},
		{tenant.Action{Verb: "secret.expire", Client: "c"}, ""},
		{tenant.Action{Verb: "directory.sync", Tenant: "nowhere"}, "no tenant"},
		{tenant.Action{Verb: "user.disable", Tenant: id, User: "nobody"}, "no user"},
		{tenant.Action{Verb: "dance", Tenant: id, User: s.Sam.UPN}, "unknown verb"},
	} {
		err := w.Act(c.act)
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.act, err, c.want)
		}
	}
	rules := s.Victim.Rules()
	if s.Sam.Enabled() || rules[len(rules)-1].Name != "back again" || len(s.Sam.Messages("deleteditems")) != 1 || s.Hybrid.OnPremEnabled {
		t.Error("an action had no effect")
	}
}
