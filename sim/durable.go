package sim

import (
	"bytes"
	"net/http"
)

// durable keeps the world before a vendor's answer to a change goes out: a hub that was told that an
// account is locked must not find it open when both come back from a kill. What people in the world
// do waits for keep.
func (w *World) durable(vendor http.Handler) http.Handler {
	if w.dirIsOurs {
		return vendor
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			vendor.ServeHTTP(rw, r)
			return
		}
		held := &heldAnswer{ResponseWriter: rw, status: http.StatusOK}
		vendor.ServeHTTP(held, r)
		if err := w.save(); err != nil {
			w.log.Error("the simulated world is not kept", "err", err)
		}
		rw.WriteHeader(held.status)
		_, _ = rw.Write(held.body.Bytes()) // the client is gone: nobody to tell
	})
}

// heldAnswer holds an answer back.
type heldAnswer struct {
	http.ResponseWriter
	status int
	set    bool
	body   bytes.Buffer
}

// WriteHeader notes the first status.
func (h *heldAnswer) WriteHeader(status int) {
	if !h.set {
		h.status, h.set = status, true
	}
}

// Write notes the body.
func (h *heldAnswer) Write(b []byte) (int, error) {
	h.set = true
	return h.body.Write(b)
}
