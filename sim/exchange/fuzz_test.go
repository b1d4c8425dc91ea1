package exchange_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"responsehub/sim/tenant"
)

// FuzzCommand sends anything as a cmdlet with a good token: it always answers in JSON.
func FuzzCommand(f *testing.F) {
	f.Add("Set-InboundConnector", `{"Identity":"Relay","Enabled":"yes","SenderDomains":[1]}`, "$skiptoken=MQ")
	f.Add("Get-InboxRule", `{"Mailbox":"pat@contoso.example","IncludeHidden":true,"Identity":"\\"}`, "$select=Name,%zz")
	f.Add("New-InboundConnector", `{"Name":"x","SenderDomains":null}`, "")
	f.Add("Set-Mailbox", `{"Identity":{},"ForwardingSmtpAddress":null}`, "$skiptoken=-1")
	s := newStage(f)
	f.Fuzz(func(t *testing.T, name, params, query string) {
		body := `{"CmdletInput":{"CmdletName":"` + name + `","Parameters":` + params + `}}`
		r, err := http.NewRequest(http.MethodPost, "http://sim/exchange/adminapi/beta/"+tenant.TenantID(1)+"/InvokeCommand?"+query, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-CmdletName", name)
		rec := httptest.NewRecorder()
		s.ex.ServeHTTP(rec, r)
		if rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	})
}
