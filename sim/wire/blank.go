package wire

import (
	"net/http"
	"regexp"
	"strings"
)

// Tokens and client secrets reach the simulators but must not be shown by GET /_requests.
var (
	secretForm   = regexp.MustCompile(`((?:^|&)(?:client_secret|client_assertion|refresh_token)=)[^&]+`)
	secretField  = regexp.MustCompile(`("(?:secretKey|authentication_header|client_secret|signing_key)"\s*:\s*")[^"]+`)
	secretAnswer = regexp.MustCompile(`("(?:access_token|refresh_token|id_token)"\s*:\s*")[^"]{12,}`)
)

// blankHeader copies h with the credentials cut to their first 12 characters.
func blankHeader(h http.Header) http.Header {
	out := h.Clone()
	for i, v := range out["Authorization"] {
		scheme, token, ok := strings.Cut(v, " ")
		if !ok {
			scheme, token = "", v
		}
		if len(token) > 12 {
			token = token[:12]
		}
		out["Authorization"][i] = strings.TrimSpace(scheme + " " + token)
	}
	for _, name := range []string{"Secret", "Apiintegrationcode"} {
		if out.Get(name) != "" {
			out.Set(name, "redacted")
		}
	}
	return out
}

func blankBody(body string) string {
	if len(body) > maxBody {
		body = body[:maxBody]
	}
	return secretField.ReplaceAllString(secretForm.ReplaceAllString(body, "${1}redacted"), "${1}redacted")
}

func blankAnswer(answer []byte) string {
	if len(answer) > maxBody {
		answer = answer[:maxBody]
	}
	return secretField.ReplaceAllString(secretAnswer.ReplaceAllString(string(answer), "${1}redacted"), "${1}redacted")
}
