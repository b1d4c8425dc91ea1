package entra

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"responsehub"
)

// organizations is the path of whoever has a work account, where the tenant is not known.
const organizations = "organizations"

// OnboardLink is the consent link of a tenant that sends the administrator back. tenant
// may be empty: then it is the tenant of whoever signs in.
// https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent
func (l *Login) OnboardLink(tenant, back, state string) string {
	q := url.Values{"client_id": {l.clientID}, "scope": {l.cloud.Graph + "/.default"}, "redirect_uri": {back}, "state": {state}}
	return l.authority.JoinPath(cmp.Or(tenant, organizations), "v2.0", "adminconsent").String() + "?" + q.Encode()
}

// SignInLink is where a person signs in to say who they are, by the authorization code
// flow with PKCE. proof is kept secret until the code is redeemed.
// https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc
func (l *Login) SignInLink(tenant, back, state, nonce, proof string) string {
	return l.oauth(tenant, back).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(proof), oauth2.SetAuthURLParam("response_mode", "query"))
}

func (l *Login) oauth(tenant, back string) *oauth2.Config {
	at := l.authority.JoinPath(cmp.Or(tenant, organizations), "oauth2", "v2.0")
	return &oauth2.Config{
		ClientID: l.clientID, RedirectURL: back, Scopes: []string{oidc.ScopeOpenID, "profile"},
		Endpoint: oauth2.Endpoint{AuthURL: at.JoinPath("authorize").String(), TokenURL: at.JoinPath("token").String(), AuthStyle: oauth2.AuthStyleInParams},
	}
}

var tenantGUID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// personal is the tenant of accounts that belong to no organisation.
const personal = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Person is who signed in, as a verified token says.
type Person struct {
	Tenant string
	Name   string
}

// SignedIn redeems a code and verifies the id token that comes for it: signature by the
// keys of the tenant it names, issuer of that very tenant, audience, expiry and nonce.
func (l *Login) SignedIn(ctx context.Context, client *http.Client, tenant, back, code, nonce, proof string) (Person, error) {
	ctx = oidc.ClientContext(ctx, client)
	cfg := l.oauth(tenant, back)
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(proof)}
	if l.proof.key == nil {
		cfg.ClientSecret = string(l.proof.secret)
	} else {
		assertion, err := l.proof.assertion(l.clientID, cfg.Endpoint.TokenURL, time.Now())
		if err != nil {
			return Person{}, err
		}
		options = append(options, oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), oauth2.SetAuthURLParam("client_assertion", assertion))
	}
	token, err := cfg.Exchange(ctx, code, options...)
	if err != nil {
		return Person{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "Microsoft did not accept the sign-in. Ask for a new link.", Err: bare(err)}
	}
	raw, _ := token.Extra("id_token").(string)
	id := tenantIn(raw)
	if !tenantGUID.MatchString(id) || id == personal {
		return Person{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "This account belongs to no organisation. Sign in with a work account, with a new link."}
	}
	unverified := func(err error) (Person, error) {
		return Person{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "Microsoft's answer could not be verified. Ask for a new link.", Err: err}
	}
	provider, err := oidc.NewProvider(ctx, l.authority.JoinPath(id, "v2.0").String())
	if err != nil {
		return unverified(err)
	}
	verified, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: l.clientID}).Verify(ctx, raw)
	if err != nil {
		return unverified(err)
	}
	var claims struct {
		Tenant string `json:"tid"`
		Name   string `json:"name"`
	}
	if err := verified.Claims(&claims); err != nil {
		return unverified(err)
	}
	if verified.Nonce != nonce || claims.Tenant != id {
		return unverified(nil)
	}
	return Person{Tenant: id, Name: claims.Name}, nil
}

// tenantIn reads which tenant a token claims to be of: only to know whose keys to ask for.
func tenantIn(raw string) string {
	_, rest, _ := strings.Cut(raw, ".")
	body, _, _ := strings.Cut(rest, ".")
	b, err := base64.RawURLEncoding.DecodeString(body)
	var claims struct {
		Tenant string `json:"tid"`
	}
	if err != nil || json.Unmarshal(b, &claims) != nil {
		return ""
	}
	return claims.Tenant
}

// bare is the number and name of what Microsoft refused, without its text and body.
func bare(err error) error {
	if r, ok := err.(*oauth2.RetrieveError); ok { //nolint:errorlint // Exchange returns it as it is
		return &Refusal{Class: Other, Err: &oauth2.RetrieveError{ErrorCode: r.ErrorCode}}
	}
	return err
}

// proof is how the hub's app says who it is where azidentity does not do it.
type proof struct {
	secret responsehub.Secret
	certs  []*x509.Certificate
	key    crypto.PrivateKey // nil: the secret
}

// assertion is a certificate credential.
// https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials
func (p *proof) assertion(clientID, audience string, now time.Time) (string, error) {
	key, ok := p.key.(*rsa.PrivateKey)
	if !ok || len(p.certs) == 0 {
		return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "The key of microsoft.certificate is no RSA key, which Microsoft needs."}
	}
	t := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.RegisteredClaims{
		Issuer: clientID, Subject: clientID, Audience: jwt.ClaimStrings{audience}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(10 * time.Minute)),
	})
	thumb := sha256.Sum256(p.certs[0].Raw)
	t.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(thumb[:])
	return t.SignedString(key)
}
