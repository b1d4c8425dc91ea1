package console

import (
	"net/http"

	"responsehub"
)

// signInPage offers the ways in.
func (c *Console) signInPage(w http.ResponseWriter, r *http.Request) {
	if _, ok := c.actor(r); ok {
		http.Redirect(w, r, inside(r.FormValue("back")), http.StatusSeeOther) //nolint:gosec // inside lets through pages of ours only
		return
	}
	if back := inside(r.FormValue("back")); back != "/" {
		c.keepBriefly(r, inBack, back)
	} else {
		c.sessions.Remove(r.Context(), inBack) // the page asked for last is the one meant
	}
	c.show(w, r, http.StatusOK, "signin", responsehub.Actor{}, map[string]any{
		"OIDC": c.oidc != nil, "Key": c.cfg.Keys != nil, "Said": c.sessions.PopString(r.Context(), inFlash),
	})
}

// signInWithKey lets in whoever holds an API key: the way for the first day, and for the
// day on which the provider is away. Its use is logged loudly.
func (c *Console) signInWithKey(w http.ResponseWriter, r *http.Request) {
	if c.cfg.Keys == nil {
		c.fail(w, r, &responsehub.Error{Kind: responsehub.NotFound, Message: "Nobody signs in with a key here."})
		return
	}
	actor, err := c.cfg.Keys.Identify(responsehub.Secret(r.PostFormValue("key")))
	if err != nil {
		c.log.Warn("console: sign-in with a key refused", "remote", r.RemoteAddr)
		c.keepBriefly(r, inFlash, "That key is not known. It may have been removed.")
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	back := inside(c.sessions.PopString(r.Context(), inBack))
	if err := c.enter(r, inKey, actor.ID); err != nil {
		c.fail(w, r, err)
		return
	}
	c.keyUsed(r.Context(), actor, r.RemoteAddr)
	http.Redirect(w, r, back, http.StatusSeeOther)
}
