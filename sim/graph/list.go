package graph

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is an entity with all its properties, before $select.
type object map[string]any

// listing says how a collection may be asked for.
type listing struct {
	entity   string   // OData type without namespace, for messages
	context  string   // of @odata.context
	defaults []string // properties without $select; nil for all
	always   []string // properties that come whatever $select says
	filter   rules    // what $filter may say
	pageSize int      // without $top
	maxPage  int
	skip     bool // paged by $skip (Outlook) instead of $skiptoken (directory)
	orderBy  string
}

// supported are the query options that any collection may carry.
var supported = []string{"$select", "$filter", "$top", "$skip", "$skiptoken", "$count", "$orderby"}

// options refuses query options this world does not have.
func (c *call) options(allowed ...string) *reply {
	for k := range c.query {
		name := k
		if !strings.HasPrefix(name, "$") {
			name = "$" + name // Graph takes them without the dollar sign too
			c.query[name] = c.query[k]
			delete(c.query, k)
		}
		if !slices.Contains(allowed, name) {
			c.s.log.Unexpected(vendor, fmt.Sprintf("query option %s of %s %s", k, c.method, c.path))
			out := fail(http.StatusBadRequest, "BadRequest", "The query parameter '%s' is not supported.", k)
			return &out
		}
	}
	return nil
}

// lazy is a collection that is rendered only as far as it is shown: a tenant may hold 100,000 users.
type lazy struct {
	n  int
	at func(i int) object
}

// each renders the elements of xs.
func each[T any](xs []T, render func(T) object) lazy {
	return lazy{len(xs), func(i int) object { return render(xs[i]) }}
}

func (z lazy) slice(from, to int) []object {
	var out []object
	for i := min(from, z.n); i < min(to, z.n); i++ {
		out = append(out, z.at(i))
	}
	return out
}

// list answers with one page of a collection.
func (c *call) list(l listing, all lazy) reply {
	if refused := c.options(supported...); refused != nil {
		return *refused
	}
	size, offset, refused := c.page(l)
	if refused != nil {
		return *refused
	}
	total := all.n
	var shown []object
	if c.query.Get("$filter") == "" && c.query.Get("$orderby") == "" {
		shown = all.slice(offset, offset+size)
	} else {
		found, refused := c.filtered(l, all.slice(0, all.n))
		if refused != nil {
			return *refused
		}
		if refused := c.ordered(l, found); refused != nil {
			return *refused
		}
		total = len(found)
		shown = found[min(offset, total):min(offset+size, total)]
	}
	selected, refused := c.selection(l, shown)
	if refused != nil {
		return *refused
	}
	value := []object{}
	for _, o := range shown {
		value = append(value, pick(o, selected, l.always))
	}
	body := object{"@odata.context": c.base + "/$metadata#" + l.context, "value": value}
	if c.query.Get("$count") == "true" {
		body["@odata.count"] = total
	}
	if offset+size < total {
		body["@odata.nextLink"] = c.nextLink(l, offset+size)
	}
	return reply{status: http.StatusOK, body: body}
}

// one answers with a single entity.
func (c *call) one(l listing, o object) reply {
	if refused := c.options("$select"); refused != nil {
		return *refused
	}
	selected, refused := c.selection(l, []object{o})
	if refused != nil {
		return *refused
	}
	body := pick(o, selected, l.always)
	body["@odata.context"] = c.base + "/$metadata#" + l.context + "/$entity"
	return reply{status: http.StatusOK, body: body}
}

// selection reads $select; an unknown property is 400.
func (c *call) selection(l listing, all []object) ([]string, *reply) {
	raw := c.query.Get("$select")
	if raw == "" {
		return l.defaults, nil
	}
	var known object // an empty list cannot tell
	if len(all) > 0 {
		known = all[0]
	}
	var selected []string
	for _, name := range strings.Split(raw, ",") {
		name = strings.TrimSpace(name)
		if _, ok := known[name]; !ok && known != nil {
			c.s.log.Unexpected(vendor, fmt.Sprintf("$select %q of %s", name, l.entity))
			out := fail(http.StatusBadRequest, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.%s'.", name, l.entity)
			return nil, &out
		}
		selected = append(selected, name)
	}
	return selected, nil
}

func pick(o object, selected, always []string) object {
	out := object{}
	for k, v := range o {
		if selected == nil || slices.Contains(selected, k) || slices.Contains(always, k) || k == "@odata.type" {
			out[k] = v
		}
	}
	return out
}

// filtered applies $filter.
func (c *call) filtered(l listing, all []object) ([]object, *reply) {
	raw := c.query.Get("$filter")
	if raw == "" {
		return all, nil
	}
	f, err := parseFilter(raw)
	if err == nil {
		err = l.filter.allow(f)
	}
	if err == nil && l.entity == "user" && len(f.sub) > maxChildren {
		err = errors.New("too many child clauses specified in search filter expression: maximum allowed 15")
	}
	if err != nil {
		c.s.log.Unexpected(vendor, fmt.Sprintf("$filter of %s: %v: %s", l.entity, err, raw))
		code := "Request_UnsupportedQuery"
		if l.skip {
			code = "ErrorInvalidUrlQueryFilter"
		}
		out := fail(http.StatusBadRequest, code, "Invalid filter clause: %v", err)
		return nil, &out
	}
	var out []object
	for _, o := range all {
		if f.holds(o) {
			out = append(out, o)
		}
	}
	return out, nil
}

// ordered applies $orderby. Outlook wants the sorted property first in the filter, or refuses.
// https://devblogs.microsoft.com/microsoft365dev/update-to-filtering-and-sorting-rest-api/
func (c *call) ordered(l listing, all []object) *reply {
	raw := c.query.Get("$orderby")
	if raw == "" {
		return nil
	}
	field, direction, _ := strings.Cut(strings.TrimSpace(raw), " ")
	if field != l.orderBy {
		c.s.log.Unexpected(vendor, "$orderby "+raw+" of "+l.entity)
		out := fail(http.StatusBadRequest, "BadRequest", "Sorting by '%s' is not supported.", raw)
		return &out
	}
	if f := c.query.Get("$filter"); f != "" && l.skip && !strings.HasPrefix(strings.TrimLeft(f, "( "), field) {
		out := fail(http.StatusBadRequest, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
		return &out
	}
	slices.SortStableFunc(all, func(a, b object) int {
		n := strings.Compare(fmt.Sprint(a[field]), fmt.Sprint(b[field]))
		if strings.EqualFold(strings.TrimSpace(direction), "desc") {
			return -n
		}
		return n
	})
	return nil
}

// page reads $top with $skip or $skiptoken.
func (c *call) page(l listing) (size, offset int, refused *reply) {
	size = l.pageSize
	bad := func(format string, args ...any) (int, int, *reply) {
		out := badRequest(format, args...)
		return 0, 0, &out
	}
	if raw := c.query.Get("$top"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 || n > l.maxPage {
			return bad("Invalid page size specified: '%s'. Must be between 1 and %d inclusive.", raw, l.maxPage)
		}
		size = n
	}
	if raw := c.query.Get("$skip"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 0 || !l.skip {
			return bad("'$skip' is not supported by the service.")
		}
		offset = n
	}
	if raw := c.query.Get("$skiptoken"); raw != "" {
		text, err := base64.RawURLEncoding.DecodeString(raw)
		n, err2 := strconv.Atoi(string(text))
		if err != nil || err2 != nil || n < 0 {
			return bad("Skip token is invalid.")
		}
		offset = n
	}
	return size, offset, nil
}

func (c *call) nextLink(l listing, offset int) string {
	q := url.Values{}
	for k, v := range c.query {
		q[k] = v
	}
	if l.skip {
		q.Set("$skip", strconv.Itoa(offset))
	} else {
		q.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(offset))))
	}
	return c.base + c.path + "?" + q.Encode()
}

// stampOf writes a time as Graph does: UTC, seconds; nil for none.
func stampOf(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// orNil is null in JSON for an empty string.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
