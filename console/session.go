package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// What a session holds. Who a person is and may do is looked up at every request, so
// that a person who is removed is out at once.
const (
	inPerson  = "person"  // id of the person
	inKey     = "key"     // id of the API key that was used to sign in
	inSince   = "since"   // unix seconds
	inFlash   = "flash"   // a sentence for the next page
	inState   = "state"   // of a sign-in under way
	inNonce   = "nonce"   //
	inProof   = "proof"   // PKCE verifier
	inBack    = "back"    // page to go to after signing in
	inOnboard = "onboard" // state of a new tenant's sign-in
	inVisitor = "visitor" // subject of somebody whom the provider gave a role
	maxFlash  = 2000
)

// known lets those in who signed in, and sends the others to do so.
func (c *Console) known(next page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, ok := c.actor(r)
		if !ok {
			if r.Method != http.MethodGet || strings.HasSuffix(r.URL.Path, "/live") || strings.HasSuffix(r.URL.Path, "/panel") {
				c.fail(w, r, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "You are not signed in any more. Sign in again; nothing was done."})
				return
			}
			to := "/sign-in"
			if r.URL.Path != "/" {
				to += "?back=" + url.QueryEscape(r.URL.RequestURI())
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		if err := next(w, r, actor); err != nil {
			c.fail(w, r, err)
		}
	})
}

// actor is who signed in, as the lists say now.
func (c *Console) actor(r *http.Request) (responsehub.Actor, bool) {
	ctx := r.Context()
	if id := c.sessions.GetString(ctx, inPerson); id != "" {
		people := c.dir.People()
		i := slices.IndexFunc(people, func(p responsehub.Person) bool { return p.ID == id })
		if i < 0 {
			return responsehub.Actor{}, false
		}
		return people[i].Actor(responsehub.ViaConsole), true
	}
	if subject := c.sessions.GetString(ctx, inVisitor); subject != "" {
		return c.visiting(ctx, subject)
	}
	if key := c.sessions.GetString(ctx, inKey); key != "" && c.cfg.Keys != nil {
		a, err := c.cfg.Keys.Holder(key)
		if err != nil {
			return responsehub.Actor{}, false
		}
		a.Via = responsehub.ViaConsole
		return a, true
	}
	return responsehub.Actor{}, false
}

// enter begins a session. The token is renewed, so that one planted beforehand is worth
// nothing.
func (c *Console) enter(r *http.Request, what, id string) error {
	ctx := r.Context()
	if err := c.sessions.RenewToken(ctx); err != nil {
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The session could not be kept. Try again.", Err: err}
	}
	for _, k := range []string{inPerson, inKey, inVisitor, inState, inNonce, inProof} {
		c.sessions.Remove(ctx, k)
	}
	c.sessions.Put(ctx, what, id)
	c.sessions.Put(ctx, inSince, time.Now().Unix())
	return nil
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	if err := c.sessions.Destroy(r.Context()); err != nil {
		c.fail(w, r, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The session could not be ended. Close the browser and try again.", Err: err})
		return
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// tell keeps a sentence for the next page.
func (c *Console) tell(r *http.Request, sentence string) {
	c.sessions.Put(r.Context(), inFlash, strings.ToValidUTF8(limit(sentence, maxFlash), ""))
}

// strangersLife is how long a session lives in which nobody signed in yet. Anybody can
// begin one, and Redis must not fill up with them.
const strangersLife = 15 * time.Minute

// keepBriefly keeps something of somebody who is not signed in. Signing in gives the
// session its whole life.
func (c *Console) keepBriefly(r *http.Request, name, value string) {
	c.sessions.SetDeadline(r.Context(), time.Now().Add(strangersLife).UTC())
	c.sessions.Put(r.Context(), name, value)
}

// inside returns the address if it is a page of ours, and "/" otherwise.
func inside(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(address, "//") || strings.ContainsAny(address, "\\\r\n") {
		return "/"
	}
	return address
}
