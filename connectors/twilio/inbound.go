package twilio

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"responsehub/oncall"
)

const (
	// biggest is the largest body of a request that is read.
	biggest = 64 << 10
	// answerWithin is how long the switchboard may take, memoryWithin what was answered
	// before, and allWithin everything together: Twilio gives up after 15 s in all.
	answerWithin = 5 * time.Second
	memoryWithin = time.Second
	allWithin    = 12 * time.Second
	// remembered is for how long a repetition gets the answer of the first time.
	remembered = 7 * 24 * time.Hour
	// tries is how often a caller is asked for a moment.
	tries = 3
	// incoming stands in the place of an attempt where somebody called the hub's number. No
	// part of a path can be called so: it has a slash.
	incoming = "/incoming"
)

// Inbound returns the handler of Twilio's routes, to be mounted at /twilio/:
//
//	POST /twilio/voice             what to say to somebody who calls the hub's number
//	POST /twilio/voice/{attempt}   what to say
//	POST /twilio/gather/{attempt}  a digit
//	POST /twilio/status/{attempt}  reports, and what answering-machine detection found
//	POST /twilio/sms               texts to the hub's number
//
// {attempt} is the attempt's id, a dot and its MAC. The answer is never a redirect: Twilio
// would follow it with a GET and lose the digit.
func (c *Client) Inbound(board oncall.Switchboard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, attempt, ok := split(r.URL.Path)
		if !ok {
			c.answer(w, "other", "unknown", http.StatusNotFound, nil)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			c.answer(w, route, "method", http.StatusMethodNotAllowed, nil)
			return
		}
		form, status, why := c.admit(w, r)
		if status == 0 {
			attempt, status, why = c.meant(route, attempt, form)
		}
		if status != 0 {
			// Neither the body nor the address is logged: both hold numbers.
			c.log.Warn("a request in Twilio's name was refused", "route", route, "why", why)
			c.answer(w, route, why, status, nil)
			return
		}
		v := visit{c: c, board: board, route: route, attempt: attempt, form: form, query: r.URL.Query()}
		ctx, cancel := context.WithTimeout(r.Context(), allWithin)
		defer cancel()
		status, body := v.serve(ctx)
		result := "ok"
		if status >= 500 {
			result = "failed"
		}
		c.answer(w, route, result, status, body)
	})
}

// split reads a path. There is no redirect to a tidier one.
func split(path string) (route, attempt string, ok bool) {
	path, ok = strings.CutPrefix(path, "/twilio/")
	if !ok {
		return "", "", false
	}
	switch path {
	case "sms":
		return path, "", true
	case "voice":
		return path, incoming, true
	}
	route, attempt, ok = strings.Cut(path, "/")
	switch route {
	case "voice", "gather", "status":
		return route, attempt, ok && attempt != "" && !strings.Contains(attempt, "/")
	}
	return "", "", false
}

// admit reads the body, once, and checks that Twilio signed it for this address. The
// address is built from the configured origin and the bytes of the request line, never
// from headers: whoever sends them chooses them.
func (c *Client) admit(w http.ResponseWriter, r *http.Request) (form url.Values, status int, why string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, biggest))
	if err != nil {
		return nil, http.StatusRequestEntityTooLarge, "body"
	}
	signatures := r.Header.Values("X-Twilio-Signature")
	if len(signatures) != 1 {
		return nil, http.StatusForbidden, "unsigned"
	}
	address := c.public + r.RequestURI
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		if signedBody(c.cfg.AuthTokens, address, body, signatures[0]) {
			return nil, http.StatusUnsupportedMediaType, "type"
		}
		return nil, http.StatusForbidden, "signature"
	}
	// Only the body's values count: those of the query are part of the address.
	if form, err = url.ParseQuery(string(body)); err != nil {
		return nil, http.StatusForbidden, "form"
	}
	if !signed(c.cfg.AuthTokens, address, form, signatures[0]) {
		return nil, http.StatusForbidden, "signature"
	}
	return form, 0, ""
}

var attemptShape = regexp.MustCompile(`^[A-Za-z0-9_~-]{1,128}$`)

// meant checks that a signed request is for this account, one of its numbers and an
// attempt of the hub's.
func (c *Client) meant(route, segment string, form url.Values) (attempt string, status int, why string) {
	if form.Get("AccountSid") != c.cfg.AccountSID {
		return "", http.StatusForbidden, "account"
	}
	if route == "sms" || route == "voice" && segment == incoming {
		service := form.Get("MessagingServiceSid")
		if form.Get("To") != c.cfg.From && (route != "sms" || service == "" || service != c.cfg.MessagingServiceSID) {
			return "", http.StatusForbidden, "number"
		}
		return segment, 0, ""
	}
	attempt, mac, ok := strings.Cut(segment, ".")
	if !ok || !attemptShape.MatchString(attempt) || !same(mac, c.mac(attempt)) {
		return "", http.StatusForbidden, "attempt"
	}
	return attempt, 0, ""
}

// answer writes what goes back. An empty answer is a 204: Twilio logs an empty 200 as a
// fault.
func (c *Client) answer(w http.ResponseWriter, route, result string, status int, body []byte) {
	c.metrics.inbound.WithLabelValues(route, result).Inc()
	w.Header().Set("Cache-Control", "no-store")
	if status != http.StatusOK || len(body) == 0 {
		if status == http.StatusOK {
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.Copy(w, bytes.NewReader(body)) // who is gone does not read the answer
}

func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}
