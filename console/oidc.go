package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"responsehub"
)

// OIDC says where people sign in.
type OIDC struct {
	Issuer       string
	ClientID     string
	ClientSecret responsehub.Secret
	RolesClaim   string // claim with the hub's roles, for people who are not on the list; "": only people on the list
	TenantsClaim string // claim with the names of the tenants they see; "", or not there: all, and none for a guest
}

// provider is the identity provider. It is discovered when somebody first signs in, so
// that the hub starts without it.
type provider struct {
	cfg    OIDC
	back   string
	client *http.Client

	mu    sync.Mutex
	found *oidc.Provider
}

const providerWithin = 10 * time.Second

func newProvider(cfg OIDC, public string, hc *http.Client) (*provider, error) {
	if public == "" {
		return nil, errors.New("console: signing in needs server.public_url, to which the provider sends people back")
	}
	return &provider{cfg: cfg, back: strings.TrimSuffix(public, "/") + "/sign-in/back", client: hc}, nil
}

func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	// The provider keeps the context for fetching keys later: it must not end with a request.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.cfg.Issuer)
	if err != nil {
		return nil, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The sign-in provider cannot be reached. Try again, or sign in with an API key.", Err: err}
	}
	p.found = found
	return found, nil
}

func (p *provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: string(p.cfg.ClientSecret), Endpoint: found.Endpoint(), RedirectURL: p.back, Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
}

// signInStart sends the browser to the provider.
func (c *Console) signInStart(w http.ResponseWriter, r *http.Request) {
	if c.oidc == nil {
		c.fail(w, r, &responsehub.Error{Kind: responsehub.NotFound, Message: "No sign-in provider is configured (console.oidc)."})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), providerWithin)
	defer cancel()
	found, err := c.oidc.discover(ctx)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	state, nonce, proof := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	c.keepBriefly(r, inState, state)
	c.keepBriefly(r, inNonce, nonce)
	c.keepBriefly(r, inProof, proof)
	http.Redirect(w, r, c.oidc.oauth(found).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(proof)), http.StatusSeeOther)
}

// signInBack takes the browser back from the provider.
func (c *Console) signInBack(w http.ResponseWriter, r *http.Request) {
	id, err := c.identity(r)
	if err != nil {
		c.log.Warn("console: sign-in refused", "error", err, "remote", r.RemoteAddr)
		c.fail(w, r, err)
		return
	}
	p, ok := person(c.dir.People(), id)
	if !ok {
		back := inside(c.sessions.GetString(r.Context(), inBack))
		in, err := c.admit(r, id)
		if in && err == nil {
			c.sessions.Remove(r.Context(), inBack)
			http.Redirect(w, r, back, http.StatusSeeOther)
			return
		}
		if gone := c.sessions.Destroy(r.Context()); err == nil && gone != nil {
			err = &responsehub.Error{Kind: responsehub.Unavailable, Message: "The session could not be ended. Close the browser and try again.", Err: gone}
		}
		if err != nil {
			c.fail(w, r, err)
			return
		}
		c.log.Warn("console: signed in with the provider, but not on the hub's list", "subject", id.Subject, "object", id.ObjectID)
		c.fail(w, r, &responsehub.Error{Kind: responsehub.Forbidden, Message: "You are not on this hub's list of people. Ask your administrator to add you; your object id is " + orNone(id.ObjectID) + "."})
		return
	}
	back := inside(c.sessions.PopString(r.Context(), inBack))
	if err := c.enter(r, inPerson, p.ID); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func orNone(s string) string {
	if s == "" {
		return "not given by the provider"
	}
	return s
}

// identity is what a provider says of a person.
type identity struct {
	Subject  string `json:"sub"`
	ObjectID string `json:"oid"` // Microsoft Entra's
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Name     string `json:"name"`

	claims map[string]any // all that the token says
}

var errAgain = &responsehub.Error{Kind: responsehub.Invalid, Message: "This sign-in is over or belongs to another window. Start again."}

// identity verifies what came back: state, code, signature, issuer, audience, expiry and
// nonce. A code works once: the state it belongs to is taken out of the session first.
func (c *Console) identity(r *http.Request) (identity, error) {
	if c.oidc == nil {
		return identity{}, &responsehub.Error{Kind: responsehub.NotFound, Message: "No sign-in provider is configured (console.oidc)."}
	}
	ctx, cancel := context.WithTimeout(r.Context(), providerWithin)
	defer cancel()
	state, nonce, proof := c.sessions.PopString(ctx, inState), c.sessions.PopString(ctx, inNonce), c.sessions.PopString(ctx, inProof)
	q := r.URL.Query()
	switch {
	case state == "" || q.Get("state") != state:
		return identity{}, errAgain
	case q.Get("error") != "":
		return identity{}, &responsehub.Error{Kind: responsehub.Forbidden, Message: "The sign-in provider refused: " + limit(q.Get("error"), 100) + ". Start again or ask your administrator."}
	}
	found, err := c.oidc.discover(ctx)
	if err != nil {
		return identity{}, err
	}
	token, err := c.oidc.oauth(found).Exchange(oidc.ClientContext(ctx, c.oidc.client), q.Get("code"), oauth2.VerifierOption(proof))
	if err != nil {
		return identity{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "The sign-in provider did not accept the code. Start again.", Err: withoutBody(err)}
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := found.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), c.oidc.client), &oidc.Config{ClientID: c.oidc.cfg.ClientID}).Verify(ctx, raw)
	if err != nil {
		return identity{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "The provider's answer could not be verified. Start again.", Err: err}
	}
	if verified.Nonce != nonce {
		return identity{}, errAgain
	}
	var id identity
	if err := errors.Join(verified.Claims(&id), verified.Claims(&id.claims)); err != nil {
		return identity{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "The provider's answer could not be read. Start again.", Err: err}
	}
	return id, nil
}

// withoutBody is what may be logged of a refused code: the library's error holds the
// provider's whole answer.
func withoutBody(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil {
		return fmt.Errorf("the provider answered %d %.100q", refused.Response.StatusCode, refused.ErrorCode)
	}
	return err
}

// person finds who signed in: by Entra object id, else by an address that the provider
// verified. An address alone is something that a stranger can claim.
func person(people []responsehub.Person, id identity) (responsehub.Person, bool) {
	i := slices.IndexFunc(people, func(p responsehub.Person) bool {
		return id.ObjectID != "" && strings.EqualFold(p.EntraObjectID, id.ObjectID)
	})
	if i < 0 && id.Verified && id.Email != "" {
		i = slices.IndexFunc(people, func(p responsehub.Person) bool { return strings.EqualFold(p.Email, id.Email) })
	}
	if i < 0 {
		return responsehub.Person{}, false
	}
	return people[i], true
}

func limit(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
