package graph_test

import (
	"net/http"
	"testing"
)

func TestGroupMembers(t *testing.T) {
	s := newStage(t)
	g := s.scene.Tenant.AddGroup("Locked accounts")
	at, pat := "/groups/"+g.ID+"/members", s.scene.Victim.ID
	ref := func(set, id string) string {
		return `{"@odata.id":"https://graph.microsoft.com/v1.0/` + set + "/" + id + `"}`
	}
	own := func(id string) string {
		return `{"@odata.id":"` + s.http.URL + "/graph/v1.0/directoryObjects/" + id + `"}`
	}

	s.want(http.StatusNoContent, "", "POST", at+"/$ref", own(pat))
	s.want(http.StatusBadRequest, "Request_BadRequest", "POST", at+"/$ref", own(pat))
	if a := s.want(http.StatusOK, "", "GET", at+"?$select=id&$top=999", ""); len(a.value()) != 1 || a.value()[0]["id"] != pat {
		t.Errorf("members %v", a.value())
	}
	s.want(http.StatusNotFound, "Request_ResourceNotFound", "POST", at+"/$ref", own("nobody"))
	s.want(http.StatusBadRequest, "Request_BadRequest", "POST", at+"/$ref", ref("devices", pat))
	s.want(http.StatusNotFound, "Request_ResourceNotFound", "POST", "/groups/none/members/$ref", own(pat))
	s.want(http.StatusNotFound, "Request_ResourceNotFound", "DELETE", at+"/"+s.scene.Sam.ID+"/$ref", "")
	s.want(http.StatusNoContent, "", "POST", at+"/$ref", ref("directoryObjects", s.scene.Sam.ID))
	s.want(http.StatusNoContent, "", "DELETE", at+"/"+s.scene.Sam.ID+"/$ref", "")
	s.want(http.StatusNoContent, "", "DELETE", at+"/"+pat+"/$ref", "")
	if len(g.Members) != 0 {
		t.Errorf("members %v", g.Members)
	}
	g.RoleAssignable = true
	s.want(http.StatusForbidden, "Authorization_RequestDenied", "POST", at+"/$ref", own(pat))
	s.scene.Tenant.RemoveRole(hubID, "GroupMember.ReadWrite.All")
	g.RoleAssignable = false
	s.newToken()
	s.want(http.StatusForbidden, "Authorization_RequestDenied", "POST", at+"/$ref", own(pat))
}
