package webhook

import (
	"fmt"
	"net/netip"
)

// forbidden is an address that the hub does not connect to.
type forbidden struct{ address netip.Addr }

func (f *forbidden) Error() string { return fmt.Sprintf(notPublic, f.address) }

// special are networks that are no public ones and that netip does not tell:
// https://www.iana.org/assignments/iana-ipv4-special-registry and the one of IPv6.
var special = func() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}()

// allowed returns an error for an address that is not public.
func allowed(a netip.Addr, loopback bool) error {
	a = a.Unmap().WithZone("")
	switch {
	case loopback && a.IsLoopback():
		return nil
	case !a.IsGlobalUnicast() || a.IsPrivate():
		return &forbidden{a}
	}
	for _, p := range special {
		if p.Contains(a) {
			return &forbidden{a}
		}
	}
	return nil
}

// loopback reports whether a host is this machine by its address or name.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}
