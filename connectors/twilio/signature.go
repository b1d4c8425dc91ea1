package twilio

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"responsehub"
)

// signed reports whether one of the tokens signed exactly this address and these values.
// address is as Twilio was given it, in its own bytes; form is the body's values, nil for
// a request without a form. https://www.twilio.com/docs/usage/webhooks/webhooks-security
func signed(tokens []responsehub.Secret, address string, form url.Values, signature string) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(got) != sha1.Size {
		return false
	}
	values := signedValues(form)
	right := 0
	for _, token := range tokens {
		// Twilio is not consistent about the port, so each of both counts.
		for _, candidate := range ports(address) {
			m := hmac.New(sha1.New, []byte(token))
			m.Write([]byte(candidate))
			m.Write(values)
			right |= subtle.ConstantTimeCompare(m.Sum(nil), got)
		}
	}
	return right == 1 && len(tokens) > 0
}

// signedValues is what of a form is signed: names in order, each with its values, which
// are sorted and count once.
func signedValues(form url.Values) []byte {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var b []byte
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			b = append(append(b, name...), v...)
		}
	}
	return b
}

// ports is an address as it is, with a port and without. No byte of the rest changes.
func ports(address string) []string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return []string{address}
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, rest := rest[:end], rest[end:]
	bare, hasPort := host, false
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		bare, hasPort = host[:i], true
	}
	if hasPort {
		return []string{address, scheme + "://" + bare + rest}
	}
	port := ":443"
	if strings.EqualFold(scheme, "http") {
		port = ":80"
	}
	return []string{address, scheme + "://" + bare + port + rest}
}

// signedBody reports whether a request whose body is no form is signed: the address then
// holds the hash of the body, and the signature covers the address.
func signedBody(tokens []responsehub.Secret, address string, body []byte, signature string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	want, err := hex.DecodeString(u.Query().Get("bodySHA256"))
	sum := sha256.Sum256(body)
	return err == nil && subtle.ConstantTimeCompare(sum[:], want) == 1 && signed(tokens, address, nil, signature)
}
