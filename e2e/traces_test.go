package e2e

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"responsehub"
)

// TestTraces: a collector that the environment names hears of the alert, of the lock and
// of the requests to Microsoft, with the incident and without a secret.
func TestTraces(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard strings.Builder // names and values stand in protobuf as they are
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.Copy(&heard, body)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	s := raise(t, scenery{separate: true, environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_BSP_SCHEDULE_DELAY=100"}})
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓")
	text := func() string { mu.Lock(); defer mu.Unlock(); return heard.String() }
	for _, want := range []string{"store alert", "turn lock", "turn teams", "turn persistence", "PATCH 127.0.0.1", in.Ref, "Contoso"} {
		s.until("the collector heard of "+want, func() bool { return strings.Contains(text(), want) })
	}
	for what, hush := range map[string]string{"API key": s.key, "webhook's secret": s.world.WebhookSecret(), "token": "eyJ", "account": s.scene(0).Victim.UPN} {
		if strings.Contains(text(), hush) {
			t.Errorf("the collector got the %s", what)
		}
	}
}
