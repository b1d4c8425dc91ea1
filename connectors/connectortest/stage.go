package connectortest

import (
	"io"
	"net/http"
	"strings"
)

// stage sends side requests one way and the call under test the other.
type stage struct {
	side    func(*http.Request) *http.Response
	service http.RoundTripper
}

func (s *stage) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.side != nil {
		if resp := s.side(req); resp != nil {
			return resp, nil
		}
	}
	return s.service.RoundTrip(req)
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func answering(status int, h http.Header, body string) http.RoundTripper {
	return tripper(func(req *http.Request) (*http.Response, error) { return answer(req, status, h, body), nil })
}

func answer(req *http.Request, status int, h http.Header, body string) *http.Response {
	if h = h.Clone(); h == nil {
		h = http.Header{}
	}
	if h.Get("Content-Type") == "" && body != "" {
		h.Set("Content-Type", "application/json")
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}

// JSON makes the answer to a side request.
func JSON(req *http.Request, status int, body string) *http.Response {
	return answer(req, status, nil, body)
}
