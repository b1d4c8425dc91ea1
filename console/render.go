package console

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"responsehub"
)

// parsePages reads each page together with the frame around all of them.
func parsePages() (map[string]*template.Template, error) {
	frame, err := template.New("").Funcs(functions).ParseFS(templates, "templates/frame.html")
	if err != nil {
		return nil, err
	}
	entries, err := templates.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "page_")
		if !ok {
			continue
		}
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(templates, "templates/"+e.Name())
		}
		if err != nil {
			return nil, err
		}
		pages[strings.TrimSuffix(name, ".html")] = t
	}
	return pages, nil
}

// framed is what every page is given.
type framed struct {
	Actor   responsehub.Actor
	Manage  bool // an administrator of the whole hub
	Flash   string
	Page    string
	Path    string
	Stopped bool   // nothing runs by itself at any tenant
	Trial   string // that the hub's trial is over and what that changes, or ""
	Version string
	Data    any
}

// partOnly is a header with which the script asks for a page of which it shows a part.
const partOnly = "X-Part"

// show writes a page.
func (c *Console) show(w http.ResponseWriter, r *http.Request, status int, name string, actor responsehub.Actor, data any) {
	f := framed{
		Actor: actor, Manage: administers(actor), Page: name, Path: r.URL.Path, Version: c.cfg.Version, Data: data,
		Stopped: c.dir.Settings().Stopped != nil, Trial: c.trial(actor),
	}
	if actor.Role != "" && r.Header.Get(partOnly) == "" { // a redraw must not use up the sentence of the page to come
		f.Flash = c.sessions.PopString(r.Context(), inFlash)
	}
	c.write(w, status, name, "frame", f)
}

// part writes a piece of a page, which the script puts in its place.
func (c *Console) part(w http.ResponseWriter, name, block string, data any) {
	c.write(w, http.StatusOK, name, block, data)
}

func (c *Console) write(w http.ResponseWriter, status int, name, block string, data any) {
	var b bytes.Buffer // a page is whole or not at all
	t, ok := c.pages[name]
	err := errors.New("there is no such page")
	if ok {
		err = t.ExecuteTemplate(&b, block, data)
	}
	if err != nil {
		c.log.Error("page cannot be drawn", "page", name, "error", err)
		http.Error(w, "The page could not be drawn. The hub's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the browser hung up
}

// statuses are the HTTP statuses of kinds of errors.
var statuses = map[responsehub.Kind]int{
	responsehub.Invalid: http.StatusBadRequest, responsehub.Unauthorized: http.StatusUnauthorized, responsehub.Forbidden: http.StatusForbidden,
	responsehub.NotFound: http.StatusNotFound, responsehub.Refused: http.StatusConflict, responsehub.Conflict: http.StatusConflict,
	responsehub.Gone: http.StatusGone, responsehub.Throttled: http.StatusTooManyRequests, responsehub.Unavailable: http.StatusServiceUnavailable,
}

// fail says on a page of its own what went wrong and what to do.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, ok := statuses[responsehub.KindOf(err)]
	if !ok {
		status = http.StatusInternalServerError
	}
	if status >= http.StatusInternalServerError {
		c.log.Error("console", "path", r.URL.Path, "error", err)
	}
	f := framed{Page: "problem", Path: r.URL.Path, Data: map[string]any{"Status": status, "Sentence": responsehub.Sentence(err), "Back": inside(pathOf(r.Referer()))}}
	if status != http.StatusServiceUnavailable {
		if actor, in := c.actor(r); in {
			f.Actor, f.Manage, f.Trial = actor, administers(actor), c.trial(actor)
		}
	}
	c.write(w, status, "problem", "frame", f)
}

// trial says that the hub's trial is over, to those who work with the hub. Customers who
// look in as guests did not buy it.
func (c *Console) trial(actor responsehub.Actor) string {
	ends := c.cfg.Subscription.TrialEnds
	if ends.IsZero() || actor.Role == "" || actor.Role == responsehub.Guest || time.Now().Before(ends) {
		return ""
	}
	return "The trial of this hub ended on " + day(ends) + ". Remediation goes on as before, for every tenant. Adding tenants and switching products waits for a subscription."
}

// lost answers for an address that is no page, whoever asks: a machine that mistook its
// address is not sent to sign in.
func (c *Console) lost(w http.ResponseWriter, r *http.Request) {
	c.fail(w, r, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such page. The address may be mistyped, or what it showed was removed."})
}

func pathOf(referer string) string {
	_, rest, ok := strings.Cut(referer, "://")
	if !ok {
		return "/"
	}
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}

// administers reports whether the actor manages the whole hub, not only some tenants.
func administers(a responsehub.Actor) bool {
	return a.May(responsehub.Manage, responsehub.TenantRef{}) == nil
}

var functions = template.FuncMap{
	"clock":    clock,
	"day":      day,
	"reach":    reach,
	"mode":     func(m responsehub.PasswordMode) string { return cmp.Or(modeWords[m], string(m)) },
	"product":  func(p responsehub.Product) string { return cmp.Or(productWords[p], string(p)) },
	"role":     func(r responsehub.Role) string { return cmp.Or(roleWords[r], string(r)) },
	"proof":    func(k string) string { return cmp.Or(proofWords[k], k) },
	"grade":    func(g responsehub.Grade) string { return cmp.Or(gradeWords[g], string(g)) },
	"lane":     laneName,
	"upper":    strings.ToUpper,
	"stamp":    stamp,
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"since":    func(a, b time.Time) string { return responsehub.Span(b.Sub(a)) },
	"words":    func(s responsehub.StepState) string { return s.Words() },
	"state":    func(s responsehub.IncidentState) string { return s.Words() },
	"kind":     func(k responsehub.ItemKind) string { return k.Words() },
	"via":      func(s responsehub.Surface) string { return s.Words() },
	"group":    responsehub.Grouped,
	"lower":    strings.ToLower,
	"sentence": sentence,
	"join":     strings.Join,
	"dict":     dict,
	"inc":      func(n int) int { return n + 1 },
	"dec":      func(n int) int { return n - 1 },
	"lock":     timeToLock,
	"seconds":  func(d time.Duration) int { return int(d.Seconds()) },
	"closed":   func(s responsehub.IncidentState) bool { return s.Closed() },
}

// dict makes the data of a part out of names and values.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a name without a value")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
