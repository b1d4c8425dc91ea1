package exchange

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/remediation/steps"
)

// told answers each cmdlet from a table of its name to the objects; one that is not in it
// returns none. "403" refuses it as Exchange does for want of a role.
func told(answers map[string]string) func(http.ResponseWriter, command) {
	return func(w http.ResponseWriter, c command) {
		if answers[c.Name] == "403" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"error":{"details":[{"message":"Ex1|a.CmdletAccessDeniedException|The cmdlet is not present in the role definition of the current user."}]}}`)
			return
		}
		_, _ = io.WriteString(w, `{"value":[`+answers[c.Name]+`]}`)
	}
}

func (w *world) changes() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.seen {
		if !strings.HasPrefix(c.Name, "Get-") {
			b, _ := json.Marshal(c.Parameters)
			out = append(out, c.Name+" "+string(b))
		}
	}
	return out
}

const (
	self     = `{"User":"NT AUTHORITY\\SELF","AccessRights":["FullAccess"]}`
	full     = `{"User":"sam@contoso.com","AccessRights":["FullAccess"]}`
	wanted   = `{"Guid":"t-1","Name":"Disclaimer","State":"Enabled","LastModifiedBy":"root@contoso.com","WhenChanged":"2026-11-23T09:30:00+00:00"}`
	evil     = `{"Guid":"t-2","Name":"Copy","State":"Enabled","LastModifiedBy":"PAT@contoso.com","WhenChanged":"2026-11-23T09:31:00+00:00","BlindCopyTo":["drop@evil.test"]}`
	sweeping = `{"Identity":"pat\\s1==","RuleId":"s1==","Name":"Tidy","Enabled":true,"Sender":"bank@x.test","DestinationFolder":"Deleted Items"}`
)

// TestFootholds: each kind is read, removed by its cmdlet with the parameters that Exchange
// knows, and what is gone is NotFound.
func TestFootholds(t *testing.T) {
	for _, tc := range []struct {
		name     string
		of       func(*Client) steps.Foothold
		answers  map[string]string
		object   string
		action   responsehub.Action
		asks     bool
		inactive bool
		change   string
		gone     string // object of one that is not there
	}{
		{"forwarding to an address outside", func(c *Client) steps.Foothold { return c.Forwarding() }, map[string]string{"Get-Mailbox": `{"ForwardingSmtpAddress":"smtp:drop@evil.test","DeliverToMailboxAndForward":true}`},
			userID + ">drop@evil.test", "", false, false, `Set-Mailbox {"DeliverToMailboxAndForward":false,"ForwardingSmtpAddress":null,"Identity":"pat@contoso.com"}`, ""},
		{"forwarding to a recipient", func(c *Client) steps.Foothold { return c.Forwarding() }, map[string]string{"Get-Mailbox": `{"ForwardingSmtpAddress":null,"ForwardingAddress":"Drop"}`},
			userID + ">Drop", "", false, false, `Set-Mailbox {"DeliverToMailboxAndForward":false,"ForwardingAddress":null,"Identity":"pat@contoso.com"}`, ""},
		{"forwarding that was ended", func(c *Client) steps.Foothold { return c.Forwarding() }, map[string]string{"Get-Mailbox": `{"ForwardingSmtpAddress":null}`},
			userID + ">drop@evil.test", "", false, true, "", ""},
		{"full access", func(c *Client) steps.Foothold { return c.Delegates() }, map[string]string{"Get-MailboxPermission": self + "," + full},
			userID + ">FullAccess>sam@contoso.com", "", false, false, `Remove-MailboxPermission {"AccessRights":["FullAccess"],"Confirm":false,"Identity":"pat@contoso.com","InheritanceType":"All","User":"sam@contoso.com"}`, userID + ">FullAccess>robin@contoso.com"},
		{"send as", func(c *Client) steps.Foothold { return c.Delegates() }, map[string]string{"Get-RecipientPermission": `{"Trustee":"sam@contoso.com","AccessRights":"SendAs"}`},
			userID + ">SendAs>sam@contoso.com", "", false, false, `Remove-RecipientPermission {"AccessRights":["SendAs"],"Confirm":false,"Identity":"pat@contoso.com","Trustee":"sam@contoso.com"}`, userID + ">SendAs>x"},
		{"inbox", func(c *Client) steps.Foothold { return c.Delegates() }, map[string]string{"Get-MailboxFolderPermission": `{"User":{"DisplayName":"Sam","UserPrincipalName":"sam@contoso.com"},"AccessRights":["Editor"]}`},
			userID + ">Inbox>sam@contoso.com", "", false, false, `Remove-MailboxFolderPermission {"Confirm":false,"Identity":"pat@contoso.com:\\Inbox","User":"sam@contoso.com"}`, userID + ">Inbox>x"},
		{"sweep rule", func(c *Client) steps.Foothold { return c.SweepRules() }, map[string]string{"Get-SweepRule": sweeping},
			`pat\s1==`, "", true, false, `Disable-SweepRule {"Confirm":false,"Identity":"s1==","Mailbox":"pat@contoso.com"}`, "x"},
		{"sweep rule deleted", func(c *Client) steps.Foothold { return c.SweepRules() }, map[string]string{"Get-SweepRule": sweeping},
			`s1==`, responsehub.Delete, true, false, `Remove-SweepRule {"Confirm":false,"Identity":"s1==","Mailbox":"pat@contoso.com"}`, "x"},
		{"mail flow rule of the account", func(c *Client) steps.Foothold { return c.TransportRules() }, map[string]string{"Get-TransportRule": evil},
			"t-2", "", false, false, `Disable-TransportRule {"Confirm":false,"Identity":"t-2"}`, "x"},
		{"mail flow rule of an administrator", func(c *Client) steps.Foothold { return c.TransportRules() }, map[string]string{"Get-TransportRule": wanted},
			"t-1", responsehub.Remove, true, false, `Remove-TransportRule {"Confirm":false,"Identity":"t-1"}`, "x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, told(tc.answers))
			f, item := tc.of(c), &responsehub.Item{Object: tc.object, Mailbox: userID}
			got, err := f.Read(t.Context(), pat, item)
			if err != nil || got.Active == tc.inactive || (got.Ask != "") != tc.asks || !json.Valid(got.Snapshot) || got.RequestID == "" {
				t.Fatalf("%v %+v %s", err, got, got.Snapshot)
			}
			if _, err := f.Neutralise(t.Context(), pat, item, tc.action); err != nil {
				t.Fatal(err)
			}
			var want []string
			if tc.change != "" {
				want = []string{tc.change}
			}
			if diff := cmp.Diff(want, w.changes()); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if tc.gone == "" {
				return
			}
			if _, err := f.Read(t.Context(), pat, &responsehub.Item{Object: tc.gone}); responsehub.KindOf(err) != responsehub.NotFound {
				t.Errorf("one that is gone: %v", err)
			}
		})
	}
}

func TestUnknownDelegate(t *testing.T) {
	c, w := newWorld(t, told(nil))
	if _, err := c.Delegates().Neutralise(t.Context(), pat, &responsehub.Item{Object: "somebody"}, ""); responsehub.KindOf(err) != responsehub.Permanent || len(w.names()) > 0 {
		t.Errorf("%v after %v", err, w.names())
	}
}

// TestScanNames: one refused part hides no other, and each refusal is named by what could
// not be read.
func TestScanNames(t *testing.T) {
	since := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c, _ := newWorld(t, told(map[string]string{
		"Get-SweepRule": "403", "Get-RecipientPermission": "403",
		"Get-MailboxPermission":       self + "," + full + `,{"User":"x","AccessRights":["FullAccess"],"IsInherited":true},{"User":"y","AccessRights":["FullAccess"],"Deny":true},{"User":"S-1-5-21-1","AccessRights":["FullAccess"]}`,
		"Get-MailboxFolderPermission": `{"User":"Default","AccessRights":["None"]},{"User":"Anonymous","AccessRights":["Reviewer"]}`,
		"Get-TransportRule":           wanted + "," + evil + `,{"Guid":"t-3","Name":"Old","State":"Enabled","WhenChanged":"2020-01-01T00:00:00Z"},{"Guid":"t-4","Name":"Off","State":"Disabled","WhenChanged":"2026-11-23T09:30:00Z"}`,
	}))
	items, err := c.Scan(t.Context(), pat, since)
	var got []string
	for _, i := range items {
		got = append(got, fmt.Sprintf("%s %s", i.Kind, i.Name))
		if i.Kind == responsehub.TransportRule && (i.MadeAt.IsZero() || i.MadeBy == "") {
			t.Errorf("%+v lacks when and by whom", i)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"delegate Anonymous (Inbox)", "delegate sam@contoso.com (FullAccess)", "transport_rule Copy", "transport_rule Disclaimer"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 2 {
		t.Fatalf("errors are %v", err)
	}
	for i, what := range []string{"who may send in the mailbox's name", "the sweep rules"} {
		if s := responsehub.Sentence(joined.Unwrap()[i]); !strings.Contains(s, what) || !strings.Contains(s, "Exchange Administrator") {
			t.Errorf("%q does not name %q and the role", s, what)
		}
	}
}

// TestScanTakesFiveSeconds: with a second a call, two at a time.
func TestScanTakesFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newWorld(t, func(w http.ResponseWriter, c command) {
			time.Sleep(time.Second)
			told(nil)(w, c)
		})
		start := time.Now()
		if _, err := c.Scan(t.Context(), pat, start); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%d cmdlets took %s", len(w.names()), d)
		}
	})
}

// FuzzPermission reads whatever Exchange may send as a row of a list of rights.
func FuzzPermission(f *testing.F) {
	for _, s := range []string{self, full, `{"User":{"DisplayName":"x"},"AccessRights":"A, B"}`, `{"User":5,"AccessRights":{}}`, `null`, sweeping, evil} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p permission
		_ = json.Unmarshal([]byte(s), &p)
		_, _ = p.own(), p.Rights.has(fullAccess)
		var r transportRule
		_ = json.Unmarshal([]byte(s), &r)
		_, _, _ = r.on(), r.why(), r.by(pat)
		var sw sweep
		_ = json.Unmarshal([]byte(s), &sw)
		if sw.why() == "" {
			t.Error("no why")
		}
	})
}
