package graph_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestTakeoverByHand walks the whole response to an account takeover with plain requests.
func TestTakeoverByHand(t *testing.T) {
	s := newStage(t)
	pat := s.user(s.scene.Victim)
	s.want(204, "", "PATCH", pat, `{"@odata.type":"#microsoft.graph.user","accountEnabled":false}`)
	a := s.want(200, "", "POST", pat+"/revokeSignInSessions", "")
	if a.body["value"] != true {
		t.Errorf("revoke answered %v", a.body)
	}
	a = s.want(200, "", "GET", pat+"?$select=accountEnabled,signInSessionsValidFromDateTime", "")
	if a.body["accountEnabled"] != false || a.body["id"] != nil {
		t.Errorf("after the lock: %v", a.body)
	}

	s.head.Set("Prefer", `IdType="ImmutableId"`)
	for _, u := range s.scene.Receivers {
		found := s.want(200, "", "GET", s.user(u)+"/messages?"+q("internetMessageId eq '"+s.scene.PhishID+"'")+"&$select=id,parentFolderId", "").value()
		if len(found) != 1 {
			t.Fatalf("%s: %d messages", u.UPN, len(found))
		}
		id := found[0]["id"].(string)
		s.want(201, "", "POST", s.user(u)+"/messages/"+id+"/move", `{"DestinationId":"deleteditems"}`)
		bin := s.want(200, "", "GET", s.user(u)+"/mailFolders/deleteditems?$select=id", "")
		now := s.want(200, "", "GET", s.user(u)+"/messages/"+id+"?$select=parentFolderId", "")
		if now.body["parentFolderId"] != bin.body["id"] || len(u.Messages("deleteditems")) != 1 {
			t.Errorf("%s: the phish is not in Deleted Items: %v", u.UPN, now.body)
		}
	}

	rules := pat + "/mailFolders/inbox/messageRules"
	if got := s.want(200, "", "GET", rules, "").value(); len(got) != 2 {
		t.Errorf("%d visible rules, want 2", len(got))
	}
	if a := s.want(200, "", "PATCH", rules+"/"+url.PathEscape(s.scene.Rule.ID), `{"isEnabled":false}`); a.body["isEnabled"] != false {
		t.Errorf("rule after PATCH: %v", a.body)
	}
	s.want(204, "", "DELETE", rules+"/"+url.PathEscape(s.scene.Rule.ID), "")
	s.want(404, "ErrorItemNotFound", "DELETE", rules+"/"+url.PathEscape(s.scene.Rule.ID), "")
	s.want(404, "ErrorItemNotFound", "GET", rules+"/"+url.PathEscape(s.scene.HiddenRule.ID), "")
	s.want(204, "", "PATCH", "/servicePrincipals/"+s.scene.EvilSP.ID, `{"accountEnabled":false}`)
	s.want(204, "", "DELETE", "/oauth2PermissionGrants/"+s.scene.EvilGrant.ID, "")
	app := "/applications(appId='" + s.scene.EvilApp.AppID + "')"
	s.want(204, "", "DELETE", app+"/owners/"+s.scene.Victim.ID+"/$ref", "")
	s.want(204, "", "POST", "/applications/"+s.scene.EvilApp.ID+"/removePassword", `{"keyId":"`+s.scene.EvilApp.Passwords[0].KeyID+`"}`)
	s.want(204, "", "PATCH", app, `{"isDisabled":true}`)
	if a := s.want(200, "", "GET", app+"?$select=id,isDisabled", ""); a.body["isDisabled"] != true {
		t.Errorf("app: %v", a.body)
	}

	s.want(204, "", "PATCH", pat, `{"passwordProfile":{"password":"Wq7-mK2_pT9!xR4=","forceChangePasswordNextSignIn":true}}`)
	if s.scene.Victim.Password() != "Wq7-mK2_pT9!xR4=" {
		t.Error("the password did not change")
	}
	s.want(204, "", "PATCH", pat, `{"accountEnabled":true}`)

	want := "disable revoke move move move rule.disable rule.delete sp.disable grant.delete owner.remove secret.remove app.disable password enable"
	if got := s.effects(); got != want {
		t.Errorf("effects:\n got %s\nwant %s", got, want)
	}
	if got := s.log.UnexpectedAll(); len(got) > 0 {
		t.Errorf("unexpected: %q", got)
	}
	for _, r := range s.log.Requests() {
		if strings.Contains(r.Header.Get("Authorization"), s.token) {
			t.Fatal("the ledger shows a whole token")
		}
	}
}
