package app

import (
	"net/http"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"responsehub/store"
)

// health answers the probes.
type health struct {
	version  string
	stopping atomic.Bool
	findings atomic.Pointer[[]store.Finding]
}

// readiness is the body of /readyz.
type readiness struct {
	Status  string   `json:"status"` // ready, degraded or not ready
	Version string   `json:"version"`
	Reasons []string `json:"reasons,omitempty"`
}

// alive says that the process runs; it asks nobody else, since a restart would not
// mend Redis.
func (h *health) alive(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok", "version": h.version})
}

// ready says whether alerts can be taken in, and why not.
func (h *health) ready(c echo.Context) error {
	r, code := readiness{Status: "ready", Version: h.version}, http.StatusOK
	findings := h.findings.Load()
	switch {
	case h.stopping.Load():
		r.Status, r.Reasons, code = "not ready", []string{"The hub is stopping."}, http.StatusServiceUnavailable
	case findings == nil:
		r.Status, r.Reasons, code = "not ready", []string{"Redis was not reached yet."}, http.StatusServiceUnavailable
	default:
		for _, f := range *findings {
			switch f.Grade {
			case store.Bad:
				r.Status, code = "not ready", http.StatusServiceUnavailable
				r.Reasons = append(r.Reasons, f.Sentence)
			case store.Weak:
				if r.Status == "ready" {
					r.Status = "degraded"
				}
				r.Reasons = append(r.Reasons, f.Sentence)
			}
		}
	}
	return c.JSON(code, r)
}
