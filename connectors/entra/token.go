package entra

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// Token is an access token. It prints as "redacted".
type Token struct {
	Value   responsehub.Secret
	Expires time.Time
	Got     time.Time
	Rights  Rights
}

// Rights is what a token says that its holder may do. It is for sentences and
// preflight only: what counts is what Microsoft answers.
type Rights struct {
	Known  bool     // the token could be read
	Roles  []string // permissions, such as Mail.ReadWrite: the app's own, or in a person's token that person's
	Tenant string   // for which tenant it was made
	Wids   []string // template ids of directory roles of the hub's own app
}

// Any reports whether one of the permissions is among them.
func (r Rights) Any(permissions ...string) bool {
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(r.Roles, p) })
}

func newToken(value string, expires time.Time) Token {
	return Token{Value: responsehub.Secret(value), Expires: expires, Got: time.Now(), Rights: rights(value)}
}

// rights reads a token's claims without checking its signature: it came straight from
// Microsoft over TLS and nothing is allowed because of it.
func rights(token string) Rights {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Rights{}
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Rights{}
	}
	var claims struct {
		Roles  []string `json:"roles"`
		Wids   []string `json:"wids"`
		Tenant string   `json:"tid"`
		Scope  string   `json:"scp"` // of a person's token
	}
	if json.Unmarshal(b, &claims) != nil {
		return Rights{}
	}
	return Rights{Known: true, Roles: append(claims.Roles, strings.Fields(claims.Scope)...), Wids: claims.Wids, Tenant: claims.Tenant}
}
