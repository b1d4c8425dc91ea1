package bot

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
)

// hosts says where the connector may be: only there is the bot's token sent.
// Microsoft gives no closed list; these are the ones in its documentation and SDKs.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
type hosts struct {
	exact    []string
	suffix   []string
	own      []string // from the configuration: any port
	loopback bool
}

func newHosts(c *Config) hosts {
	h := hosts{
		exact:    []string{"smba.trafficmanager.net"},
		suffix:   []string{".teams.microsoft.com", ".teams.microsoft.us", ".botframework.com", ".botframework.us", ".skype.com"},
		loopback: c.AllowLoopback,
	}
	for _, s := range c.ServiceHosts {
		h.own = append(h.own, strings.ToLower(s))
	}
	return h
}

// check returns the parsed address when it may be trusted with a token.
func (h hosts) check(service string) (*url.URL, error) {
	if service == "" {
		return nil, errors.New("there is no service address")
	}
	u, err := url.Parse(service)
	if err != nil {
		return nil, errors.New("the service address cannot be read")
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the service address is not a plain one")
	case strings.Contains(u.Path, "..") || strings.ContainsAny(u.EscapedPath(), "%\\"):
		return nil, errors.New("the service address has an odd path")
	case h.loopback && loopback(host) && (u.Scheme == "http" || u.Scheme == "https"):
		return u, nil
	case u.Scheme != "https":
		return nil, errors.New("the service address is not https")
	case slices.ContainsFunc(h.own, func(own string) bool { return matches(own, host) }):
		return u, nil
	case u.Port() != "" && u.Port() != "443":
		return nil, errors.New("the service address has an odd port")
	case slices.Contains(h.exact, host):
		return u, nil
	case slices.ContainsFunc(h.suffix, func(s string) bool { return strings.HasSuffix(host, s) && len(host) > len(s) }):
		return u, nil
	}
	return nil, errors.New("the service address is not one of Teams")
}

func matches(own, host string) bool {
	if below, ok := strings.CutPrefix(own, "*"); ok {
		return strings.HasSuffix(host, below) && len(host) > len(below)
	}
	return own == host
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sameAddress compares service addresses the way Microsoft's newer SDK does: without
// case and a trailing slash.
func sameAddress(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}
