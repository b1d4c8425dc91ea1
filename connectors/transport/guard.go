package transport

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
)

// guarded dials what is allowed. The question is asked between the resolution of a name
// and the connection, so that a name cannot lead elsewhere by then.
func guarded(plain *net.Dialer, allowed func(netip.AddrPort) error) func(ctx context.Context, network, address string) (net.Conn, error) {
	strict := *plain
	strict.Control = func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return allowed(to)
	}
	proxies := proxies()
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if proxies[address] { // the operator's own
			return plain.DialContext(ctx, network, address)
		}
		return strict.DialContext(ctx, network, address)
	}
}

// proxies are the addresses of the environment's proxies.
func proxies() map[string]bool {
	all := map[string]bool{}
	for _, scheme := range []string{"http", "https"} {
		p, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: scheme, Host: "proxied.invalid"}})
		if err != nil || p == nil {
			continue
		}
		port := p.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[p.Scheme]
		}
		all[net.JoinHostPort(p.Hostname(), port)] = true
	}
	return all
}
