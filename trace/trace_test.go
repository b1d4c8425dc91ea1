package trace_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"responsehub"
	"responsehub/trace"
)

// receiver is a collector: it takes OTLP over HTTP.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans map[string]*wire.Span
	raw   strings.Builder
	about map[string]string
}

func collect(t *testing.T) *receiver {
	r := &receiver{spans: map[string]*wire.Span{}, about: map[string]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var body io.Reader = q.Body
		if q.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(q.Body)
		}
		raw, err := io.ReadAll(body)
		var in collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(raw, &in)
		}
		if err != nil || q.URL.Path != "/v1/traces" || q.Header.Get("Api-Key") != "collectors-own" {
			http.Error(w, "not understood", http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.raw.Write(raw)
		for _, rs := range in.ResourceSpans {
			for _, kv := range rs.Resource.Attributes {
				r.about[kv.Key] = kv.Value.GetStringValue()
			}
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					r.spans[s.Name] = s
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=collectors-own")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=night")
	return r
}

func attributes(s *wire.Span) map[string]string {
	out := map[string]string{}
	for _, kv := range s.GetAttributes() {
		out[kv.Key] = kv.Value.GetStringValue()
	}
	return out
}

type hub struct{ inc *responsehub.Incident }

func (h hub) Open(context.Context, responsehub.Delivery, *responsehub.Alert) (*responsehub.Incident, bool, error) {
	return h.inc, false, nil
}

// TestSpans: a collector gets the way of an alert and of a lock, each request below the
// turn that made it, and nothing that could be secret.
func TestSpans(t *testing.T) {
	r := collect(t)
	tracer, err := trace.Start(t.Context(), "1.2", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	inc := &responsehub.Incident{ID: "01ABC", Ref: "RH-7K2M", Tenant: responsehub.TenantRef{ID: "contoso", Name: "Contoso"}}

	door := tracer.Alerts(func(_ http.ResponseWriter, q *http.Request) {
		if _, _, err := tracer.Opens(hub{inc}).Open(context.WithoutCancel(q.Context()), responsehub.Delivery{Source: "petra"}, nil); err != nil {
			t.Error(err)
		}
	})
	door(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/v1/alerts/petra", nil))

	var seen http.Header
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		seen = q.Header
		w.WriteHeader(http.StatusForbidden)
	}))
	defer vendor.Close()
	line := &http.Transport{}
	defer line.CloseIdleConnections()
	tracer.Turn(t.Context(), responsehub.LaneLock, responsehub.NewTurn(inc, 2, nil), func(ctx context.Context) responsehub.Outcome {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPatch, vendor.URL+"/users/hush-path?key=hush-query", strings.NewReader("hush-body"))
		req.Header.Set("Authorization", "Bearer hush-token")
		resp, err := tracer.Request(req, line.RoundTrip)
		if err == nil {
			resp.Body.Close()
		}
		return responsehub.TryAgain(&responsehub.Error{Kind: responsehub.Forbidden, Message: "hush-sentence", Err: err}, nil)
	})
	if err := tracer.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	turn, request, alert, stored := r.spans["turn lock"], r.spans["PATCH 127.0.0.1"], r.spans["alert"], r.spans["store alert"]
	if turn == nil || request == nil || alert == nil || stored == nil {
		t.Fatalf("spans %v", r.spans)
	}
	if string(request.ParentSpanId) != string(turn.SpanId) || string(stored.ParentSpanId) != string(alert.SpanId) {
		t.Error("a span stands below the wrong one")
	}
	if a := attributes(turn); a["responsehub.ref"] != "RH-7K2M" || a["responsehub.incident"] != "01ABC" || a["responsehub.tenant"] != "contoso" || a["responsehub.lane"] != "lock" {
		t.Errorf("the turn is about %v", a)
	}
	if a := attributes(stored); a["responsehub.ref"] != "RH-7K2M" || a["responsehub.source"] != "petra" {
		t.Errorf("the alert is about %v", a)
	}
	if turn.Status.GetMessage() != "forbidden" || request.Status.GetMessage() != "Forbidden" {
		t.Errorf("failures are %q and %q", turn.Status.GetMessage(), request.Status.GetMessage())
	}
	if strings.Contains(r.raw.String(), "hush") {
		t.Error("something of the request or the failure's text went to the collector")
	}
	if r.about["service.name"] != "responsehub" || r.about["service.version"] != "1.2" || r.about["deployment.environment"] != "night" {
		t.Errorf("the hub is described as %v", r.about)
	}
	if seen.Get("Traceparent") != "" {
		t.Error("the vendor got a trace context")
	}
}

// TestCollectorAway: nothing waits for it, and the log names no address.
func TestCollectorAway(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1/hush")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
	var text strings.Builder
	tracer, err := trace.Start(t.Context(), "", slog.New(slog.NewTextHandler(&text, nil)))
	if err != nil {
		t.Fatal(err)
	}
	inc := &responsehub.Incident{ID: "01ABC"}
	start := time.Now()
	out := tracer.Turn(t.Context(), responsehub.LaneLock, responsehub.NewTurn(inc, 0, nil), func(context.Context) responsehub.Outcome {
		return responsehub.Outcome{Err: errors.New("x")}
	})
	if out.Err == nil || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %s", out.Err, time.Since(start))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = tracer.Stop(ctx)
	if strings.Contains(text.String(), "hush") || err != nil && strings.Contains(err.Error(), "hush") {
		t.Errorf("the address is told: %q, %v", text.String(), err)
	}
}

func TestOn(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "TRUE"}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, false},
	} {
		if got := trace.On(func(k string) string { return tt.env[k] }); got != tt.want {
			t.Errorf("%v: %t", tt.env, got)
		}
	}
	var off *trace.Tracer
	if err := off.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if h := (hub{}); off.Opens(h) != trace.Hub(h) {
		t.Error("off, something is in the way")
	}
}
