package exchange

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// writes are the parameters of the cmdlets that change something.
func writes(seen []command) (name string, parameters map[string]any) {
	for _, k := range seen {
		if !strings.HasPrefix(k.Name, "Get-") {
			name, parameters = k.Name, k.Parameters
		}
	}
	return name, parameters
}

func TestRestoreForwarding(t *testing.T) {
	const was = `{"ForwardingSmtpAddress":"smtp:drop@evil.example","ForwardingAddress":null,"DeliverToMailboxAndForward":true}`
	for _, tc := range []struct {
		name, snapshot, now string
		kind                responsehub.Kind
		want                map[string]any
	}{
		{"it forwards again", was, `{"DeliverToMailboxAndForward":false}`, "", map[string]any{"ForwardingSmtpAddress": "smtp:drop@evil.example", "DeliverToMailboxAndForward": true}},
		{"to a recipient", `{"ForwardingAddress":"Sam"}`, `{"DeliverToMailboxAndForward":"False"}`, "", map[string]any{"ForwardingAddress": "Sam", "DeliverToMailboxAndForward": false}},
		{"it does already", was, was, "", nil},
		{"without a copy", was, `{"ForwardingSmtpAddress":"SMTP:drop@evil.example"}`, "", map[string]any{"ForwardingSmtpAddress": "smtp:drop@evil.example", "DeliverToMailboxAndForward": true}},
		{"somebody set another since", was, `{"ForwardingSmtpAddress":"smtp:deputy@contoso.com"}`, responsehub.Refused, nil},
		{"a copy that cannot be read", `[`, `{}`, responsehub.Permanent, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, func(w http.ResponseWriter, k command) { _, _ = io.WriteString(w, `{"value":[`+tc.now+`]}`) })
			item := &responsehub.Item{Kind: responsehub.Forwarding, Object: "pat@contoso.com>drop@evil.example", Snapshot: json.RawMessage(tc.snapshot)}
			_, err := c.Forwarding().Restore(t.Context(), pat, item)
			if (err != nil) != (tc.kind != "") || err != nil && responsehub.KindOf(err) != tc.kind {
				t.Fatal(err)
			}
			_, got := writes(w.seen)
			delete(got, "Identity")
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if tc.want == nil && tc.kind == "" && !c.Forwarding().Restored(json.RawMessage(tc.snapshot), json.RawMessage(tc.now)) {
				t.Error("what is so already counts as not restored")
			}
		})
	}
}

func TestRestoreDelegate(t *testing.T) {
	for _, tc := range []struct {
		name, object, snapshot string
		there                  bool
		cmdlet                 string
		want                   map[string]any
	}{
		{"full access", "u>FullAccess>sam@contoso.com", `{"User":"sam@contoso.com","AccessRights":["FullAccess"]}`, false, "Add-MailboxPermission",
			map[string]any{"User": "sam@contoso.com", "AccessRights": []any{"FullAccess"}, "InheritanceType": "All", "Confirm": false}},
		{"send as", "u>SendAs>sam@contoso.com", `{"Trustee":"sam@contoso.com","AccessRights":["SendAs"]}`, false, "Add-RecipientPermission",
			map[string]any{"Trustee": "sam@contoso.com", "AccessRights": []any{"SendAs"}, "Confirm": false}},
		{"inbox", "u>Inbox>sam@contoso.com", `{"User":"sam@contoso.com","AccessRights":["Editor","FolderVisible"]}`, false, "Add-MailboxFolderPermission",
			map[string]any{"User": "sam@contoso.com", "AccessRights": []any{"Editor", "FolderVisible"}}},
		{"there already", "u>FullAccess>sam@contoso.com", `{"User":"sam@contoso.com","AccessRights":["FullAccess"]}`, true, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, func(w http.ResponseWriter, k command) {
				if tc.there {
					_, _ = io.WriteString(w, `{"value":[`+tc.snapshot+`]}`)
					return
				}
				_, _ = io.WriteString(w, `{"value":[]}`)
			})
			item := &responsehub.Item{Kind: responsehub.Delegate, Object: tc.object, Snapshot: json.RawMessage(tc.snapshot)}
			if _, err := c.Delegates().Restore(t.Context(), pat, item); err != nil {
				t.Fatal(err)
			}
			name, got := writes(w.seen)
			delete(got, "Identity")
			if d := cmp.Diff(tc.want, got); d != "" || name != tc.cmdlet {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
			less := strings.Replace(tc.snapshot, `"AccessRights":[`, `"AccessRights":["x",`, 1)
			if !c.Delegates().Restored(item.Snapshot, item.Snapshot) || c.Delegates().Restored(json.RawMessage(less), item.Snapshot) {
				t.Error("Restored does not compare the rights")
			}
		})
	}
}
