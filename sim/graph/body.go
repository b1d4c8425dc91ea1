package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxBody is the largest decompressed request body, in bytes.
const maxBody = 4 << 20

// readBody returns the request's body, decompressed. A header that says gzip over a body that is not
// is refused, as Graph does; so is a body without a JSON content type.
func readBody(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if len(raw) == 0 {
		return nil, nil
	}
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		zr, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("gzip header over a plain body: %w", err)
		}
		if raw, err = io.ReadAll(io.LimitReader(zr, maxBody+1)); err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
	}
	if len(raw) > maxBody {
		return nil, errors.New("body too large")
	}
	if !strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/json") || !json.Valid(raw) {
		return nil, errors.New("not JSON")
	}
	return raw, nil
}

// decode reads the body as an object with only the known fields; a stranger among them is answered
// with 400 and recorded.
func (c *call) decode(known ...string) (map[string]any, *reply) {
	var m map[string]any
	if err := json.Unmarshal(c.body, &m); err != nil || m == nil {
		out := unreadable()
		return nil, &out
	}
	for k := range m {
		if k == "@odata.type" || slices.Contains(known, k) {
			continue
		}
		c.s.log.Unexpected(vendor, fmt.Sprintf("field %q in %s %s", k, c.method, c.path))
		out := badRequest("Property '%s' does not exist as a declared property or extension property.", k)
		return nil, &out
	}
	return m, nil
}

// boolean reads a field that has to be true or false when it is there.
func boolean(m map[string]any, field string) (value, present, ok bool) {
	v, present := m[field]
	if !present {
		return false, false, true
	}
	value, ok = v.(bool)
	return value, true, ok
}
