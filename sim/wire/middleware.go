package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxRead is the largest request body the simulators take, in bytes; more answers 413.
const maxRead = 8 << 20

// Middleware records every request to next under the vendor's name and applies scripted faults.
// A dropped connection is a panic with http.ErrAbortHandler, which net/http turns into a closed
// connection; an in-process RoundTripper has to recover it.
func (l *Log) Middleware(vendor string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(io.LimitReader(r.Body, maxRead+1))
		if err != nil {
			panic(http.ErrAbortHandler) // the client went away while sending: nobody reads an answer
		}
		if len(raw) > maxRead {
			http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		body := readable(r.Header, raw)
		entry := l.arrive(Request{
			Vendor: vendor, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			Header: blankHeader(r.Header), Body: blankBody(body),
		})
		fault, ok := l.Pick(vendor, r.Method, where(r.URL), body)
		if !ok {
			l.serve(w, r, next, entry, "")
			return
		}
		l.suffer(w, r, next, entry, fault)
	})
}

// serve lets the vendor answer.
func (l *Log) serve(w http.ResponseWriter, r *http.Request, next http.Handler, entry *Request, fault string) {
	rec := &recorder{ResponseWriter: w}
	defer func() { l.settle(entry, rec.status, rec.body, fault) }()
	next.ServeHTTP(rec, r)
	if rec.status == 0 && !rec.hijacked {
		rec.status = http.StatusOK // net/http will send it
	}
}

// suffer applies a fault.
func (l *Log) suffer(w http.ResponseWriter, r *http.Request, next http.Handler, entry *Request, f Fault) {
	own := buffer{header: http.Header{}}
	if f.After {
		// A lost answer must not be a lost effect: the client may hang up, the world still changes.
		next.ServeHTTP(&own, r.WithContext(context.WithoutCancel(r.Context())))
	}
	pause(r.Context(), time.Duration(f.DelayMS)*time.Millisecond)
	switch {
	case f.Drop:
		l.settle(entry, 0, nil, f.String())
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		if own.header.Get("Request-Id") != "" {
			w.Header().Set("Request-Id", own.header.Get("Request-Id"))
		}
		f.write(w)
		l.settle(entry, f.Status, []byte(f.Answer), f.String())
	case f.After:
		for k, v := range own.header {
			w.Header()[k] = v
		}
		w.WriteHeader(own.code())
		_, _ = w.Write(own.Bytes())
		l.settle(entry, own.code(), own.Bytes(), f.String())
	default:
		l.serve(w, r, next, entry, f.String())
	}
}

// write answers with the fault. The content type follows the body when the script names none.
func (f Fault) write(w http.ResponseWriter) {
	switch {
	case strings.HasPrefix(f.Answer, "{"), strings.HasPrefix(f.Answer, "["):
		w.Header().Set("Content-Type", "application/json")
	case strings.HasPrefix(f.Answer, "<"):
		w.Header().Set("Content-Type", "text/html")
	}
	for k, v := range f.Header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Answer)
}

// pause waits for d or until the client has gone.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// where is what Fault.Match looks into: the decoded path and query.
func where(u *url.URL) string {
	if u.RawQuery == "" {
		return u.Path
	}
	q, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		q = u.RawQuery
	}
	return u.Path + "?" + q
}

// readable is the body as a person would read it: decompressed when it is what its header says.
func readable(h http.Header, raw []byte) string {
	if h.Get("Content-Encoding") != "gzip" {
		return string(raw)
	}
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return string(raw)
	}
	plain, err := io.ReadAll(io.LimitReader(zr, maxRead))
	if err != nil {
		return string(raw)
	}
	return string(plain)
}

// recorder passes an answer on and keeps a copy of its beginning.
type recorder struct {
	http.ResponseWriter
	status   int
	body     []byte
	hijacked bool
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body = append(r.body, p[:min(len(p), maxBody-len(r.body))]...)
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the real writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush passes on a flush when the writer below can.
func (r *recorder) Flush() {
	if f, ok := r.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Hijack hands over the connection when the writer below can.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h, ok := r.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, fmt.Errorf("hijack: %T cannot", r.ResponseWriter)
	}
	r.hijacked = true
	return h.Hijack()
}

// buffer is a writer nobody reads until the fault is over.
type buffer struct {
	bytes.Buffer
	header http.Header
	status int
}

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *buffer) code() int {
	if b.status == 0 {
		return http.StatusOK
	}
	return b.status
}
