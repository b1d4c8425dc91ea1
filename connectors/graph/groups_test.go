package graph

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

const groupID = "44444444-4444-4444-8444-444444444444"

func TestLockGroup(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(c *Client) error
		status int
		body   string
		class  Class
		method string
		path   string
		sent   string
	}{
		{name: "added", do: add, status: 204, method: "POST", path: "/groups/" + groupID + "/members/$ref", sent: `{"@odata.id":"https://graph.test/v1.0/directoryObjects/` + userID + `"}`},
		{name: "in it already", do: add, status: 400, body: complain("Request_BadRequest", "One or more added object references already exist for the following modified properties: 'members'."), method: "POST"},
		{name: "another 400", do: add, status: 400, body: complain("Request_BadRequest", "Unable to update the specified properties."), class: BadRequest, method: "POST"},
		{name: "no right", do: add, status: 403, body: complain("Authorization_RequestDenied", "Insufficient privileges"), class: Permission, method: "POST"},
		{name: "no such group", do: add, status: 404, body: complain("Request_ResourceNotFound", "x"), class: NotFound, method: "POST"},
		{name: "removed", do: remove, status: 204, method: "DELETE", path: "/groups/" + groupID + "/members/" + userID + "/$ref"},
		{name: "not in it", do: remove, status: 404, body: complain("Request_ResourceNotFound", "x"), method: "DELETE"},
		{name: "may not remove", do: remove, status: 403, body: complain("Authorization_RequestDenied", "x"), class: Permission, method: "DELETE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { say(w, c.status, c.body) })
			err := c.do(client)
			if ClassOf(err) != c.class || (err != nil) != (c.class != "") {
				t.Fatalf("%s: %v", ClassOf(err), err)
			}
			got := w.requests()[0]
			if got.Method != c.method || c.path != "" && got.Path != c.path || c.sent != "" && got.Body != c.sent {
				t.Errorf("%s %s %s", got.Method, got.Path, got.Body)
			}
			if err != nil && c.class == NotFound && !strings.Contains(responsehub.Sentence(err), "lock_group") {
				t.Errorf("it says %q", responsehub.Sentence(err))
			}
		})
	}
}

func add(c *Client) error {
	_, err := c.AddMember(context.Background(), tenantID, groupID, userID)
	return err
}

func remove(c *Client) error {
	_, err := c.RemoveMember(context.Background(), tenantID, groupID, userID)
	return err
}

func TestMember(t *testing.T) {
	client, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("$skiptoken") == "" {
			say(w, 200, `{"@odata.nextLink":"https://graph.test/v1.0/groups/`+groupID+`/members?$skiptoken=2","value":[{"id":"other"}]}`)
			return
		}
		say(w, 200, `{"value":[{"@odata.type":"#microsoft.graph.user","id":"`+strings.ToUpper(userID)+`"}]}`)
	})
	if in, err := client.Member(t.Context(), tenantID, groupID, userID); err != nil || !in {
		t.Errorf("in %t, %v", in, err)
	}
	if in, err := client.Member(t.Context(), tenantID, groupID, "nobody"); err != nil || in {
		t.Errorf("in %t, %v", in, err)
	}
}

func TestRoles(t *testing.T) {
	client, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		say(w, 200, `{"value":[{"displayName":"Reports Reader"},{"displayName":"Global Administrator"},{"displayName":"Reports Reader"},{}]}`)
	})
	got, err := client.Roles(t.Context(), tenantID, userID)
	if d := cmp.Diff([]string{"Global Administrator", "Reports Reader"}, got); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	if r := w.requests()[0]; r.Path != "/users/"+userID+"/transitiveMemberOf/graph.directoryRole" || !strings.Contains(r.Query, "displayName") {
		t.Errorf("asked %s?%s", r.Path, r.Query)
	}
}

// A refusal names the least role that overcomes it.
func TestAdministratorsAreNamed(t *testing.T) {
	for _, c := range []struct {
		roles, needs string
		class        Class
	}{
		{`{"displayName":"Helpdesk Administrator"}`, "Give the hub's app the role User Administrator in", ProtectedTarget},
		{`{"displayName":"Helpdesk Administrator"},{"displayName":"Exchange Administrator"}`, "Give the hub's app the role Privileged Authentication Administrator in", ProtectedTarget},
		{``, "and the role Privileged Authentication Administrator if the account is an administrator", Permission},
	} {
		client, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPatch:
				say(w, 403, complain("Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
			case strings.HasSuffix(r.URL.Path, "directoryRole"):
				say(w, 200, `{"value":[`+c.roles+`]}`)
			default:
				say(w, 200, `{"id":"x"}`)
			}
		})
		_, err := client.SetEnabled(t.Context(), tenantID, userID, false)
		if ClassOf(err) != c.class || !strings.Contains(responsehub.Sentence(err), c.needs) {
			t.Errorf("[%s]: %s %q", c.roles, ClassOf(err), responsehub.Sentence(err))
		}
	}
}
