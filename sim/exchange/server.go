// Package exchange is the simulated Exchange Online admin interface that the PowerShell module uses:
// POST /exchange/adminapi/beta/{tenant}/InvokeCommand, one cmdlet per request.
//
// It refuses what Exchange refuses: a token without Exchange.ManageAsApp (401) or without a directory
// role that may administer Exchange (403), a header that names another cmdlet, unknown cmdlets and
// parameters, more requests at once than it likes. Errors carry Exchange's pipe-separated detail:
// id|exception type|text. A list longer than the page is continued by posting the same body to the
// nextLink.
//
// What may go wrong: the interface is not documented by its vendor; it is written after what open
// clients send and read (https://github.com/KelvinTegelaar/CIPP-API, https://github.com/GreyCorbel/ExoHelper).
package exchange

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"responsehub/sim/login"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const (
	vendor   = "exchange"
	audience = "https://outlook.office365.com"
	pageSize = 1000
	// perTenant is how many commands may run at once in one tenant.
	perTenant = 4
)

// Server is the simulated Exchange Online. It is an http.Handler for paths under /exchange and records
// its own traffic.
type Server struct {
	world   *tenant.World
	login   *login.Server
	log     *wire.Log
	handler http.Handler
	latency atomic.Int64 // nanoseconds

	mu      sync.Mutex
	running map[string]int // by tenant
}

// New returns an Exchange over the world; tokens are checked with the sign-in service.
func New(world *tenant.World, login *login.Server, log *wire.Log) *Server {
	s := &Server{world: world, login: login, log: log, running: map[string]int{}}
	mux := http.NewServeMux()
	for _, mount := range []string{"/exchange", ""} { // whoever mounts the server may keep the prefix or strip it
		mux.HandleFunc("POST "+mount+"/adminapi/beta/{tenant}/InvokeCommand", s.invoke)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Unexpected(vendor, r.Method+" "+r.URL.Path)
		write(w, http.StatusNotFound, failure("NotFound", "No HTTP resource was found that matches the request URI.", ""))
	})
	s.handler = log.Middleware(vendor, mux)
	return s
}

// ServeHTTP serves Exchange.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// SetLatency makes every command take at least d.
func (s *Server) SetLatency(d time.Duration) { s.latency.Store(int64(d)) }

// request is the body of InvokeCommand.
type request struct {
	CmdletInput struct {
		CmdletName string         `json:"CmdletName"`
		Parameters map[string]any `json:"Parameters"`
	} `json:"CmdletInput"`
}

// invoke runs one cmdlet.
// https://github.com/GreyCorbel/ExoHelper (the admin interface of the Exchange Online module)
func (s *Server) invoke(w http.ResponseWriter, r *http.Request) {
	claims, err := s.login.Verify(r.Header.Get("Authorization"), audience)
	if err != nil || !claims.Has("Exchange.ManageAsApp") || !strings.EqualFold(claims.TenantID, r.PathValue("tenant")) {
		w.Header().Set("WWW-Authenticate", `Bearer client_id="00000002-0000-0ff1-ce00-000000000000", error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized) // no body, as the real one
		return
	}
	var in request
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(raw, &in) != nil || in.CmdletInput.CmdletName == "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		write(w, http.StatusBadRequest, failure("BadRequest", "The request body is not a valid CmdletInput.", ""))
		return
	}
	name := in.CmdletInput.CmdletName
	if got := r.Header.Get("X-CmdletName"); !strings.EqualFold(got, name) {
		s.log.Unexpected(vendor, "X-CmdletName "+strconv.Quote(got)+" for "+name)
		write(w, http.StatusBadRequest, failure("BadRequest", "The X-CmdletName header does not match the cmdlet of the body.", ""))
		return
	}
	release, ok := s.enter(claims.TenantID)
	if !ok {
		w.Header().Set("Retry-After", "5")
		write(w, http.StatusTooManyRequests, failure("TooManyRequests", "You have reached the maximum number of concurrent requests per tenant. Please wait and try again", ""))
		return
	}
	defer release()
	if !wait(r.Context(), time.Duration(s.latency.Load())) {
		return
	}
	out, refused := s.run(claims, name, in.CmdletInput.Parameters)
	if refused != nil {
		if refused.exception != "" {
			w.Header().Set("X-ExceptionType", refused.exception[strings.LastIndex(refused.exception, ".")+1:])
		}
		write(w, refused.status, failure(refused.code, refused.text, refused.exception))
		return
	}
	s.page(w, r, out)
}

// run finds the cmdlet and runs it under the world's lock.
func (s *Server) run(claims login.Claims, name string, params map[string]any) ([]object, *refusal) {
	cmd, known := cmdlets[strings.ToLower(name)]
	if !known {
		s.log.Unexpected(vendor, "cmdlet "+name)
		return nil, &refusal{http.StatusBadRequest, "BadRequest", "System.Management.Automation.CommandNotFoundException", "The term '" + name + "' is not recognized as the name of a cmdlet, function, script file, or operable program."}
	}
	for p := range params {
		if !slices.ContainsFunc(cmd.params, func(k string) bool { return strings.EqualFold(k, p) }) && !strings.HasPrefix(p, "@") {
			s.log.Unexpected(vendor, "parameter "+p+" of "+name)
			return nil, &refusal{http.StatusBadRequest, "BadRequest", "System.Management.Automation.ParameterBindingException", "A parameter cannot be found that matches parameter name '" + p + "'."}
		}
	}
	s.world.Lock()
	defer s.world.Unlock()
	t := tenant.Find(s.world, claims.TenantID)
	if t == nil || !tenant.Consented(t, claims.AppID) {
		return nil, &refusal{http.StatusUnauthorized, "Unauthorized", "", "The application is not known in this tenant."}
	}
	if !mayRun(claims.WIDs, cmd.recipient) {
		return nil, &refusal{http.StatusForbidden, "Forbidden", "Microsoft.Exchange.Configuration.Tasks.CmdletAccessDeniedException", "The cmdlet '" + name + "' is not present in the role definition of the current user."}
	}
	c := &call{s: s, t: t, name: name, params: params}
	return cmd.run(c)
}

// mayRun says whether these directory roles may run a cmdlet; recipient cmdlets are open to Exchange
// Recipient Administrators too.
// https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2
func mayRun(wids []string, recipient bool) bool {
	roles := []string{tenant.ExchangeAdministrator, tenant.GlobalAdministrator}
	if recipient {
		roles = append(roles, tenant.ExchangeRecipientAdmin)
	}
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(wids, tenant.RoleTemplate(r)) })
}

// page writes one page; the rest is had by posting the same body to the nextLink.
func (s *Server) page(w http.ResponseWriter, r *http.Request, all []object) {
	size, offset := pageSize, 0
	for _, p := range r.Header.Values("Prefer") {
		if _, n, ok := strings.Cut(p, "odata.maxpagesize="); ok {
			if v, err := strconv.Atoi(strings.TrimRight(n, "; ")); err == nil && v > 0 {
				size = min(v, pageSize)
			}
		}
	}
	if raw := r.URL.Query().Get("$skiptoken"); raw != "" {
		text, err := base64.RawURLEncoding.DecodeString(raw)
		n, err2 := strconv.Atoi(string(text))
		if err != nil || err2 != nil || n < 0 {
			write(w, http.StatusBadRequest, failure("BadRequest", "The skip token is not valid.", ""))
			return
		}
		offset = n
	}
	all, ok := selectProperties(all, r.URL.Query().Get("$select"))
	if !ok {
		write(w, http.StatusBadRequest, failure("BadRequest", "The $select is not valid.", ""))
		return
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	path := r.URL.EscapedPath()
	if asked, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(asked, "/") {
		path = asked // as the client knows it
	}
	here := scheme + "://" + r.Host + path
	end := min(offset+size, len(all))
	body := object{
		"@odata.context": here + "/$metadata#Collection(Exchange.GenericHashTable)", "adminapi.warnings@odata.type": "#Collection(String)",
		"@adminapi.warnings": []string{}, "value": append([]object{}, all[min(offset, len(all)):end]...),
	}
	if end < len(all) {
		q := r.URL.Query()
		q.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end))))
		body["@odata.nextLink"] = here + "?" + q.Encode()
	}
	write(w, http.StatusOK, body)
}

func selectProperties(all []object, raw string) ([]object, bool) {
	if raw == "" {
		return all, true
	}
	var out []object
	for _, o := range all {
		few := object{}
		for _, name := range strings.Split(raw, ",") {
			v, ok := o[strings.TrimSpace(name)]
			if !ok {
				return nil, false
			}
			few[strings.TrimSpace(name)] = v
		}
		out = append(out, few)
	}
	return out, true
}

func (s *Server) enter(tenantID string) (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[tenantID] >= perTenant {
		return nil, false
	}
	s.running[tenantID]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running[tenantID]--
	}, true
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

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8")
	w.Header().Set("Request-Id", uuid.NewString())
	w.Header().Set("Rate-Limit-Remaining", "8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
