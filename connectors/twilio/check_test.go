package twilio

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"responsehub"
)

func TestCheck(t *testing.T) {
	type answer = func(http.ResponseWriter)
	account := func(state, kind string) answer {
		return status(200, fmt.Sprintf(`{"sid":%q,"status":%q,"type":%q}`, accountSID, state, kind))
	}
	number := func(sms, voice string) answer {
		return status(200, fmt.Sprintf(`{"incoming_phone_numbers":[{"phone_number":%q,"sms_url":%q,"voice_url":%q}]}`, ourNumber, sms, voice))
	}
	const sms, voice = "https://hub.example.com/twilio/sms", "https://hub.example.com/twilio/voice"
	for _, c := range []struct {
		name    string
		answers []answer
		want    string
	}{
		{"all well", []answer{account("active", "Full"), number(sms+"#rc=3", voice)}, "ok ok ok"},
		{"trial", []answer{account("active", "Trial"), number(sms, voice)}, "warning ok ok"},
		{"suspended", []answer{account("suspended", "Full")}, "missing ok"},
		{"wrong key", []answer{status(401, `{"code":20003}`)}, "missing ok"},
		{"restricted key", []answer{status(403, `{"code":20006}`), status(403, "")}, "unknown unknown ok"},
		{"away", []answer{status(503, "")}, "missing ok"},
		{"not its number", []answer{account("active", "Full"), status(200, `{"incoming_phone_numbers":[]}`)}, "ok warning ok"},
		{"answers go elsewhere", []answer{account("active", "Full"), number("https://demo.twilio.com/", "")}, "ok ok warning warning ok"},
	} {
		_, api := answers(t, c.answers...)
		var got []string
		for _, check := range newClient(t, testConfig(api)).Check(t.Context()) {
			got = append(got, string(check.Grade))
			if check.Sentence == "" || strings.Contains(check.Sentence, ourNumber) {
				t.Errorf("%s: %q", c.name, check.Sentence)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
	for address, want := range map[string]responsehub.Grade{
		"https://hub.example.com": responsehub.CheckOK, "http://127.0.0.1:8080": responsehub.CheckWarning, "https://hub": responsehub.CheckWarning, "https://hub.corp.local": responsehub.CheckWarning,
	} {
		cfg := testConfig("")
		cfg.PublicURL = address
		if got := newClient(t, cfg).checkAddress(); got.Grade != want {
			t.Errorf("%s is %s: %s", address, got.Grade, got.Sentence)
		}
	}
}
