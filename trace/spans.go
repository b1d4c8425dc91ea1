package trace

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"responsehub"
)

// Hub is what takes alerts.
type Hub interface {
	Open(ctx context.Context, d responsehub.Delivery, a *responsehub.Alert) (inc *responsehub.Incident, known bool, err error)
}

// Alerts puts a span around each request of an alert, from its arrival to its answer.
func (t *Tracer) Alerts(next http.HandlerFunc) http.HandlerFunc {
	if t == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, span := t.tracer.Start(r.Context(), "alert", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		next(w, r.WithContext(ctx))
	}
}

// Opens puts a span around storing an alert, below that of its request if it has one.
func (t *Tracer) Opens(hub Hub) Hub {
	if t == nil {
		return hub
	}
	return opens{t, hub}
}

type opens struct {
	t    *Tracer
	next Hub
}

func (o opens) Open(ctx context.Context, d responsehub.Delivery, a *responsehub.Alert) (*responsehub.Incident, bool, error) {
	ctx, span := o.t.tracer.Start(ctx, "store alert", trace.WithAttributes(attribute.String("responsehub.source", d.Source)))
	defer span.End()
	inc, known, err := o.next.Open(ctx, d, a)
	if err != nil {
		fail(span, err)
		return inc, known, err
	}
	span.SetAttributes(append(about(inc), attribute.Bool("responsehub.known", known))...)
	return inc, known, nil
}

// Turn puts a span around a turn of a lane.
func (t *Tracer) Turn(ctx context.Context, lane responsehub.Lane, turn *responsehub.Turn, follow func(context.Context) responsehub.Outcome) responsehub.Outcome {
	ctx, span := t.tracer.Start(ctx, "turn "+string(lane), trace.WithAttributes(append(about(turn.Incident),
		attribute.String("responsehub.lane", string(lane)), attribute.Int("responsehub.attempt", turn.Attempt))...))
	defer span.End()
	out := follow(ctx)
	if out.Err != nil {
		fail(span, out.Err)
	}
	return out
}

// Request puts a span around a request that goes out.
func (t *Tracer) Request(req *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	ctx, span := t.tracer.Start(req.Context(), req.Method+" "+req.URL.Hostname(), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("http.request.method", req.Method), attribute.String("server.address", req.URL.Hostname())))
	defer span.End()
	resp, err := send(req.WithContext(ctx))
	if err != nil {
		fail(span, err)
		return resp, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, http.StatusText(resp.StatusCode))
	}
	return resp, nil
}

func about(inc *responsehub.Incident) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("responsehub.incident", inc.ID), attribute.String("responsehub.ref", inc.Ref),
		attribute.String("responsehub.tenant", inc.Tenant.ID), attribute.String("responsehub.tenant.name", inc.Tenant.Name),
	}
}

// fail notes what class of failure it was, never its text.
func fail(span trace.Span, err error) { span.SetStatus(codes.Error, string(responsehub.KindOf(err))) }
