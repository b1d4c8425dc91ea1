package sim

import (
	"net/http"
	"strings"

	"responsehub/sim/receiver"
)

// HookURL is the address of an endpoint that takes outgoing webhooks, by its name. It stands on the
// listener with TLS: the hub posts to nothing else.
func (w *World) HookURL(name string) string { return w.LoginURL() + "/receiver/hook/" + name }

// SlackURL is the address of the incoming webhook of the Slack channel.
func (w *World) SlackURL() string { return w.LoginURL() + receiver.SlackPath }

func (w *World) receiving() receiver.Config {
	return receiver.Config{Log: w.Wire, NoLimits: w.opts.NoLimits}
}

// withReceiver serves what comes to the receiver's addresses.
func (w *World) withReceiver(next http.Handler) http.Handler {
	mine := w.durable(w.Receiver.Handler())
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/receiver/") {
			mine.ServeHTTP(rw, r)
			return
		}
		next.ServeHTTP(rw, r)
	})
}
