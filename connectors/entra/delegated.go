package entra

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"responsehub"
	"responsehub/connectors/transport"
)

// DelegatedScope is what a person who signs in lets the hub do: reset passwords as that
// person may. It allows nothing that the person's roles do not.
const DelegatedScope = "UserAuthenticationMethod.ReadWrite.All"

// Vault seals a refresh token, bound to its tenant.
type Vault interface {
	Seal(secret responsehub.Secret, bound string) []byte
	Open(box []byte, bound string) (responsehub.Secret, error)
}

// SignIns keeps people's sign-ins, by Microsoft tenant id.
type SignIns interface {
	SignIn(ctx context.Context, tenant string) (s responsehub.SignIn, ok bool, err error)
	PutSignIn(ctx context.Context, s responsehub.SignIn) error
	// RenewSignIn puts now in place of was, and leaves alone what is there instead of it:
	// somebody signed in anew meanwhile.
	RenewSignIn(ctx context.Context, was, now responsehub.SignIn) error
	DropSignIn(ctx context.Context, tenant string) error
}

// Delegated gets tokens in the name of a person who signed in once for the tenant, by the
// device code flow. The refresh token is sealed and kept, and sealed anew each time
// Microsoft gives another one. It needs "Allow public client flows" on the hub's app: the
// person signs in to it as to any program on a device without a browser.
// https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code
type Delegated struct {
	login  *Login
	client *http.Client
	vault  Vault
	kept   SignIns

	mu     sync.Mutex
	tokens map[string]heldFor // by tenant
}

// heldFor is a token and the sign-in it came from: after another one it does not count.
type heldFor struct {
	token Token
	at    time.Time
}

// Delegated returns what gets tokens in people's names. It makes no request.
func (l *Login) Delegated(client *http.Client, vault Vault, kept SignIns) *Delegated {
	return &Delegated{login: l, client: client, vault: vault, kept: kept, tokens: map[string]heldFor{}}
}

func (d *Delegated) config(tenant string) *oauth2.Config {
	at := d.login.authority.JoinPath(strings.ToLower(tenant), "oauth2", "v2.0")
	return &oauth2.Config{
		ClientID: d.login.clientID, Scopes: []string{d.login.cloud.Graph + "/" + DelegatedScope, "offline_access"},
		Endpoint: oauth2.Endpoint{DeviceAuthURL: at.JoinPath("devicecode").String(), TokenURL: at.JoinPath("token").String(), AuthStyle: oauth2.AuthStyleInParams},
	}
}

// over makes the library use the hub's own client.
func (d *Delegated) over(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, d.client)
}

// SignIn lets a person sign in for the tenant: show is given what the person has to type
// in where, then SignIn waits until that was done, declined or took too long. What comes
// of it is kept, in place of any sign-in before.
func (d *Delegated) SignIn(ctx context.Context, tenant string, show func(responsehub.DeviceCode)) (responsehub.SignIn, error) {
	cfg := d.config(tenant)
	asked, err := cfg.DeviceAuth(d.over(ctx))
	if err != nil {
		return responsehub.SignIn{}, d.refusal(ctx, tenant, err)
	}
	show(responsehub.DeviceCode{Address: asked.VerificationURI, Code: asked.UserCode, Expires: asked.Expiry.UTC()})
	got, err := cfg.DeviceAccessToken(d.over(ctx), asked)
	if err != nil {
		return responsehub.SignIn{}, d.refusal(ctx, tenant, err)
	}
	now := time.Now().UTC()
	s := responsehub.SignIn{V: 1, Tenant: strings.ToLower(tenant), Who: principal(got.AccessToken), At: now, Used: now}
	if got.RefreshToken == "" {
		return responsehub.SignIn{}, &responsehub.Error{Kind: responsehub.Permanent, Message: "Microsoft gave no lasting sign-in, only one for an hour. Check that the hub's app may have offline_access in this tenant."}
	}
	s.Box = d.vault.Seal(responsehub.Secret(got.RefreshToken), boundTo(s.Tenant))
	if err := d.kept.PutSignIn(ctx, s); err != nil {
		return responsehub.SignIn{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The sign-in could not be kept. Try again in a moment.", Err: err}
	}
	d.hold(s, newToken(got.AccessToken, got.Expiry))
	return s, nil
}

// Token returns a token of the person who signed in for the tenant. Refused says that
// nobody did; Forbidden that Microsoft does not take the sign-in any more. Both say what
// to do.
func (d *Delegated) Token(ctx context.Context, tenant string) (Token, responsehub.SignIn, error) {
	s, err := d.find(ctx, tenant)
	if err != nil {
		return Token{}, s, err
	}
	d.mu.Lock()
	held, ok := d.tokens[s.Tenant]
	d.mu.Unlock()
	if ok && held.at.Equal(s.At) && time.Until(held.token.Expires) > margin {
		return held.token, s, nil
	}
	return d.refresh(ctx, s)
}

// Check asks Microsoft for a fresh token, whatever is in memory: so it is known whether
// the sign-in still stands.
func (d *Delegated) Check(ctx context.Context, tenant string) (Token, responsehub.SignIn, error) {
	s, err := d.find(ctx, tenant)
	if err != nil {
		return Token{}, s, err
	}
	return d.refresh(ctx, s)
}

// Forget drops the tenant's sign-in. At Microsoft it stands until its person revokes it.
func (d *Delegated) Forget(ctx context.Context, tenant string) error {
	if err := d.kept.DropSignIn(ctx, strings.ToLower(tenant)); err != nil {
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The sign-in could not be dropped. Try again in a moment.", Err: err}
	}
	return nil
}

func (d *Delegated) find(ctx context.Context, tenant string) (responsehub.SignIn, error) {
	s, ok, err := d.kept.SignIn(ctx, strings.ToLower(tenant))
	switch {
	case err != nil:
		return s, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub cannot read the tenant's sign-in from its store right now. It tries again by itself.", Err: err}
	case !ok:
		return s, &responsehub.Error{Kind: responsehub.Refused, Message: "Nobody has signed in for this tenant, which password writeback needs. " + signInHow(tenant)}
	}
	return s, nil
}

// refresh gets a new token, and keeps the refresh token that comes with it.
func (d *Delegated) refresh(ctx context.Context, s responsehub.SignIn) (Token, responsehub.SignIn, error) {
	secret, err := d.vault.Open(s.Box, boundTo(s.Tenant))
	if err != nil {
		return Token{}, s, &responsehub.Error{Kind: responsehub.Forbidden, Message: "The sign-in that the hub keeps for this tenant cannot be opened: secrets.key is another one than when it was made. " + signInHow(s.Tenant), Err: err}
	}
	got, err := d.config(s.Tenant).TokenSource(d.over(ctx), &oauth2.Token{RefreshToken: string(secret)}).Token()
	if err != nil {
		return Token{}, s, d.refusal(ctx, s.Tenant, err)
	}
	now := s
	now.Used = time.Now().UTC()
	if got.RefreshToken != "" && got.RefreshToken != string(secret) {
		now.Box = d.vault.Seal(responsehub.Secret(got.RefreshToken), boundTo(s.Tenant))
	}
	if err := d.kept.RenewSignIn(ctx, s, now); err != nil {
		// The old refresh token is still good: it lives on until it was not used for 90 days.
		now = s
	}
	token := newToken(got.AccessToken, got.Expiry)
	d.hold(now, token)
	return token, now, nil
}

func (d *Delegated) hold(s responsehub.SignIn, t Token) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tokens[s.Tenant] = heldFor{token: t, at: s.At}
}

func boundTo(tenant string) string { return "sign-in|" + strings.ToLower(tenant) }

func signInHow(tenant string) string {
	return "Run: responsehub tenant sign-in " + strings.ToLower(tenant) + " --config FILE, and sign in as somebody with the role Authentication Administrator there (Privileged Authentication Administrator, if accounts of administrators are to be reset too)."
}

// refusal turns what the library met into an error for people. The library's own text
// holds the whole answer, so it goes nowhere.
func (d *Delegated) refusal(ctx context.Context, tenant string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s := seen{answer: &transport.Answer{}}
	var kind string
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		s.answer.Body, kind = r.Body, r.ErrorCode
		if r.Response != nil {
			s.answer.Status, s.answer.RetryAfter = r.Response.StatusCode, transport.RetryAfter(r.Response.Header, time.Now())
		}
	} else if e, ok := errors.AsType[*transport.Error](err); ok {
		s.err = e
	} else {
		s.answer.Status = http.StatusBadGateway // an answer that is no answer of a login
	}
	code, request := numbers(s.answer.Body)
	out := &responsehub.Error{Kind: responsehub.Forbidden, RequestID: request, Err: &Refusal{Class: SignInLost, Code: code}}
	switch {
	case kind == "authorization_declined":
		out.Kind, out.Message = responsehub.Refused, "The person declined to sign in. Nothing was changed."
	case kind == "expired_token":
		out.Kind, out.Message = responsehub.Refused, "Nobody signed in in time. Nothing was changed; run the command again."
	case code == 7000218:
		out.Message = "The hub's app does not take people's sign-ins yet. In its app registration set Authentication, \"Allow public client flows\" to Yes and add the delegated permission " + DelegatedScope + " of Microsoft Graph; then run the command again."
	case code == 65001 || code == 90094 || code == 90008:
		out.Message = "The tenant has not consented to the delegated permission " + DelegatedScope + " for the hub's app. Add it to the app registration, then have an administrator of the tenant consent: " + d.login.ConsentLink(tenant)
	case classOf(code) == PolicyBlocks:
		out.Message = "A Conditional Access policy of the tenant does not take the sign-in that the hub keeps (" + number(code) + "): it may bar the device code flow, or ask for a managed device. Exclude who signs in for the hub from it. " + signInHow(tenant)
	case kind == "invalid_grant" || lost[code]:
		out.Message = "Microsoft does not take the sign-in that the hub keeps for this tenant any more (" + number(code) + "): it was revoked, was not used for 90 days, or its person was disabled or has a new password. " + signInHow(tenant)
	default:
		return s.refusal(tenant, d.login.clientID, d.login.cloud.Graph)
	}
	return out
}

// SignInLost is the class of a person's sign-in that Microsoft does not take.
const SignInLost Class = "delegated_login"

// lost are the numbers that say so, beside those of Conditional Access.
// https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
var lost = map[int]bool{50034: true, 50020: true, 50057: true, 50076: true, 50078: true, 50079: true, 50173: true, 70008: true, 70043: true, 70044: true, 700082: true, 700084: true}

// principal reads who signed in. It is for people to read; nothing is allowed because of it.
func principal(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		UPN    string `json:"upn"`
		Unique string `json:"unique_name"`
	}
	if err != nil || json.NewDecoder(bytes.NewReader(b)).Decode(&claims) != nil {
		return ""
	}
	if claims.UPN == "" {
		claims.UPN = claims.Unique
	}
	return claims.UPN[:min(len(claims.UPN), 320)]
}
