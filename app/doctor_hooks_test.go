package app

import (
	"encoding/base64"
	"strings"
	"testing"

	"responsehub"
	"responsehub/config"
	"responsehub/connectors/webhook"
)

func TestDoctorTellsTheSecretOfAWebhookAndNotItsAddress(t *testing.T) {
	key := make([]byte, 32)
	a := &App{cfg: &config.Config{Secrets: config.Secrets{Key: responsehub.Secret(base64.StdEncoding.EncodeToString(key))}}}
	address := "https://sink.example/hidden"
	checks := a.checkHooks([]responsehub.Tenant{{Name: "Contoso", Notify: responsehub.Notify{Webhooks: []string{address}}}})
	if len(checks) != 1 || !strings.Contains(checks[0].Sentence, string(webhook.Secret(key, address))) || strings.Contains(checks[0].Sentence, "hidden") {
		t.Errorf("got %+v", checks)
	}
}
