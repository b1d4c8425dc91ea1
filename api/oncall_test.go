package api_test

import (
	"log/slog"
	"strings"
	"testing"

	"responsehub/api"
	"responsehub/oncall"
)

// caller plays plans for the people of the tests.
func caller() api.OnCall {
	return oncall.New(oncall.Config{Directory: &directory{}}, slog.New(slog.DiscardHandler))
}

func TestPreviewOfCalls(t *testing.T) {
	h := newHub(t, api.Config{OnCall: caller()})
	for _, tc := range []struct {
		name, key, path string
		status          int
		says            string
	}{
		{"now", "reader", "/v1/tenants/t1/oncall", 200, `"severity":"high"`},
		{"at a time", "reader", "/v1/tenants/t1/oncall?at=2026-01-05T03:00:00Z&severity=low", 200, `"at":"2026-01-05T03:00:00Z","severity":"low"`},
		{"no time", "reader", "/v1/tenants/t1/oncall?at=soon", 400, "must be like"},
		{"no severity", "reader", "/v1/tenants/t1/oncall?severity=awful", 400, "must be one of"},
		{"not theirs", "fabrikam responder", "/v1/tenants/t1/oncall", 404, "among yours"},
		{"nobody is called there", "reader", "/v1/tenants/t2/oncall", 404, "no phone sequence"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := h.ask(tc.key, "GET", tc.path, "")
			if got.status != tc.status || !strings.Contains(got.body, tc.says) {
				t.Errorf("%d %s, want %d and %q", got.status, got.body, tc.status, tc.says)
			}
		})
	}
}
