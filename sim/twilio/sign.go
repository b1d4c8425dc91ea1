package twilio

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's signature is HMAC-SHA1
	"encoding/base64"
	"io"
	"maps"
	"net/url"
	"slices"
)

// sign is the value of X-Twilio-Signature: the address without its fragment, then every form field's
// name and value in the order of the names, keyed with the auth token. Of a field that is there
// several times each different value counts once, in order.
// https://www.twilio.com/docs/usage/security#validating-requests
func sign(token, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address) // a hash takes everything
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			_, _ = io.WriteString(mac, name+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
