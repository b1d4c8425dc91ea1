package app

import (
	"strings"
	"testing"

	"responsehub"
)

func TestDoctorTellsHowToGetTheSecretOfAWebhookAndNotItsAddress(t *testing.T) {
	address := "https://sink.example/hidden"
	checks := new(App).checkHooks([]responsehub.Tenant{{Name: "Contoso", Notify: responsehub.Notify{Webhooks: []string{address, "://"}}}})
	if len(checks) != 2 || checks[1].Grade != responsehub.CheckMissing || !strings.Contains(checks[0].Sentence, "sink.example are signed") || !strings.Contains(checks[0].Sentence, responsehub.AddressID(address)) {
		t.Fatalf("got %+v", checks)
	}
	if strings.Contains(checks[0].Sentence, "hidden") || strings.Contains(checks[0].Sentence, "whsec_") {
		t.Errorf("it tells %s", checks[0].Sentence)
	}
}
