package remediation

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"responsehub"
)

// metrics is what the engine counts.
type metrics struct {
	opened     prometheus.Counter
	swept      prometheus.Counter
	dead       *prometheus.CounterVec
	turns      *prometheus.HistogramVec
	steps      *prometheus.CounterVec
	timeToLock prometheus.Histogram
}

func newMetrics() *metrics {
	return &metrics{
		opened: prometheus.NewCounter(prometheus.CounterOpts{Name: "responsehub_incidents_opened_total", Help: "Incidents opened."}),
		swept:  prometheus.NewCounter(prometheus.CounterOpts{Name: "responsehub_lanes_swept_total", Help: "Lanes found lost and made due again; always 0 in a correct build."}),
		dead:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "responsehub_lanes_dead_total", Help: "Lanes given up."}, []string{"lane"}),
		turns:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "responsehub_turn_seconds", Help: "Length of turns by lane and result.", Buckets: prometheus.ExponentialBuckets(.005, 3, 9)}, []string{"lane", "result"}),
		steps:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "responsehub_steps_total", Help: "Steps by the state they reached."}, []string{"step", "state"}),
		timeToLock: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "responsehub_time_to_lock_seconds",
			Help: "From the alert's arrival to the verified lock.", Buckets: []float64{.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600}}),
	}
}

// Collectors returns the engine's metrics for registration.
func (e *Engine) Collectors() []prometheus.Collector {
	m := e.metrics
	return []prometheus.Collector{m.opened, m.swept, m.dead, m.turns, m.steps, m.timeToLock}
}

func (m *metrics) turn(lane responsehub.Lane, out responsehub.Outcome, d time.Duration) {
	result := "ok"
	if out.Err != nil {
		result = string(responsehub.KindOf(out.Err))
	}
	m.turns.WithLabelValues(string(lane), result).Observe(d.Seconds())
}

// wrote counts the steps that a write moved.
func (m *metrics) wrote(before, after *responsehub.Incident) {
	for _, id := range responsehub.StepIDs {
		was, is := before.Step(id), after.Step(id)
		if was.State == is.State {
			continue
		}
		m.steps.WithLabelValues(string(id), string(is.State)).Inc()
		if id == responsehub.Lock && is.State == responsehub.Done && is.Round == 1 {
			m.timeToLock.Observe(is.VerifiedAt.Sub(after.ReceivedAt).Seconds())
		}
	}
}
