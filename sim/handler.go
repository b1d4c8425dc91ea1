package sim

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"responsehub/sim/wire"
)

//go:embed static
var static embed.FS

// maxControl is the largest body of /_act and /_faults, in bytes.
const maxControl = 1 << 20

// handler is everything on the plain listener.
func (w *World) handler() http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic("sim: embedded files: " + err.Error())
	}
	page := http.NewServeMux()
	page.Handle("GET /", http.FileServerFS(files))
	page.HandleFunc("GET /_world", w.serveWorld)
	page.HandleFunc("GET /_config", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/yaml; charset=utf-8")
		_, _ = io.WriteString(rw, w.Config()) // the client is gone: nobody to tell
	})
	page.HandleFunc("GET /_requests", w.serveRequests)
	page.HandleFunc("GET /_events", w.serveEvents)
	page.HandleFunc("GET /_faults", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, http.StatusOK, w.Wire.Faults()) })
	page.HandleFunc("POST /_faults", w.addFaults)
	page.HandleFunc("DELETE /_faults", func(rw http.ResponseWriter, _ *http.Request) {
		w.Wire.ClearFaults()
		rw.WriteHeader(http.StatusNoContent)
	})
	page.HandleFunc("POST /_act", w.serveAct)

	mux := http.NewServeMux()
	for prefix, vendor := range w.vendors() {
		mux.Handle(prefix, w.durable(vendor))
	}
	mux.Handle("/", http.NewCrossOriginProtection().Handler(secureHeaders(page)))
	apart := map[string]http.Handler{}
	for name, d := range w.desks() {
		apart["/"+name] = w.durable(d.Handler())
	}
	return guard(withDesks(mux, apart))
}

// vendors are the simulators by path prefix, but for the ticket systems.
func (w *World) vendors() map[string]http.Handler {
	return map[string]http.Handler{
		"/graph/": w.Graph, "/exchange/": w.Exchange, "/teams/": http.StripPrefix("/teams", w.Teams.Handler()),
		"/twilio/": http.StripPrefix("/twilio", w.Twilio.Handler()),
		"/openid/": http.StripPrefix("/openid", w.OpenID), "/petra/": http.StripPrefix("/petra", w.Petra),
	}
}

// secureHeaders lets the page load nothing that is not its own.
func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
			"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(rw, r)
	})
}

func answer(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v) // the client is gone: nobody to tell
}

func refuse(rw http.ResponseWriter, status int, err error) {
	answer(rw, status, map[string]string{"error": err.Error()})
}

func (w *World) serveWorld(rw http.ResponseWriter, _ *http.Request) {
	answer(rw, http.StatusOK, w.Snapshot())
}

// serveRequests answers ?vendor= and ?since= (a sequence number; those after it).
func (w *World) serveRequests(rw http.ResponseWriter, r *http.Request) {
	since := 0
	if v := r.URL.Query().Get("since"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			refuse(rw, http.StatusBadRequest, fmt.Errorf("since is not a number: %w", err))
			return
		}
		since = n
	}
	vendor := r.URL.Query().Get("vendor")
	out := []wire.Request{}
	for _, q := range w.Wire.Requests() {
		if q.Seq > since && (vendor == "" || q.Vendor == vendor) {
			out = append(out, q)
		}
	}
	answer(rw, http.StatusOK, out)
}

// addFaults takes one fault or a list of them.
func (w *World) addFaults(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxControl))
	if err != nil {
		refuse(rw, http.StatusBadRequest, err)
		return
	}
	faults, err := decodeFaults(body)
	if err != nil {
		refuse(rw, http.StatusBadRequest, err)
		return
	}
	for _, f := range faults {
		w.Wire.AddFault(f)
	}
	answer(rw, http.StatusOK, w.Wire.Faults())
}

func decodeFaults(body []byte) ([]wire.Fault, error) {
	var many []wire.Fault
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		err := decodeStrict(body, &many)
		return many, err
	}
	var one wire.Fault
	err := decodeStrict(body, &one)
	return []wire.Fault{one}, err
}

// decodeStrict reads exactly one JSON value without unknown fields, so that a misspelt fault is not
// a fault that never strikes.
func decodeStrict(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not understood: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("not understood: more than one value")
	}
	return nil
}

func (w *World) serveAct(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxControl))
	if err != nil {
		refuse(rw, http.StatusBadRequest, err)
		return
	}
	var a Act
	if err := decodeStrict(body, &a); err != nil {
		refuse(rw, http.StatusBadRequest, err)
		return
	}
	seen, err := w.Play(r.Context(), a)
	if err != nil {
		refuse(rw, http.StatusConflict, err)
		return
	}
	if sentence, ok := seen.(string); ok {
		seen = map[string]string{"message": sentence}
	}
	answer(rw, http.StatusOK, seen)
}

// serveEvents sends the page's state whenever it has changed.
func (w *World) serveEvents(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(rw)
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	var last []byte
	for {
		now, err := json.Marshal(w.pageState())
		if err != nil {
			w.log.Error("page state", "err", err)
			return
		}
		if !bytes.Equal(now, last) {
			last = now
			if _, err := fmt.Fprintf(rw, "data: %s\n\n", now); err != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}
