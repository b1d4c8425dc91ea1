package sim

import (
	"fmt"
	"net"
	"net/http"
	"syscall"
)

// onlyLoopback refuses to connect anywhere else, whatever a name resolved to.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !isLoopback(host) {
		return fmt.Errorf("sim: %s is not a loopback address", address)
	}
	return nil
}

// guard refuses requests whose Host is a name of somebody else's: a page anywhere on the internet
// can give its own name the address 127.0.0.1 and would then be of the same origin as ours.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) {
			http.Error(rw, "This is the simulated world on a loopback address; "+r.Host+" is not it.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(rw, r)
	})
}
