package config

import (
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A shape is what the tag is:"..." asks of a text that is not empty. It returns what
// is wrong, or "". The text itself is not repeated: addresses may hold passwords.
var shapes = map[string]func(string) string{
	"listen":    listenShape,
	"url":       urlShape,
	"authority": authorityShape,
	"guid":      pattern(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`, "must be a GUID"),
	"phone":     pattern(`^\+[1-9][0-9]{6,14}$`, "must be a number in E.164, such as +31612345678"),
	"name":      pattern(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`, "must be a short name of letters, digits, dots, dashes and underscores"),
	"channel":   pattern(`^19:[^\s;]+@[^\s;]+$`, "must be a channel id, 19:...@thread.tacv2, without ;messageid="),
	"host":      pattern(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`, "must be a host without scheme, port or path"),
	"mail":      mailShape,
	"redis":     redisShape,

	"twilio_account": pattern(`^AC[0-9a-zA-Z]{32}$`, "must be an account SID: AC and 32 letters and digits"),
	"twilio_key":     pattern(`^(SK|AC)[0-9a-zA-Z]{32}$`, "must be the SID of an API key: SK and 32 letters and digits"),
	"twilio_service": pattern(`^MG[0-9a-zA-Z]{32}$`, "must be the SID of a messaging service: MG and 32 letters and digits"),
	"twilio_secret":  pattern(`^[0-9a-zA-Z]+$`, "must be letters and digits only, as Twilio gives it"),
}

func pattern(expr, words string) func(string) string {
	re := regexp.MustCompile(expr)
	return func(s string) string {
		if !re.MatchString(s) {
			return words
		}
		return ""
	}
}

func listenShape(s string) string {
	host, port, err := net.SplitHostPort(s)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 || strings.ContainsAny(host, "/ ") {
		return "must be host:port or :port"
	}
	return ""
}

// urlShape takes https anywhere and http on this machine only.
func urlShape(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return "must be an address such as https://example.com"
	case u.User != nil:
		return "must not hold a user or password"
	case u.Fragment != "":
		return "must not hold a #"
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "must be https; http is for loopback addresses only"
	case u.Scheme != "http" && u.Scheme != "https":
		return "must begin with https://"
	}
	return ""
}

// authorityShape takes https only, at the root: the sign-in library insists on TLS and
// drops any path.
func authorityShape(s string) string {
	if words := urlShape(s); words != "" {
		return words
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https":
		return "must be https, on loopback too"
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return "must not have a path: the sign-in library drops it"
	}
	return ""
}

func mailShape(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil || strings.ContainsAny(s, "\r\n") || !strings.Contains(a.Address, "@") {
		return "must be a mail address"
	}
	return ""
}

func redisShape(s string) string {
	if path, ok := strings.CutPrefix(s, "unix://"); ok {
		if !strings.HasPrefix(path, "/") {
			return "must be unix:///path with the whole path"
		}
		return ""
	}
	host, port, err := net.SplitHostPort(s)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 1 || n > 65535 || host == "" || strings.ContainsAny(host, "/ @") {
		return "must be host:port or unix:///path"
	}
	return ""
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// walk checks every field against its tags.
func (c *checker) walk(v reflect.Value, path string, tag reflect.StructTag) {
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			c.walk(v.Elem(), path, tag)
		} else {
			c.needed(v, path, tag)
		}
	case structOf(v.Type()) != nil:
		for f := range v.Type().Fields() {
			c.walk(v.FieldByIndex(f.Index), dotted(path, f.Tag.Get("yaml")), f.Tag)
		}
	case v.Kind() == reflect.Slice:
		c.needed(v, path, tag)
		for i := range v.Len() {
			c.walk(v.Index(i), c.at(path, i), tag)
		}
	case v.Kind() == reflect.String:
		c.needed(v, path, tag)
		c.shaped(v.String(), path, tag)
	default:
		c.needed(v, path, tag)
	}
}

func (c *checker) needed(v reflect.Value, path string, tag reflect.StructTag) {
	empty := v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
	if empty && tag.Get("needed") != "" && !c.faulty(path) {
		c.fault(path, "is needed")
	}
}

func (c *checker) shaped(s, path string, tag reflect.StructTag) {
	if s == "" || s == unread {
		return
	}
	if words := tag.Get("oneof"); words != "" && !slices.Contains(strings.Split(words, ","), s) {
		c.fault(path, "must be one of %s", strings.ReplaceAll(words, ",", ", "))
	}
	if shape := shapes[tag.Get("is")]; shape != nil {
		if words := shape(s); words != "" {
			c.fault(path, "%s", words)
		}
	}
}

// faulty reports whether something is said about the path already.
func (c *checker) faulty(path string) bool {
	return slices.ContainsFunc(c.faults, func(f Fault) bool { return f.Path == path })
}
