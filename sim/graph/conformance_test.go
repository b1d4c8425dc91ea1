//go:build conformance

package graph_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestAnswersFollowTheDescription checks what the simulator answers against the schemas of Microsoft's
// published metadata.
func TestAnswersFollowTheDescription(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(os.Getenv("RESPONSEHUB_VENDOR"), "graph-openapi-trim.yaml"))
	if err != nil {
		t.Fatalf("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: %v", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	// Open types say that further properties are objects, in every part of an allOf: read literally, that
	// forbids the other parts' properties. What is not declared is looked for by undeclared instead.
	for _, schema := range doc.Components.Schemas {
		open(schema.Value)
	}
	s := newStage(t)
	pat, sam := s.user(s.scene.Victim), s.user(s.scene.Sam)
	msg, rule := s.scene.Sam.Messages("inbox")[0].ImmutableID, url.PathEscape(s.scene.Rule.ID)
	s.head.Set("Prefer", `IdType="ImmutableId"`)
	s.want(http.StatusNoContent, "", "POST", "/identityProtection/riskyUsers/confirmCompromised", `{"userIds":["`+s.scene.Victim.ID+`"]}`)
	s.scene.Victim.SignedIn("Outlook")
	s.scene.Victim.TriedToSignIn("Outlook")
	if err := s.scene.Tenant.AddSecret(s.scene.EvilApp.ID, s.scene.Victim); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path, body, described string }{
		{"GET", "/users?$top=3", "", "/users"},
		{"GET", pat, "", "/users/{user-id}"},
		{"GET", pat + "?$select=id,accountEnabled,isManagementRestricted,signInSessionsValidFromDateTime,lastPasswordChangeDateTime,onPremisesSyncEnabled,assignedPlans,passwordProfile", "", "/users/{user-id}"},
		{"POST", pat + "/revokeSignInSessions", "", "/users/{user-id}/revokeSignInSessions"},
		{"GET", s.user(s.scene.Admin) + "/transitiveMemberOf/graph.directoryRole", "", "/users/{user-id}/transitiveMemberOf/graph.directoryRole"},
		{"GET", pat + "/registeredDevices/graph.device", "", "/users/{user-id}/registeredDevices/graph.device"},
		{"GET", pat + "/oauth2PermissionGrants", "", "/users/{user-id}/oauth2PermissionGrants"},
		{"GET", pat + "/appRoleAssignments", "", "/users/{user-id}/appRoleAssignments"},
		{"GET", pat + "/ownedObjects/graph.application", "", "/users/{user-id}/ownedObjects/graph.application"},
		{"GET", pat + "/authentication/methods", "", "/users/{user-id}/authentication/methods"},
		{"GET", pat + "/authentication/phoneMethods", "", "/users/{user-id}/authentication/phoneMethods"},
		{"GET", sam + "/messages", "", "/users/{user-id}/messages"},
		{"GET", sam + "/messages/" + msg, "", "/users/{user-id}/messages/{message-id}"},
		{"POST", sam + "/messages/" + msg + "/move", `{"destinationId":"deleteditems"}`, "/users/{user-id}/messages/{message-id}/move"},
		{"GET", sam + "/mailFolders", "", "/users/{user-id}/mailFolders"},
		{"GET", sam + "/mailFolders/inbox", "", "/users/{user-id}/mailFolders/{mailFolder-id}"},
		{"GET", sam + "/mailboxSettings", "", "/users/{user-id}/mailboxSettings"},
		{"GET", pat + "/mailFolders/inbox/messageRules", "", "/users/{user-id}/mailFolders/{mailFolder-id}/messageRules"},
		{"GET", pat + "/mailFolders/inbox/messageRules/" + rule, "", "/users/{user-id}/mailFolders/{mailFolder-id}/messageRules/{messageRule-id}"},
		{"PATCH", pat + "/mailFolders/inbox/messageRules/" + rule, `{"isEnabled":false}`, "/users/{user-id}/mailFolders/{mailFolder-id}/messageRules/{messageRule-id}"},
		{"POST", pat + "/mailFolders/inbox/messageRules", `{"displayName":"n","sequence":9,"isEnabled":true,"actions":{"delete":true}}`, "/users/{user-id}/mailFolders/{mailFolder-id}/messageRules"},
		{"GET", "/applications", "", "/applications"},
		{"GET", "/applications/" + s.scene.EvilApp.ID, "", "/applications/{application-id}"},
		{"GET", "/applications/" + s.scene.EvilApp.ID + "/owners", "", "/applications/{application-id}/owners"},
		{"GET", "/servicePrincipals", "", "/servicePrincipals"},
		{"GET", "/servicePrincipals/" + s.scene.EvilSP.ID, "", "/servicePrincipals/{servicePrincipal-id}"},
		{"GET", "/servicePrincipals/" + s.scene.EvilSP.ID + "/oauth2PermissionGrants", "", "/servicePrincipals/{servicePrincipal-id}/oauth2PermissionGrants"},
		{"GET", "/oauth2PermissionGrants", "", "/oauth2PermissionGrants"},
		{"GET", "/devices/" + s.scene.EvilDevice.ID, "", "/devices/{device-id}"},
		{"GET", "/organization", "", "/organization"},
		{"GET", "/domains", "", "/domains"},
		{"GET", "/identityProtection/riskyUsers/" + s.scene.Victim.ID, "", "/identityProtection/riskyUsers/{riskyUser-id}"},
		{"GET", "/auditLogs/signIns", "", "/auditLogs/signIns"},
		{"GET", "/auditLogs/directoryAudits", "", "/auditLogs/directoryAudits"},
		{"GET", "/admin/exchange/tracing/messageTraces", "", "/admin/exchange/tracing/messageTraces"},
		{"POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/organization"},{"id":"2","method":"GET","url":"/users/none"}]}`, "/$batch"},
		{"GET", "/users/none", "", "/users/{user-id}"},
		{"GET", s.user(s.scene.Guest) + "/messages", "", "/users/{user-id}/messages"},
	} {
		item := doc.Paths.Find(c.described)
		if item == nil || item.GetOperation(c.method) == nil {
			t.Errorf("%s %s is not described", c.method, c.described)
			continue
		}
		a := s.do(c.method, c.path, c.body)
		answers := item.GetOperation(c.method).Responses
		r := answers.Value(strconv.Itoa(a.status))
		if r == nil {
			r = answers.Value(strconv.Itoa(a.status/100) + "XX")
		}
		if r == nil {
			t.Errorf("%s %s: status %d is not described", c.method, c.path, a.status)
			continue
		}
		var body any
		again, _ := json.Marshal(a.body)
		_ = json.Unmarshal(again, &body)
		media := r.Value.Content.Get("application/json")
		if media == nil {
			t.Errorf("%s %s: no body is described for %d", c.method, c.path, a.status)
			continue
		}
		if err := media.Schema.Value.VisitJSON(body, openapi3.VisitAsResponse(), openapi3.EnableFormatValidation(), openapi3.MultiErrors()); err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
		}
		for _, name := range undeclared(media.Schema.Value, body) {
			t.Errorf("%s %s: property %s is not declared", c.method, c.path, name)
		}
	}
}

// open drops the constraint on further properties from a schema and its parts.
func open(s *openapi3.Schema) {
	s.AdditionalProperties = openapi3.AdditionalProperties{}
	for _, part := range s.AllOf {
		open(part.Value)
	}
}

// properties collects the declared properties of a schema and its parts.
func properties(s *openapi3.Schema, into openapi3.Schemas) openapi3.Schemas {
	for name, p := range s.Properties {
		into[name] = p
	}
	for _, part := range s.AllOf {
		properties(part.Value, into)
	}
	return into
}

// undeclared lists properties of body that the schema does not know. An object that names its own type
// may be of a derived one and is passed over.
func undeclared(s *openapi3.Schema, body any) (out []string) {
	switch v := body.(type) {
	case []any:
		if s.Items == nil {
			return nil
		}
		for _, x := range v {
			out = append(out, undeclared(s.Items.Value, x)...)
		}
	case map[string]any:
		known := properties(s, openapi3.Schemas{})
		if v["@odata.type"] != nil || len(known) == 0 {
			return nil
		}
		for name, x := range v {
			p, ok := known[name]
			switch {
			case ok:
				out = append(out, undeclared(p.Value, x)...)
			case !strings.HasPrefix(name, "@odata."):
				out = append(out, name)
			}
		}
	}
	return out
}
