package login

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims is what a checked token says.
type Claims struct {
	TenantID string
	AppID    string
	Audience string
	Roles    []string // application permissions
	WIDs     []string // template ids of directory roles
	Scopes   []string // delegated permissions, of a person's token
	UserID   string   // the person's object id; empty for an app's own token
	Expires  time.Time
}

// Has says whether the token carries any of these permissions.
func (c Claims) Has(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(c.Roles, r) })
}

// May says whether a person's token carries the delegated permission.
func (c Claims) May(scope string) bool {
	return c.UserID != "" && slices.Contains(c.Scopes, scope)
}

// Errors of Verify, for resources that answer differently.
var (
	ErrNoToken  = errors.New("access token is empty")
	ErrExpired  = errors.New("the token is expired")
	ErrAudience = errors.New("invalid audience")
	ErrInvalid  = errors.New("the token is not valid")
)

// Verify checks a bearer token (with or without the word Bearer): our signature, not expired, made for
// this audience. The errors are ErrNoToken, ErrExpired, ErrAudience and ErrInvalid.
func (s *Server) Verify(bearer, audience string) (Claims, error) {
	raw := strings.TrimSpace(bearer)
	if len(raw) >= 7 && strings.EqualFold(raw[:7], "bearer ") {
		raw = strings.TrimSpace(raw[7:])
	}
	if raw == "" || strings.EqualFold(raw, "bearer") {
		return Claims{}, ErrNoToken
	}
	var c struct {
		jwt.RegisteredClaims
		TenantID string   `json:"tid"`
		AppID    string   `json:"appid"`
		Roles    []string `json:"roles"`
		WIDs     []string `json:"wids"`
		Scope    string   `json:"scp"`
		UserID   string   `json:"oid"`
		Kind     string   `json:"idtyp"`
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired())
	_, err := parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return &s.key.PublicKey, nil })
	if errors.Is(err, jwt.ErrTokenExpired) {
		return Claims{}, ErrExpired
	}
	if err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	// Graph and Exchange are known by their app id too.
	same := func(aud string) bool {
		id := resources[audience]
		return aud == audience || (id != "" && resources[aud] == id)
	}
	if !slices.ContainsFunc(c.Audience, same) {
		return Claims{}, ErrAudience
	}
	if c.Kind != "user" {
		c.UserID = ""
	}
	return Claims{
		Scopes: strings.Fields(c.Scope), UserID: c.UserID,
		TenantID: c.TenantID, AppID: c.AppID, Audience: c.Audience[0], Roles: c.Roles, WIDs: c.WIDs, Expires: c.ExpiresAt.Time,
	}, nil
}
