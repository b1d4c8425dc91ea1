package login

import (
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is SHA-1 by RFC 7515
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"responsehub/sim/tenant"
)

// checkAssertion verifies a certificate credential: the header names a registered certificate by
// thumbprint, its key signed the assertion, and the claims name client and endpoint.
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials
func checkAssertion(c *tenant.Client, assertion, endpoint string) *refusal {
	unknown := refusef(unauthorized, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Please visit the Azure Portal to update the certificate.] App '%s'.", c.ID)
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithExpirationRequired())
	var claims jwt.RegisteredClaims
	_, err := parser.ParseWithClaims(assertion, &claims, func(t *jwt.Token) (any, error) {
		key := registeredKey(c, t.Header)
		if key == nil {
			return nil, errUnknownKey
		}
		return key, nil
	})
	switch {
	case errors.Is(err, errUnknownKey):
		return unknown
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet):
		return refusef(unauthorized, "invalid_client", 700024, "Client assertion is not within its valid time range.")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return refusef(unauthorized, "invalid_client", 700027, "Client assertion failed signature validation. App '%s'.", c.ID)
	case err != nil:
		return refusef(badRequest, "invalid_client", 50027, "JWT token is invalid or malformed.")
	}
	if claims.Issuer != c.ID || claims.Subject != c.ID {
		return refusef(unauthorized, "invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	}
	// The tenant in the audience may be given by name or by id, so only its end is compared.
	for _, aud := range claims.Audience {
		if strings.HasSuffix(aud, "/oauth2/v2.0/token") || strings.HasSuffix(aud, "/v2.0") || aud == endpoint {
			return nil
		}
	}
	return refusef(unauthorized, "invalid_client", 700023, "Client assertion audience claim does not match Realm issuer.")
}

var errUnknownKey = errors.New("the certificate is not registered")

// registeredKey finds the certificate named by x5t#S256 or x5t, or nil.
func registeredKey(c *tenant.Client, header map[string]any) *rsa.PublicKey {
	x5t, _ := header["x5t"].(string)
	x5tS256, _ := header["x5t#S256"].(string)
	for _, der := range c.Certificates {
		s1, s256 := sha1.Sum(der), sha256.Sum256(der) //nolint:gosec // see the import
		if !sameThumb(x5t, s1[:]) && !sameThumb(x5tS256, s256[:]) {
			continue
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok {
			return key
		}
	}
	return nil
}

// sameThumb compares a thumbprint in either base64 alphabet: RFC 7515 wants the URL-safe one, MSAL
// sends the other.
func sameThumb(given string, sum []byte) bool {
	given = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(given), "=")
	return given != "" && given == base64.RawURLEncoding.EncodeToString(sum)
}
