package intake

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"os"
	"strings"
)

// mostAhead is how many bytes are made ready for a body that has not come yet.
const mostAhead = 16 << 10

// receive checks the envelope and reads the body once. It returns the problem to
// answer with, or nil.
func (i *Intake) receive(w http.ResponseWriter, r *http.Request, src *source) ([]byte, *problem) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &wrongMethod
	}
	if !isJSON(r.Header) {
		return nil, &notJSON
	}
	if !isPlain(r.Header) {
		return nil, &packed
	}
	if r.ContentLength > i.cfg.MaxBody {
		return nil, tooBig(i.cfg.MaxBody)
	}
	if err := src.proof.early(r.Header); err != nil {
		src.log.Warn("alert refused: sender not proven", "err", err)
		return nil, &notProven
	}
	var body bytes.Buffer
	// The announced length spares growing, within what a stranger may cost before a byte came.
	body.Grow(int(min(max(r.ContentLength, 0), mostAhead)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, i.cfg.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, tooBig(i.cfg.MaxBody)
	case errors.Is(err, os.ErrDeadlineExceeded):
		src.log.Warn("alert refused: sender too slow")
		return nil, &tooSlow
	case err != nil:
		src.log.Warn("alert refused: body broke off", "err", err)
		return nil, &brokenOff
	}
	return body.Bytes(), nil
}

// isJSON reports whether the body is declared as JSON in UTF-8.
func isJSON(h http.Header) bool {
	if len(h.Values("Content-Type")) != 1 {
		return false
	}
	if h.Get("Content-Type") == "application/json" {
		return true
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// isPlain reports whether the body came without compression: unpacking strangers'
// bytes is how a kilobyte becomes a gigabyte.
func isPlain(h http.Header) bool {
	for _, v := range h.Values("Content-Encoding") {
		if v != "" && !strings.EqualFold(v, "identity") {
			return false
		}
	}
	return true
}
