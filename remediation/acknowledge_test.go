package remediation_test

import (
	"testing"

	"responsehub"
	"responsehub/store/storetest"
)

// TestWhoMayStopTheCalls: those who may act, on any surface, and whoever is called, by phone
// or text, whatever their role. Who only looks in, such as a customer, stops nothing.
func TestWhoMayStopTheCalls(t *testing.T) {
	rdb, _ := storetest.Mini(t)
	e := newEngine(t, rdb)
	surfaces := []responsehub.Surface{responsehub.ViaConsole, responsehub.ViaAPI, responsehub.ViaTeams, responsehub.ViaPhone, responsehub.ViaText}
	for _, role := range responsehub.Roles {
		for _, via := range surfaces {
			inc, _ := open(t, e, alert("a-"+string(role)+string(via), on, string(role)+string(via)+"@contoso.example"), "")
			who := responsehub.Actor{ID: "person:kim", Name: "Kim", Role: role, Via: via, Tenants: []string{"Contoso"}}
			_, err := e.Acknowledge(t.Context(), who, inc.ID, "")
			want := role == responsehub.Admin || role == responsehub.Responder || via == responsehub.ViaPhone || via == responsehub.ViaText
			now, readErr := e.Incident(t.Context(), responsehub.Hub, inc.ID)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if (err == nil) != want || (now.Acknowledged != nil) != want || err != nil && responsehub.KindOf(err) != responsehub.Forbidden {
				t.Errorf("a %s by %s: %v, taken %t", role, via, err, now.Acknowledged != nil)
			}
		}
	}
}
