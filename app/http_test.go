package app

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"responsehub/config"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// TestProfilesAreOffUnlessSwitchedOn: metrics are served either way.
func TestProfilesAreOffUnlessSwitchedOn(t *testing.T) {
	rdb, _ := storetest.Mini(t)
	engine, err := remediation.New(store.New(rdb), store.New(rdb), remediation.Config{Key: bytes.Repeat([]byte{1}, remediation.KeySize)}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{false, true} {
		a := &App{cfg: &config.Config{Server: config.Server{Pprof: on}}, engine: engine}
		get := func(path string) (int, string) {
			w := httptest.NewRecorder()
			a.adminHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			return w.Code, w.Body.String()
		}
		if code, body := get("/metrics"); code != http.StatusOK || !strings.Contains(body, "responsehub_") {
			t.Errorf("pprof %t: metrics answer %d", on, code)
		}
		want := http.StatusNotFound
		if on {
			want = http.StatusOK
		}
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap?debug=1", "/debug/pprof/symbol"} {
			if code, _ := get(path); code != want {
				t.Errorf("pprof %t: %s answers %d, want %d", on, path, code, want)
			}
		}
		if code, _ := get("/debug/pprof/cmdline"); code == http.StatusOK {
			t.Errorf("pprof %t: the command line is served", on)
		}
	}
}
