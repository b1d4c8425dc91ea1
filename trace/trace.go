// Package trace tells a collector of OpenTelemetry what the hub did and how long it took:
// an alert from its arrival until it is stored, each turn of a lane (a step's work, a card,
// a call), and each request that goes out, below the turn that made it.
//
// It is off unless OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is
// set; then it costs nothing, because nothing of it is put in the way. The other variables
// of OpenTelemetry (headers, certificate, timeout, sampler, service name, resource
// attributes) are read by its library; spans go out by OTLP over HTTP with protobuf.
//
// A span names incident, tenant, lane and outcome, and of a request its method, host and
// status. Paths, queries, headers, bodies, sentences and the texts of errors are in none,
// so that no secret can be. No trace context is sent to vendors.
//
// What may go wrong: a collector that is away loses spans, which is logged once a minute at
// most and stops nothing.
package trace

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes spans. A nil Tracer is off and may be used all the same.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// On reports whether the environment asks for traces.
func On(getenv func(string) string) bool {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// Start returns a tracer that sends where the process's environment says. Stop ends it.
func Start(ctx context.Context, version string, log *slog.Logger) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace: %s", bare(err))
	}
	// What the environment says of the resource wins.
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "responsehub"), attribute.String("service.version", cmp.Or(version, "dev"))),
		resource.WithHost(), resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		log.Warn("traces lack something of what describes the hub", "error", bare(err))
	}
	otel.SetErrorHandler(&complaints{log: log})
	return over(sdk.WithBatcher(exporter), sdk.WithResource(about)), nil
}

func over(opts ...sdk.TracerProviderOption) *Tracer {
	p := sdk.NewTracerProvider(opts...)
	return &Tracer{provider: p, tracer: p.Tracer("responsehub")}
}

// Stop sends what waits, as long as ctx allows.
func (t *Tracer) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("trace: %s", bare(err))
	}
	return nil
}

// complaints logs what the library cannot send.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
}

// Handle takes an error of the library.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.last) < time.Minute {
		return
	}
	c.last = time.Now()
	c.log.Warn("traces cannot be sent; spans are lost", "error", bare(err))
}

var addresses = regexp.MustCompile(`https?://[^\s"]+`)

// bare is an error's text without addresses: a collector's may hold a key.
func bare(err error) string { return addresses.ReplaceAllString(err.Error(), "the collector") }
