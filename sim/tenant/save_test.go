package tenant_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/tenant"
)

// shown is the snapshot as text.
func shown(t *testing.T, w *tenant.World) string {
	t.Helper()
	raw, err := json.Marshal(w.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// again saves and restores.
func again(t *testing.T, w *tenant.World, scenes ...*tenant.Scene) (*tenant.World, []*tenant.Scene) {
	t.Helper()
	raw, err := w.Save(scenes)
	if err != nil {
		t.Fatal(err)
	}
	fresh, restored, err := tenant.Restore(raw)
	if err != nil {
		t.Fatal(err)
	}
	if raw2, err := fresh.Save(restored); err != nil || !bytes.Equal(raw, raw2) {
		t.Errorf("saved again it is something else (%v):\n%s", err, cmp.Diff(string(raw), string(raw2)))
	}
	return fresh, restored
}

// shake does n things at random that the hub, the attacker or people do.
func shake(r *rand.Rand, w *tenant.World, s *tenant.Scene, n int) {
	locked := func(f func()) { w.Lock(); defer w.Unlock(); f() }
	user := func() *tenant.User { return s.Everyone[r.IntN(len(s.Everyone))] }
	mail := func(do func(u *tenant.User, m *tenant.Message)) {
		if u := user(); u.Mailbox != nil && len(u.Mailbox.Messages) > 0 {
			locked(func() { do(u, u.Mailbox.Messages[r.IntN(len(u.Mailbox.Messages))]) })
		}
	}
	for range n {
		switch r.IntN(12) {
		case 0:
			locked(func() { tenant.SetEnabled(user(), r.IntN(2) == 0) })
		case 1:
			locked(func() { tenant.SetPassword(user(), "Pw-"+time.Duration(r.Int64()).String(), true) })
		case 2:
			mail(func(u *tenant.User, m *tenant.Message) {
				tenant.Move(u, m, u.Mailbox.Folders[r.IntN(len(u.Mailbox.Folders))])
			})
		case 3:
			mail(func(u *tenant.User, m *tenant.Message) { tenant.Purge(u.Mailbox, m) })
		case 4:
			user().Deliver(tenant.Message{From: "a@b.example", Subject: "Later", Preview: "<b>&\u2028"})
		case 5:
			s.Victim.AddRule(tenant.Rule{Name: "again", Conditions: map[string]any{"withinSizeRange": map[string]any{"minimumSize": 7}}})
		case 6:
			if rules := s.Victim.Mailbox.Rules; len(rules) > 0 {
				locked(func() { tenant.RemoveRule(s.Victim.Mailbox, rules[r.IntN(len(rules))]) })
			}
		case 7:
			s.Tenant.SyncDirectory()
			s.Hybrid.DisableOnPrem(r.IntN(2) == 0)
		case 8:
			locked(func() { s.EvilSP.AccountEnabled, s.EvilApp.IsDisabled = r.IntN(2) == 0, r.IntN(2) == 0 })
		case 9:
			locked(func() { tenant.RemoveConnector(s.Tenant, s.Connector) })
		case 10:
			s.Tenant.RemoveRole("hub", "Mail.ReadWrite")
			s.Tenant.AddGrant(tenant.Grant{ClientID: s.EvilSP.ID, ResourceID: "r"})
		case 11:
			s.Victim.AddDevice(tenant.Device{Name: "d"})
			s.Victim.Forward("smtp:drop@evil.example", true)
		}
	}
}

func TestSaveAndRestore(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := tenant.NewWorld()
		w.AddClient(tenant.Client{ID: "hub", Name: "Hub", Secret: "hush", Certificates: [][]byte{{1, 2}}})
		one, two := tenant.Takeover(w, 1), tenant.Takeover(w, 2)
		one.Tenant.ConsentAll("hub")
		w.SetLag(time.Minute)
		shake(r, w, one, 40)

		w2, scenes := again(t, w, one, two)
		if diff := cmp.Diff(shown(t, w), shown(t, w2)); diff != "" {
			t.Fatalf("seed %d: the restored world differs:\n%s", seed, diff)
		}
		// From here on the same acts must give the same ids, moves and passwords in both.
		plays := rand.New(rand.NewPCG(seed, 2))
		shake(plays, w, one, 40)
		plays = rand.New(rand.NewPCG(seed, 2))
		shake(plays, w2, scenes[0], 40)
		if a, b := timeless(t, shown(t, w)), timeless(t, shown(t, w2)); a != b {
			t.Fatalf("seed %d: the worlds part ways:\n%s", seed, cmp.Diff(a, b))
		}
		if a, b := one.Victim.Password(), scenes[0].Victim.Password(); a != b {
			t.Errorf("seed %d: password %q became %q", seed, a, b)
		}
	}
}

// timeless blanks times of day, which no two runs share.
func timeless(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case string:
			if _, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return "a time"
			}
		}
		return v
	}
	raw, err := json.MarshalIndent(walk(v), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestRestoreKeepsWhatNoSnapshotShows(t *testing.T) {
	w := tenant.NewWorld()
	w.AddClient(tenant.Client{ID: "hub", Secret: "hush", Certificates: [][]byte{{1, 2}}})
	s := tenant.Takeover(w, 1)
	w.SetLag(time.Hour)
	w.Lock()
	tenant.SetPassword(s.Victim, "user-hush", true)
	tenant.SetEnabled(s.Victim, false)
	tenant.RemoveRule(s.Victim.Mailbox, s.Rule)
	w.Unlock()
	before := s.Sam.Messages("inbox")[0]

	w2, scenes := again(t, w, s)
	s2 := scenes[0]
	w2.Lock()
	client, stale := tenant.FindClient(w2, "hub"), tenant.ShownEnabled(s2.Victim)
	w2.Unlock()
	if client.Secret != "hush" || !cmp.Equal(client.Certificates, [][]byte{{1, 2}}) || s2.Victim.Password() != "user-hush" {
		t.Error("a secret is lost")
	}
	if !stale || s2.Victim.Enabled() {
		t.Error("within the lag a read should still show the old value, and the truth the new")
	}
	if s2.Rule.ID != s.Rule.ID || len(s2.Victim.Rules()) != 3 {
		t.Errorf("the removed rule: %+v, rules left %d", s2.Rule, len(s2.Victim.Rules()))
	}
	if s2.HiddenRule != s2.Victim.Mailbox.Rules[1] || s2.EvilApp != s2.Tenant.Applications[0] || s2.Receivers[0] != s2.Sam || len(s2.Everyone) != 8 {
		t.Error("the scene names copies, not what is in the world")
	}
	if err := s2.Sam.DeleteMessage(before.ImmutableID); err != nil {
		t.Fatal(err)
	}
	if after := s2.Sam.Messages("deleteditems")[0]; after.ImmutableID != before.ImmutableID || after.ID == before.ID {
		t.Errorf("ids before %s/%s, after %s/%s", before.ID, before.ImmutableID, after.ID, after.ImmutableID)
	}
	if a, b := s.Alert("x"), s2.Alert("x"); !cmp.Equal(a, b) {
		t.Errorf("the alert differs:\n%s", cmp.Diff(a, b))
	}
}

func TestRestoreRefusesHalves(t *testing.T) {
	w := tenant.NewWorld()
	raw, err := w.Save([]*tenant.Scene{tenant.Takeover(w, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"cut", string(raw[len(raw)-1:]), "", "unexpected end"},
		{"no world", `"world":{`, `"word":{`, "no world"},
		{"empty user", `"users":[`, `"users":[null,`, "users is empty"},
		{"empty rule", `"rules":[`, `"rules":[null,`, "rules is empty"},
		{"no inbox", `"well_known":"inbox"`, `"well_known":"in"`, "no folder inbox"},
		{"a stranger in the cast", `"cast":["`, `"cast":["x`, "no user"},
		{"small cast", `"receivers":[`, `"cast":[],"receivers":[`, "people instead of"},
		{"no connector", `"connector":{`, `"conector":{`, "is missing"},
	} {
		text := string(raw)
		i := strings.LastIndex(text, tt.old)
		if i < 0 {
			t.Fatalf("%s: the save holds no %s", tt.name, tt.old)
		}
		if _, _, err := tenant.Restore([]byte(text[:i] + tt.new + text[i+len(tt.old):])); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
