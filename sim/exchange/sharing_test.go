package exchange_test

import (
	"net/http"
	"testing"
	"time"

	"responsehub/sim/tenant"
)

// Each kind of persistence is shown by its cmdlet, goes by its cmdlet, and leaves a trace.
func TestPersistenceCmdlets(t *testing.T) {
	s := newStage(t)
	victim, upn := s.scene.Victim, s.scene.Victim.UPN
	sweep := victim.AddSweep(tenant.Sweep{Name: "Tidy", Sender: "bank@partner.example"})
	guid := s.scene.Tenant.AddTransportRule(tenant.TransportRule{Name: "Copy", By: upn, More: map[string]any{"BlindCopyTo": []string{"drop@evil.example"}}, Changed: time.Now()})
	victim.Delegate("sam@contoso.example", false)
	victim.Delegate("robin@contoso.example", true)
	victim.ShareInbox("sam@contoso.example", "Editor")
	for _, c := range []struct {
		name   string
		get    string
		params map[string]any
		rows   int
		key    string
		want   any // of the last row
		act    string
		with   map[string]any
		left   int
	}{
		{"sweep rule", "Get-SweepRule", map[string]any{"Mailbox": upn}, 1, "RuleId", sweep.ID, "Remove-SweepRule", map[string]any{"Mailbox": upn, "Identity": sweep.ID, "Confirm": false}, 0},
		{"mail flow rule", "Get-TransportRule", map[string]any{}, 1, "LastModifiedBy", upn, "Remove-TransportRule", map[string]any{"Identity": guid, "Confirm": false}, 0},
		{"full access", "Get-MailboxPermission", map[string]any{"Identity": upn}, 2, "User", "sam@contoso.example", "Remove-MailboxPermission", map[string]any{"Identity": upn, "User": "sam@contoso.example", "AccessRights": "FullAccess", "Confirm": false}, 1},
		{"send as", "Get-RecipientPermission", map[string]any{"Identity": upn}, 2, "Trustee", "robin@contoso.example", "Remove-RecipientPermission", map[string]any{"Identity": upn, "Trustee": "robin@contoso.example", "AccessRights": "SendAs", "Confirm": false}, 1},
		{"inbox", "Get-MailboxFolderPermission", map[string]any{"Identity": upn + `:\Inbox`}, 3, "User", "sam@contoso.example", "Remove-MailboxFolderPermission", map[string]any{"Identity": upn + `:\Inbox`, "User": "sam@contoso.example", "Confirm": false}, 2},
	} {
		got := s.run(c.get, c.params)
		if got.status != http.StatusOK || len(got.Value) != c.rows || got.Value[len(got.Value)-1][c.key] != c.want {
			t.Errorf("%s: %+v", c.name, got)
			continue
		}
		if done := s.run(c.act, c.with); done.status != http.StatusOK {
			t.Errorf("%s: %+v", c.act, done)
		}
		if after := s.run(c.get, c.params); len(after.Value) != c.left {
			t.Errorf("%s: %d rows are left, want %d", c.name, len(after.Value), c.left)
		}
	}
	if n := len(s.log.Effects()); n != 5 {
		t.Errorf("%d effects", n)
	}
	for name, params := range map[string]map[string]any{
		"Remove-SweepRule": {"Identity": "none"}, "Disable-TransportRule": {"Identity": "none"}, "Get-MailboxFolderPermission": {"Identity": upn},
		"Remove-MailboxPermission": {"Identity": upn, "User": "sam@contoso.example"},
	} {
		if got := s.run(name, params); got.status == http.StatusOK {
			t.Errorf("%s %v was accepted", name, params)
		}
	}
}

func TestSwitchedOff(t *testing.T) {
	s := newStage(t)
	sweep := s.scene.Victim.AddSweep(tenant.Sweep{Name: "Tidy"})
	guid := s.scene.Tenant.AddTransportRule(tenant.TransportRule{Name: "Copy"})
	s.run("Disable-SweepRule", map[string]any{"Mailbox": s.scene.Victim.UPN, "Identity": sweep.ID, "Confirm": false})
	s.run("Disable-TransportRule", map[string]any{"Identity": guid, "Confirm": false})
	if got := s.run("Get-SweepRule", map[string]any{"Mailbox": s.scene.Victim.UPN}); got.Value[0]["Enabled"] != false {
		t.Errorf("sweep rule: %v", got.Value)
	}
	if got := s.run("Get-TransportRule", map[string]any{"Identity": "Copy"}); got.Value[0]["State"] != "Disabled" {
		t.Errorf("mail flow rule: %v", got.Value)
	}
}
