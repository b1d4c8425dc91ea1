package exchange

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

const snapshot = `{"Identity":"Relay","Guid":"g-1","Name":"Relay","Enabled":true,"ConnectorType":"OnPremises","SenderDomains":["smtp:*;1"],"SenderIPAddresses":[],"RequireTls":true,"CloudServicesMailEnabled":false,"Comment":null,"WhenCreatedUTC":"2026-11-23T09:10:00Z"}`

func TestRestoreConnector(t *testing.T) {
	off := `{"Identity":"Relay","Guid":"g-1","Name":"Relay","Enabled":false}`
	made := `{"Guid":"g-2","Name":"Relay","Enabled":true}`
	for _, tc := range []struct {
		name, snapshot, there string // there: "" when it is gone
		action                responsehub.Action
		kind                  responsehub.Kind
		object                string
		want                  map[string]any // of the write; nil for none
	}{
		{"switched on", snapshot, off, responsehub.Disable, "", "g-1", map[string]any{"Identity": "g-1", "Enabled": true}},
		{"on already", snapshot, made, responsehub.Disable, "", "g-1", nil},
		{"was off before", off, off, responsehub.Disable, "", "g-1", nil},
		{"made anew", snapshot, "", responsehub.Remove, "", "g-2", map[string]any{"Name": "Relay", "Enabled": true, "ConnectorType": "OnPremises", "SenderDomains": []any{"smtp:*;1"}, "RequireTls": true}},
		{"made anew by an attempt before", snapshot, made, responsehub.Remove, "", "g-2", nil},
		{"deleted by somebody else", snapshot, "", responsehub.Disable, responsehub.NotFound, "g-1", nil},
		{"a copy that cannot be read", `[`, off, responsehub.Disable, responsehub.Permanent, "g-1", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, func(w http.ResponseWriter, k command) {
				switch {
				case k.Name == "New-InboundConnector":
					_, _ = io.WriteString(w, `{"value":[`+made+`]}`)
				case k.Name == "Get-InboundConnector" && tc.there == "":
					fault(w, 404, "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|x")
				default:
					_, _ = io.WriteString(w, `{"value":[`+tc.there+`]}`)
				}
			})
			item := &responsehub.Item{Object: "g-1", Action: tc.action, Snapshot: json.RawMessage(tc.snapshot), State: responsehub.Running}
			_, err := c.Connectors().Restore(t.Context(), pat, item)
			if (err != nil) != (tc.kind != "") || err != nil && responsehub.KindOf(err) != tc.kind {
				t.Fatal(err)
			}
			if item.Object != tc.object {
				t.Errorf("the item is %s now, want %s", item.Object, tc.object)
			}
			var wrote map[string]any
			for _, k := range w.seen {
				if k.Name[:4] != "Get-" {
					wrote = k.Parameters
				}
			}
			if diff := cmp.Diff(tc.want, wrote); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRestoreHiddenRule(t *testing.T) {
	table := values(map[string]string{"Get-InboxRule hidden": hiddenR + "," + off})
	c, w := newWorld(t, table)
	was := json.RawMessage(`{"Identity":"pat\\8","Enabled":true}`)
	if _, err := c.HiddenRules().Restore(t.Context(), pat, &responsehub.Item{Object: `pat\8`, Hidden: true, Snapshot: was}); err != nil {
		t.Fatal(err)
	}
	got := w.seen[len(w.seen)-1]
	if diff := cmp.Diff(map[string]any{"Identity": `pat\8`, "Mailbox": "pat@contoso.com", "Force": true, "Confirm": false}, got.Parameters); diff != "" || got.Name != "Enable-InboxRule" {
		t.Errorf("%s (-want +got):\n%s", got.Name, diff)
	}
	for _, action := range []responsehub.Action{responsehub.Disable, responsehub.Delete} {
		_, err := c.HiddenRules().Restore(t.Context(), pat, &responsehub.Item{Object: "gone", Hidden: true, Snapshot: was, Action: action})
		if responsehub.KindOf(err) != responsehub.NotFound {
			t.Errorf("%s, then gone: %v", action, err)
		}
	}
}

func TestRestored(t *testing.T) {
	c := &Connectors{}
	for name, tc := range map[string]struct {
		now  string
		want bool
	}{
		"the same, under a new id":   {`{"Guid":"g-2","Name":"Relay","Enabled":"True","ConnectorType":"OnPremises","SenderDomains":["smtp:*;1"],"RequireTls":"True","Comment":""}`, true},
		"off":                        {`{"Name":"Relay","Enabled":false,"ConnectorType":"OnPremises","SenderDomains":["smtp:*;1"],"RequireTls":true}`, false},
		"lets in mail of fewer":      {`{"Name":"Relay","Enabled":true,"ConnectorType":"OnPremises","SenderDomains":["smtp:a.example;1"],"RequireTls":true}`, false},
		"without TLS":                {`{"Name":"Relay","Enabled":true,"ConnectorType":"OnPremises","SenderDomains":["smtp:*;1"]}`, false},
		"nothing that could be read": {`x`, false},
	} {
		if got := c.Restored(json.RawMessage(snapshot), json.RawMessage(tc.now)); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func FuzzRestored(f *testing.F) {
	f.Add(snapshot, snapshot)
	f.Add(`{"Enabled":"False","SenderDomains":null}`, `[]`)
	f.Fuzz(func(t *testing.T, a, b string) {
		c, h := &Connectors{}, &HiddenRules{}
		if c.Restored(json.RawMessage(a), json.RawMessage(b)) != c.Restored(json.RawMessage(b), json.RawMessage(a)) {
			t.Error("a comparison that depends on the order")
		}
		h.Restored(json.RawMessage(a), json.RawMessage(b))
	})
}

func TestRestoreRules(t *testing.T) {
	table := map[string]string{
		"Get-SweepRule":     `{"Identity":"s-1","RuleId":"7","Name":"Sweep","Enabled":false}`,
		"Get-TransportRule": `{"Guid":"t-1","Name":"Copy","State":"Disabled"}`,
	}
	for _, tc := range []struct {
		name, was, command string
		restore            func(*Client) func(item *responsehub.Item) error
		object             string
		parameters         map[string]any
	}{
		{"sweep rule", `{"Enabled":true}`, "Enable-SweepRule", func(c *Client) func(*responsehub.Item) error {
			return func(it *responsehub.Item) error { _, err := c.SweepRules().Restore(t.Context(), pat, it); return err }
		}, "s-1", map[string]any{"Identity": "7", "Mailbox": "pat@contoso.com", "Confirm": false}},
		{"mail flow rule", `{"State":"Enabled"}`, "Enable-TransportRule", func(c *Client) func(*responsehub.Item) error {
			return func(it *responsehub.Item) error {
				_, err := c.TransportRules().Restore(t.Context(), pat, it)
				return err
			}
		}, "t-1", map[string]any{"Identity": "t-1", "Confirm": false}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, values(table))
			if err := tc.restore(c)(&responsehub.Item{Object: tc.object, Snapshot: json.RawMessage(tc.was), Action: responsehub.Disable}); err != nil {
				t.Fatal(err)
			}
			got := w.seen[len(w.seen)-1]
			if diff := cmp.Diff(tc.parameters, got.Parameters); diff != "" || got.Name != tc.command {
				t.Errorf("%s (-want +got):\n%s", got.Name, diff)
			}
			calls := len(w.seen)
			if err := tc.restore(c)(&responsehub.Item{Object: tc.object, Snapshot: json.RawMessage(`{"Enabled":false,"State":"Disabled"}`), Action: responsehub.Disable}); err != nil || len(w.seen) != calls+1 {
				t.Errorf("one that was off before: %v, %v", err, w.names()[calls:])
			}
			if err := tc.restore(c)(&responsehub.Item{Object: "gone", Snapshot: json.RawMessage(tc.was), Action: responsehub.Delete}); responsehub.KindOf(err) != responsehub.NotFound || responsehub.Sentence(err) != goneRule {
				t.Errorf("one that was deleted: %v", err)
			}
		})
	}
}
