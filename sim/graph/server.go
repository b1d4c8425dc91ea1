// Package graph is the simulated Microsoft Graph v1.0, as far as an account takeover needs it: users,
// mail, inbox rules, apps, consents, devices, methods, message traces and $batch.
//
// It refuses what Graph refuses: tokens of another audience, missing permissions (per call, from the
// token's roles), protected targets, passwords too simple, filters Outlook does not know, a gzip header
// over a plain body, more than four requests in flight on one mailbox or 10,000 in ten minutes. A moved
// message gets a new id. Errors have Graph's shape and headers. Whatever Graph would not know is 404 or
// 400 here and stands in wire.Log.Unexpected too.
//
// What may go wrong: texts of some rare errors are from the field, not from a contract; clients should
// look at status and code.
package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"responsehub/sim/login"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const (
	vendor   = "graph"
	prefix   = "/graph/v1.0"
	audience = "https://graph.microsoft.com"
)

// Server is the simulated Graph. It is an http.Handler for paths under /graph/v1.0 (or /v1.0, where a
// prefix was stripped) and records its own traffic.
type Server struct {
	world   *tenant.World
	login   *login.Server
	log     *wire.Log
	handler http.Handler

	traffic traffic

	mu      sync.Mutex
	latency []latency
}

type latency struct {
	match string
	d     time.Duration
}

// New returns a Graph over the world; tokens are checked with the sign-in service.
func New(world *tenant.World, login *login.Server, log *wire.Log) *Server {
	s := &Server{world: world, login: login, log: log}
	s.handler = log.Middleware(vendor, http.HandlerFunc(s.serve))
	return s
}

// ServeHTTP serves Graph.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// SetLatency makes every call whose path contains match take at least d; "" matches every call, and
// the rule set last wins.
func (s *Server) SetLatency(match string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = append([]latency{{match, d}}, s.latency...)
}

func (s *Server) delay(path string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.latency {
		if strings.Contains(path, l.match) {
			return l.d
		}
	}
	return 0
}

// reply is one answer, before it is written to a connection or into a batch.
type reply struct {
	status int
	body   any // nil for none
	header map[string]string
}

// serve answers one request on the wire.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	out := s.answer(r)
	id := uuid.NewString()
	h := w.Header()
	h.Set("Request-Id", id)
	h.Set("Client-Request-Id", clientRequestID(r.Header, id))
	h.Set("X-Ms-Ags-Diagnostic", `{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SIM"}}`)
	for k, v := range out.header {
		h.Set(k, v)
	}
	if out.body == nil {
		w.WriteHeader(out.status)
		return
	}
	h.Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	w.WriteHeader(out.status)
	_ = json.NewEncoder(w).Encode(stamp(out.body, id, h.Get("Client-Request-Id")))
}

func clientRequestID(h http.Header, id string) string {
	if c := h.Get("Client-Request-Id"); c != "" {
		return c
	}
	return id
}

// answer checks the token and the body, then calls.
func (s *Server) answer(r *http.Request) reply {
	claims, err := s.login.Verify(r.Header.Get("Authorization"), audience)
	if err != nil {
		return unauthenticated(err)
	}
	body, err := readBody(r)
	if err != nil {
		return unreadable()
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fail(http.StatusBadRequest, "BadRequest", "The query string is malformed.")
	}
	path, base, ok := locate(r)
	c := &call{ctx: r.Context(), s: s, claims: claims, method: r.Method, path: path, query: query, header: r.Header, body: body, base: base}
	if !ok {
		return c.unknown()
	}
	if c.path == "/$batch" && c.method == http.MethodPost {
		return c.batch()
	}
	return c.do()
}

// locate splits a request's address at /v1.0: the path below it, and the base address above it as the
// client knows it. Whoever mounts the server may keep the prefix /graph or strip it.
func locate(r *http.Request) (path, base string, ok bool) {
	path = r.URL.EscapedPath()
	mount, below, found := strings.Cut(path, "/v1.0/")
	if !found || (mount != "" && mount != "/graph") {
		return path, "", false
	}
	if asked, _, found := strings.Cut(r.RequestURI, "/v1.0/"); found && strings.HasPrefix(asked, "/") {
		mount = asked
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return "/" + below, scheme + "://" + r.Host + mount + "/v1.0", true
}

// call is one request, from the wire or from a batch.
type call struct {
	ctx    context.Context
	s      *Server
	t      *tenant.Tenant
	claims login.Claims
	method string
	path   string // escaped, below /v1.0
	args   []string
	query  url.Values
	header http.Header
	body   []byte
	base   string
}

// do finds the route, checks rights and limits, waits the latency and runs the handler under the lock.
func (c *call) do() reply {
	rt, args, ok := match(c.method, c.path)
	if !ok {
		return c.unknown()
	}
	c.args = args
	if rt.mail {
		release, refused := c.s.traffic.enter(c.claims.AppID+"|"+c.claims.TenantID+"|"+strings.ToLower(args[0]), time.Now())
		if refused != nil {
			return *refused
		}
		defer release()
	}
	if !wait(c.ctx, c.s.delay(c.path)) {
		return fail(http.StatusGatewayTimeout, "UnknownError", "")
	}
	c.s.world.Lock()
	defer c.s.world.Unlock()
	c.t = tenant.Find(c.s.world, c.claims.TenantID)
	if c.t == nil || !tenant.Consented(c.t, c.claims.AppID) {
		// 401 as seen in the field: https://github.com/Azure/Microsoft365R/issues/184
		return fail(http.StatusUnauthorized, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.")
	}
	if len(rt.roles) > 0 && !c.claims.Has(rt.roles...) || rt.scope != "" && !c.claims.May(rt.scope) {
		return rt.denied()
	}
	return rt.serve(c)
}

func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// unknown answers what Graph answers to a path it does not have.
func (c *call) unknown() reply {
	c.s.log.Unexpected(vendor, c.method+" "+c.path)
	segment, _, _ := strings.Cut(strings.TrimPrefix(c.path, "/"), "/")
	return fail(http.StatusNotFound, "BadRequest", "Resource not found for the segment '%s'.", segment)
}

// effect enters a change in the world's ledger.
func (c *call) effect(kind, target, detail string) {
	c.s.log.Effect(wire.Effect{Vendor: vendor, Tenant: c.t.ID, Kind: kind, Target: target, Detail: detail})
}
