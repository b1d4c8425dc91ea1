package connectwise

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"responsehub/sim/desk"
)

// accepted is the version that a client asks for.
var accepted = regexp.MustCompile(`version=(\d{4}\.\d{1,2})`)

// Handler is the site below Config.URL: company information, callback keys and the API.
// Requests are recorded with vendor "connectwise".
func (s *Service) Handler() http.Handler {
	return s.cfg.Log.Middleware(vendor, http.HandlerFunc(s.serve))
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if company, ok := strings.CutPrefix(path, "/login/companyinfo/"); ok && r.Method == http.MethodGet {
		s.write(w, r, http.StatusOK, s.companyInfo(company))
		return
	}
	if strings.HasSuffix(path, "/system/callbackkey/index.rails") && r.Method == http.MethodGet {
		s.serveKey(w, r)
		return
	}
	base, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/apis/3.0/")
	if !ok || !s.at(base) {
		if !ok {
			s.unexpected(r.Method + " " + path)
		}
		http.Error(w, "<html><body>404 - File or directory not found.</body></html>", http.StatusNotFound)
		return
	}
	if bad := s.authenticate(r); bad != nil {
		s.write(w, r, bad.status, bad.body)
		return
	}
	s.mu.Lock()
	status, v, bad := s.route(w, r, strings.Split(strings.Trim(rest, "/"), "/"))
	if bad != nil {
		status, v = bad.status, bad.body
	}
	v = json.RawMessage(desk.Compact(v)) // before anybody changes what the answer shows
	s.mu.Unlock()
	s.write(w, r, status, v)
}

// at says whether the codebase is the present one. Every cloud site answers to v4_6_release too.
func (s *Service) at(base string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return base+"/" == s.codebase || base == "v4_6_release"
}

// companyInfo is null for a company that is not there, as at the vendor's.
func (s *Service) companyInfo(company string) any {
	if company != s.cfg.Company {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	year, minor, _ := strings.Cut(strings.Trim(s.codebase, "v/"), "_")
	return desk.Record{
		"CompanyName": "Security Desk", "Codebase": s.codebase, "VersionCode": "v" + year + "." + minor, "VersionNumber": "v" + year + "." + minor + ".100000",
		"CompanyID": s.cfg.Company, "IsCloud": true, "SiteUrl": strings.TrimPrefix(s.cfg.URL, "https://"),
	}
}

func (s *Service) authenticate(r *http.Request) *refusal {
	user, password, ok := r.BasicAuth()
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	if !ok || !same(user, s.cfg.Company+"+"+s.cfg.PublicKey) || !same(password, s.cfg.PrivateKey) {
		return noAccess
	}
	if !strings.EqualFold(r.Header.Get("clientId"), s.cfg.ClientID) {
		return noClient
	}
	return nil
}

// write answers in the version that was asked for.
func (s *Service) write(w http.ResponseWriter, r *http.Request, status int, v any) {
	version := "2025.16"
	if m := accepted.FindStringSubmatch(r.Header.Get("Accept")); m != nil {
		version = m[1]
	}
	kind := "application/vnd.connectwise.com+json; version=" + version
	if status >= 400 || strings.HasPrefix(r.URL.Path, "/login/") {
		kind = "application/json; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_, _ = w.Write(desk.Compact(v)) //nolint:gosec // JSON by its Content-Type: no browser draws it; whoever is gone is told nothing
	}
}

func (s *Service) unexpected(what string) { s.cfg.Log.Unexpected(vendor, what) }

// route finds what a path below apis/3.0 means. s.mu is held.
func (s *Service) route(w http.ResponseWriter, r *http.Request, p []string) (int, any, *refusal) {
	path := strings.Join(p, "/")
	switch {
	case path == "system/info" && r.Method == http.MethodGet:
		return http.StatusOK, desk.Record{"version": "v2025.1.100000", "isCloud": true, "serverTimeZone": "Eastern Standard Time", "cloudRegion": "NA", "licenseBits": []any{}}, nil
	case len(p) >= 2 && p[0] == "service" && p[1] == "tickets":
		return s.routeTickets(w, r, p[2:])
	case len(p) >= 2 && p[0] == "system" && p[1] == "callbacks":
		return s.routeHooks(w, r, p[2:])
	case r.Method != http.MethodGet:
		s.unexpected(r.Method + " " + path + ", which the hub has no business with")
		return 0, nil, noEndpoint
	}
	if list, ok := s.tables[path]; ok {
		return s.list(w, r, list, nil)
	}
	if list, ok := s.tables[strings.TrimSuffix(path, "/count")]; ok && p[len(p)-1] == "count" {
		return s.count(r, list, nil)
	}
	if id, err := strconv.Atoi(p[len(p)-1]); err == nil {
		if list, ok := s.tables[strings.Join(p[:len(p)-1], "/")]; ok {
			if found := find(list, id); found != nil {
				return http.StatusOK, found, nil
			}
			return 0, nil, missing(p[len(p)-2], id)
		}
	}
	if len(p) > 3 && p[1] == "boards" {
		return 0, nil, missing("Board", p[2])
	}
	s.unexpected(r.Method + " " + path)
	return 0, nil, noEndpoint
}

// read decodes a JSON body.
func (s *Service) read(r *http.Request, into any) *refusal {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return noForm
	}
	if !desk.Decode(io.LimitReader(r.Body, 1<<20), into) {
		return noJSON
	}
	return nil
}

// queries are the parameters of every list.
var queries = []string{"conditions", "childConditions", "customFieldConditions", "orderBy", "fields", "page", "pageSize", "pageId"}

// filter is the records that fit the query's conditions.
func (s *Service) filter(r *http.Request, list []desk.Record, known func(string) bool) ([]desk.Record, *refusal) {
	q := r.URL.Query()
	for name := range q {
		if !slices.Contains(queries, name) {
			s.unexpected("query parameter " + name)
			return nil, plain(http.StatusBadRequest, "InvalidArgument", "Unknown query parameter "+name)
		}
	}
	if len(r.URL.RawQuery) > 2000 {
		s.unexpected("a query of more than 2000 characters")
		return nil, plain(http.StatusRequestURITooLong, "InvalidArgument", "The request URL is too long.")
	}
	fits, err := conditions(q.Get("conditions"), known)
	if err != nil {
		return nil, s.badConditions(err)
	}
	child, err := conditions(q.Get("childConditions"), nil)
	if err != nil {
		return nil, s.badConditions(err)
	}
	out := []desk.Record{}
	for _, rec := range list {
		if fits(rec) && child(rec) {
			out = append(out, rec)
		}
	}
	return out, nil
}

func (s *Service) badConditions(err error) *refusal {
	s.unexpected("conditions: " + err.Error())
	return plain(http.StatusBadRequest, "InvalidArgument", "The conditions are not valid: "+err.Error())
}

func (s *Service) count(r *http.Request, list []desk.Record, known func(string) bool) (int, any, *refusal) {
	found, bad := s.filter(r, list, known)
	return http.StatusOK, desk.Record{"count": len(found)}, bad
}

// list answers a page. https://developer.connectwise.com/Products/Manage/Developer_Guide, Pagination.
func (s *Service) list(w http.ResponseWriter, r *http.Request, list []desk.Record, known func(string) bool) (int, any, *refusal) {
	found, bad := s.filter(r, list, known)
	if bad != nil {
		return 0, nil, bad
	}
	q := r.URL.Query()
	number := func(name string, otherwise int) int {
		n, err := strconv.Atoi(q.Get(name))
		if err != nil || n < 0 {
			return otherwise
		}
		return n
	}
	size := min(max(1, number("pageSize", defaultPage)), maxPage)
	link := func(key string, value int, rel string) string {
		next := r.URL.Query()
		next.Set(key, strconv.Itoa(value))
		return fmt.Sprintf(`<%s%s?%s>; rel="%s"`, s.cfg.URL, r.URL.Path, next.Encode(), rel)
	}
	if strings.EqualFold(r.Header.Get("pagination-type"), "forward-only") {
		slices.SortStableFunc(found, func(a, b desk.Record) int { return a.Int("id") - b.Int("id") })
		after := number("pageId", 0)
		found = slices.DeleteFunc(found, func(rec desk.Record) bool { return rec.Int("id") <= after })
		if len(found) > size {
			found = found[:size]
			w.Header().Set("Link", link("pageId", found[size-1].Int("id"), "next"))
		}
		return http.StatusOK, pick(found, q.Get("fields")), nil
	}
	sortBy(found, q.Get("orderBy"))
	page, last := max(1, number("page", 1)), max(1, (len(found)+size-1)/size)
	var links []string
	if page > 1 {
		links = append(links, link("page", page-1, "prev"), link("page", 1, "first"))
	}
	if page < last {
		links = append(links, link("page", page+1, "next"), link("page", last, "last"))
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
	start := min((page-1)*size, len(found))
	return http.StatusOK, pick(found[start:min(start+size, len(found))], q.Get("fields")), nil
}

// sortBy sorts by "field desc, field".
func sortBy(list []desk.Record, orderBy string) {
	if orderBy == "" {
		return
	}
	slices.SortStableFunc(list, func(a, b desk.Record) int {
		for part := range strings.SplitSeq(orderBy, ",") {
			field, way, _ := strings.Cut(strings.TrimSpace(part), " ")
			path := strings.Split(field, "/")
			x, y := values(a, path), values(b, path)
			sign := 1
			if strings.EqualFold(strings.TrimSpace(way), "desc") {
				sign = -1
			}
			if len(x) > 0 && len(y) > 0 {
				switch {
				case less(x[0], y[0]):
					return -sign
				case less(y[0], x[0]):
					return sign
				}
			}
		}
		return 0
	})
}

func less(a, b any) bool {
	if f, ok := desk.Number(b); ok {
		b = f
	}
	return compare(a, "<", b)
}

// pick keeps the named fields; "" keeps all.
func pick(list []desk.Record, fields string) []desk.Record {
	if fields == "" {
		return list
	}
	out := []desk.Record{}
	for _, r := range list {
		small := desk.Record{}
		for f := range strings.SplitSeq(fields, ",") {
			top, below, nested := strings.Cut(strings.TrimSpace(f), "/")
			switch sub := r.Sub(top); {
			case !nested && r[top] != nil:
				small[top] = r[top]
			case nested && sub != nil:
				into := desk.Record{}
				if have := small.Sub(top); have != nil {
					into = have
				}
				into[below] = sub[below]
				small[top] = into
			}
		}
		out = append(out, small)
	}
	return out
}
