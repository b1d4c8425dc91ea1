package login_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"responsehub/sim/login"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// FuzzToken posts anything to the token endpoint and uses anything as a bearer: no token comes without
// the secret, and no bearer of a stranger's making is believed.
func FuzzToken(f *testing.F) {
	f.Add("contoso.example", "grant_type=client_credentials&client_id="+hubID+"&client_secret=wrong&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default")
	f.Add(tenant.TenantID(1), "grant_type=client_credentials&client_id="+hubID+"&scope=x/.default&client_assertion=e30.e30.x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	f.Add("x", "%zz")
	w := tenant.NewWorld()
	w.AddClient(tenant.Client{ID: hubID, Secret: "a-secret-no-fuzzer-finds-0f9c2b"})
	tenant.Takeover(w, 1).Tenant.ConsentAll(hubID)
	s := login.New(w, wire.NewLog())
	f.Fuzz(func(t *testing.T, key, form string) {
		r, err := http.NewRequest(http.MethodPost, "http://sim/"+key+"/oauth2/v2.0/token", strings.NewReader(form))
		if err != nil {
			return
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code == http.StatusOK || rec.Code >= 500 {
			t.Errorf("%s: %d %s", form, rec.Code, rec.Body)
		}
		if strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") && !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%s: %s", form, rec.Body)
		}
		if _, err := s.Verify(form, "https://graph.microsoft.com"); err == nil {
			t.Errorf("believed %q", form)
		}
	})
}
