package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/remediation/steps"
)

var since = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

const (
	earlier = "2026-11-20T09:10:00Z"
	during  = "2026-11-23T09:10:00Z"
	ms      = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
)

// TestScanSince: what was made in the window is found with its time; what is older, switched
// off, Microsoft's or the hub's own is not.
func TestScanSince(t *testing.T) {
	at := "GET /users/" + userID
	c, w := directory(t, map[string]string{
		"GET /auditLogs/directoryAudits": `{"value":[]}`,
		at + "/mailboxSettings":          `{"automaticRepliesSetting":{"status":"scheduled"}}`,
		at + "/ownedObjects/graph.application": `{"value":[
			{"id":"new","appId":"a1","displayName":"New","createdDateTime":"` + during + `"},
			{"id":"old","appId":"a2","displayName":"Old","createdDateTime":"` + earlier + `","passwordCredentials":[{"startDateTime":"` + earlier + `"}]},
			{"id":"key","appId":"a3","displayName":"Key","createdDateTime":"` + earlier + `","keyCredentials":[{"startDateTime":"` + during + `"}]},
			{"id":"off","appId":"a4","displayName":"Off","createdDateTime":"` + during + `","isDisabled":true},
			{"id":"own","appId":"` + clientID + `","displayName":"Hub","createdDateTime":"` + during + `"}]}`,
		at + "/ownedObjects/graph.servicePrincipal": `{"value":[
			{"id":"sp","appId":"a5","displayName":"SP","accountEnabled":true,"passwordCredentials":[{"startDateTime":"` + during + `"}]},
			{"id":"ms","appId":"a6","displayName":"MS","accountEnabled":true,"appOwnerOrganizationId":"` + ms + `","passwordCredentials":[{"startDateTime":"` + during + `"}]},
			{"id":"bot","appId":"99999999-9999-4999-8999-999999999999","displayName":"Bot","passwordCredentials":[{"startDateTime":"` + during + `"}]},
			{"id":"sp-off","appId":"a7","accountEnabled":false,"passwordCredentials":[{"startDateTime":"` + during + `"}]}]}`,
		at + "/authentication/methods": `{"value":[
			{"@odata.type":"#microsoft.graph.passwordAuthenticationMethod","id":"p","createdDateTime":"` + during + `"},
			{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m1","phoneNumber":"+1 206","createdDateTime":"` + earlier + `"},
			{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m2","phoneNumber":"+1 207","createdDateTime":null},
			{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"m3","displayName":"key","createdDateTime":"` + during + `"}]}`,
		at + "/registeredDevices/graph.device": `{"value":[{"id":"d1","displayName":"EVIL","accountEnabled":true,"registrationDateTime":"` + during + `"},
			{"id":"d2","displayName":"LAPTOP","accountEnabled":true,"registrationDateTime":"` + earlier + `"},{"id":"d3","accountEnabled":false,"registrationDateTime":"` + during + `"}]}`,
	})
	items, err := c.Scan(t.Context(), pat, since)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range items {
		made := ""
		if !i.MadeAt.IsZero() {
			made = " " + i.MadeAt.Format(time.RFC3339)
		}
		got = append(got, string(i.Kind)+" "+i.Object+made)
		if i.Why == "" || i.ID != responsehub.ItemID(i.Kind, i.Object) || i.Name == "" {
			t.Errorf("%+v", i)
		}
	}
	slices.Sort(got)
	want := []string{"app_registration key " + during, "app_registration new " + during, "auth_method m2", "auth_method m3 " + during, "auto_reply " + userID, "device d1 " + during, "service_principal sp " + during}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range w.requests() {
		if strings.Contains(r.Path, "ownedObjects") && !strings.Contains(r.Query, "keyCredentials") {
			t.Errorf("%s does not ask for the keys, which come no other way: %s", r.Path, r.Query)
		}
	}
}

// TestScanNamesEachRight: every part that is refused names the right it lacks, and hides
// no other.
func TestScanNamesEachRight(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "graph.device") {
			say(w, 200, `{"value":[{"id":"d1","displayName":"EVIL","registrationDateTime":"`+during+`"}]}`)
			return
		}
		say(w, 403, complain("Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
	}, "User.RevokeSessions.All")
	items, err := c.Scan(t.Context(), pat, since)
	if len(items) != 1 {
		t.Errorf("%d items", len(items))
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatal(err)
	}
	said := ""
	for _, e := range joined.Unwrap() {
		said += responsehub.Sentence(e) + "\n"
	}
	for _, right := range []string{"MailboxSettings.ReadWrite", "Directory.Read.All", "User.Read.All", "UserAuthenticationMethod.Read.All", "AuditLog.Read.All"} {
		if !strings.Contains(said, right) {
			t.Errorf("%s is not named in:\n%s", right, said)
		}
	}
}

// TestRemovedByName: each kind is read, removed by one request, and is gone afterwards.
func TestRemovedByName(t *testing.T) {
	methods := `{"value":[{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m","phoneNumber":"+1"},{"@odata.type":"#microsoft.graph.passwordAuthenticationMethod","id":"p"},{"@odata.type":"#microsoft.graph.qrCodePinAuthenticationMethod","id":"q"}]}`
	at := "/users/" + userID
	for _, tc := range []struct {
		name    string
		of      func(*Client) steps.Foothold
		object  string
		answers map[string]string
		guard   string
		write   []string
	}{
		{"phone number", func(c *Client) steps.Foothold { return c.Methods() }, "m", map[string]string{"GET " + at + "/authentication/methods": methods, "DELETE " + at + "/authentication/phoneMethods/m": ""}, "", []string{"DELETE " + at + "/authentication/phoneMethods/m"}},
		{"password", func(c *Client) steps.Foothold { return c.Methods() }, "p", map[string]string{"GET " + at + "/authentication/methods": methods}, guardMethod, nil},
		{"a type without a way to delete it", func(c *Client) steps.Foothold { return c.Methods() }, "q", map[string]string{"GET " + at + "/authentication/methods": methods}, guardMethod, nil},
		{"device", func(c *Client) steps.Foothold { return c.Devices() }, "d", map[string]string{"GET /devices/d": `{"id":"d","displayName":"EVIL","accountEnabled":true}`, "PATCH /devices/d": ""}, "", []string{`PATCH /devices/d {"accountEnabled":false}`}},
		{"automatic replies", func(c *Client) steps.Foothold { return c.AutoReplies() }, userID, map[string]string{"GET " + at + "/mailboxSettings": `{"automaticRepliesSetting":{"status":"alwaysEnabled"}}`, "PATCH " + at + "/mailboxSettings": `{}`}, "", []string{"PATCH " + at + `/mailboxSettings {"automaticRepliesSetting":{"status":"disabled"}}`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := directory(t, tc.answers)
			f, item := tc.of(c), &responsehub.Item{Object: tc.object}
			got, err := f.Read(t.Context(), pat, item)
			if err != nil || !got.Active || got.Guard != tc.guard || !json.Valid(got.Snapshot) {
				t.Fatalf("%v %+v %s", err, got, got.Snapshot)
			}
			if _, err = f.Neutralise(t.Context(), pat, item, responsehub.Delete); tc.guard == "" && err != nil || tc.guard != "" && responsehub.KindOf(err) != responsehub.Refused {
				t.Error(err)
			}
			if diff := cmp.Diff(tc.write, w.writes()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			empty, _ := directory(t, map[string]string{"GET " + at + "/authentication/methods": `{"value":[]}`})
			if _, err := tc.of(empty).Read(t.Context(), pat, item); responsehub.KindOf(err) != responsehub.NotFound {
				t.Errorf("one that is gone: %v", err)
			}
		})
	}
}

// TestDefaultMethodGoesLast: Microsoft's refusal is told in words that help.
func TestDefaultMethodGoesLast(t *testing.T) {
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			say(w, 200, `{"value":[{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m"}]}`)
			return
		}
		say(w, 400, complain("badRequest", "The default method cannot be deleted."))
	})
	if _, err := c.Methods().Neutralise(t.Context(), pat, &responsehub.Item{Object: "m"}, ""); responsehub.Sentence(err) != methodStays || responsehub.KindOf(err) != responsehub.Permanent {
		t.Error(err)
	}
}

// TestListsAreReadToTheEnd: also those that the SDK does not read, and never elsewhere.
func TestListsAreReadToTheEnd(t *testing.T) {
	next := "https://graph.test/v1.0/next"
	c, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/next") {
			say(w, 200, `{"value":[{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m2"}]}`)
			return
		}
		say(w, 200, `{"value":[{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m1"}],"@odata.nextLink":"`+next+`"}`)
	})
	if _, err := c.Methods().Read(t.Context(), pat, &responsehub.Item{Object: "m2"}); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"https://evil.test/v1.0/next", "https://graph.test/v1.0/users/" + userID + "/authentication/methods\",\"x\":\""} {
		next = bad
		if _, err := c.Methods().Read(t.Context(), pat, &responsehub.Item{Object: "none"}); responsehub.KindOf(err) != responsehub.Unavailable {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// FuzzMethod reads whatever may stand in the lists.
func FuzzMethod(f *testing.F) {
	for _, s := range []string{`{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m","createdDateTime":"` + during + `"}`, `{"createdDateTime":"yesterday"}`, `{"passwordCredentials":[{}],"accountEnabled":null}`, `5`, `null`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var m method
		if json.Unmarshal([]byte(s), &m) == nil && m.title() == "" {
			t.Error("no title")
		}
		var a ownedApp
		_ = json.Unmarshal([]byte(s), &a)
		if why, at := a.since(since); (why == "") != at.IsZero() {
			t.Errorf("%q at %s", why, at)
		}
		var d device
		_ = json.Unmarshal([]byte(s), &d)
		_ = d.on()
	})
}
