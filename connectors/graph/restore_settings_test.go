package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"responsehub"
	"responsehub/remediation/steps"
)

// TestRestoreSettings: what the hub switched off is switched on as it was; what is so
// already, or was set otherwise since, is left alone.
func TestRestoreSettings(t *testing.T) {
	replies, device := "/users/"+userID+"/mailboxSettings", "/devices/d1"
	settings := func(s string) string { return `{"automaticRepliesSetting":` + s + `}` }
	for _, tc := range []struct {
		name, path, snapshot, now string
		status                    int
		want                      string // the body that is sent, "" for none
		kind                      responsehub.Kind
	}{
		{"replies", replies, `{"status":"alwaysEnabled","internalReplyMessage":"x"}`, settings(`{"status":"disabled"}`), 200, `{"automaticRepliesSetting":{"status":"alwaysEnabled"}}`, ""},
		{"scheduled replies", replies, `{"status":"scheduled","scheduledEndDateTime":{"dateTime":"2026-12-01"}}`, settings(`{"status":"disabled"}`), 200,
			`{"automaticRepliesSetting":{"scheduledEndDateTime":{"dateTime":"2026-12-01"},"status":"scheduled"}}`, ""},
		{"replies that are on already", replies, `{"status":"alwaysEnabled"}`, settings(`{"status":"alwaysEnabled"}`), 200, "", ""},
		{"replies that somebody scheduled", replies, `{"status":"alwaysEnabled"}`, settings(`{"status":"scheduled"}`), 200, "", responsehub.Refused},
		{"replies whose copy cannot be read", replies, `[`, settings(`{"status":"disabled"}`), 200, "", responsehub.Permanent},
		{"device", device, `{"id":"d1","accountEnabled":true}`, `{"id":"d1","accountEnabled":false}`, 200, `{"accountEnabled":true}`, ""},
		{"device that is on already", device, `{"id":"d1","accountEnabled":true}`, `{"id":"d1","accountEnabled":true}`, 200, "", ""},
		{"device that was off before", device, `{"id":"d1","accountEnabled":false}`, `{"id":"d1","accountEnabled":false}`, 200, "", ""},
		{"device that is gone", device, `{"id":"d1","accountEnabled":true}`, complain("Request_ResourceNotFound", "x"), 404, "", responsehub.NotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { say(w, tc.status, tc.now) }, "User.Read.All")
			var f steps.Restorer = c.AutoReplies()
			if tc.path == device {
				f = c.Devices()
			}
			item := &responsehub.Item{Object: "d1", Snapshot: json.RawMessage(tc.snapshot)}
			_, err := f.Restore(t.Context(), pat, item)
			if (err != nil) != (tc.kind != "") || err != nil && responsehub.KindOf(err) != tc.kind {
				t.Fatal(err)
			}
			sent := ""
			for _, r := range w.requests() {
				if !strings.HasPrefix(r.Path, tc.path) {
					t.Errorf("asked for %s", r.Path)
				}
				if r.Method == http.MethodPatch {
					sent = r.Body
				}
			}
			if sent != tc.want {
				t.Errorf("sent %s, want %s", sent, tc.want)
			}
		})
	}
}
