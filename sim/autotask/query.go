package autotask

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub/sim/desk"
)

// filter is one condition, or a group of them.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/API_Calls/REST_Basic_Query_Calls.htm
type filter struct {
	Op    string   `json:"op"`
	Field string   `json:"field"`
	Value any      `json:"value"`
	UDF   bool     `json:"udf"`
	Items []filter `json:"items"`
}

type search struct {
	Filter        []filter `json:"filter"`
	IncludeFields []string `json:"includeFields"`
	MaxRecords    int      `json:"maxRecords"`
}

const (
	maxFilters = 500 // ORs of a query
	maxDepth   = 20
)

// parseSearch reads a query strictly. known says which fields there are.
func parseSearch(raw []byte, known func(string) bool) (search, error) {
	var in search
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, err
	}
	if len(in.Filter) == 0 {
		return in, errors.New("a query needs a filter")
	}
	if in.MaxRecords < 0 || in.MaxRecords > maxRecords {
		return in, fmt.Errorf("MaxRecords is from 1 to %d", maxRecords)
	}
	for _, f := range in.IncludeFields {
		if !known(f) {
			return in, fmt.Errorf("unable to find %s in the entity", f)
		}
	}
	count := 0
	return in, check(in.Filter, known, &count, 0)
}

func check(list []filter, known func(string) bool, count *int, depth int) error {
	if depth > maxDepth {
		return errors.New("groups are nested too deeply")
	}
	for _, f := range list {
		if *count++; *count > maxFilters {
			return fmt.Errorf("more than %d conditions", maxFilters)
		}
		switch op := strings.ToLower(f.Op); op {
		case "and", "or":
			if len(f.Items) == 0 || f.Field != "" {
				return fmt.Errorf("%s is a group and needs items", op)
			}
			if err := check(f.Items, known, count, depth+1); err != nil {
				return err
			}
			continue
		case "in", "notin":
			if _, ok := f.Value.([]any); !ok {
				return fmt.Errorf("%s needs a list", op)
			}
		case "exist", "notexist":
		case "eq", "noteq", "gt", "gte", "lt", "lte", "beginswith", "endswith", "contains":
			if f.Value == nil || desk.AsRecord(f.Value) != nil {
				return fmt.Errorf("%s needs a value", op)
			}
			if _, list := f.Value.([]any); list {
				return fmt.Errorf("%s needs one value", op)
			}
		default:
			return fmt.Errorf("there is no operator %q", f.Op)
		}
		if !known(f.Field) || f.UDF {
			return fmt.Errorf("unable to find %s in the entity", f.Field)
		}
	}
	return nil
}

// fits says whether r passes all of the filters.
func fits(r desk.Record, list []filter) bool {
	for _, f := range list {
		if !f.fits(r) {
			return false
		}
	}
	return true
}

func (f filter) fits(r desk.Record) bool {
	switch op := strings.ToLower(f.Op); op {
	case "and":
		return fits(r, f.Items)
	case "or":
		return slices.ContainsFunc(f.Items, func(i filter) bool { return i.fits(r) })
	default:
		return f.compare(op, field(r, f.Field))
	}
}

// field is the value of a field, whatever the case of its name.
func field(r desk.Record, name string) any {
	for k, v := range r {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

func (f filter) compare(op string, have any) bool {
	switch op {
	case "exist":
		return have != nil
	case "notexist":
		return have == nil
	case "in", "notin":
		list, _ := f.Value.([]any) // check saw to it
		in := slices.ContainsFunc(list, func(v any) bool { n, ok := order(have, v); return ok && n == 0 })
		return in == (op == "in")
	case "beginswith", "endswith", "contains":
		h, ok := have.(string)
		w := fmt.Sprint(f.Value)
		h, w = strings.ToLower(h), strings.ToLower(w)
		return ok && (op == "contains" && strings.Contains(h, w) || op == "beginswith" && strings.HasPrefix(h, w) || op == "endswith" && strings.HasSuffix(h, w))
	}
	n, ok := order(have, f.Value)
	if !ok {
		return op == "noteq"
	}
	return op == "eq" && n == 0 || op == "noteq" && n != 0 || op == "gt" && n > 0 || op == "gte" && n >= 0 || op == "lt" && n < 0 || op == "lte" && n <= 0
}

// order compares a value of a record with one of a query, which may be written as text.
func order(have, want any) (int, bool) {
	if h, ok := desk.Number(have); ok {
		w, ok := desk.Number(want)
		if text, is := want.(string); is {
			var err error
			w, err = strconv.ParseFloat(text, 64)
			ok = err == nil
		}
		return cmp.Compare(h, w), ok
	}
	if h, ok := have.(bool); ok {
		w := fmt.Sprint(want)
		return strings.Compare(fmt.Sprint(h), strings.ToLower(w)), true
	}
	h, ok := have.(string)
	w, is := want.(string)
	if !ok || !is {
		return 0, false
	}
	a, err := time.Parse(time.RFC3339, h)
	b, err2 := time.Parse(time.RFC3339, w)
	if err == nil && err2 == nil {
		return a.Compare(b), true
	}
	return strings.Compare(strings.ToLower(h), strings.ToLower(w)), true
}

// query answers a page of what fits, or how much it is.
func (s *Service) query(r *http.Request, entity string, count bool) (any, *refusal) {
	raw := []byte(r.URL.Query().Get("search"))
	if len(raw) == 0 {
		var body json.RawMessage
		if bad := read(r, &body); bad != nil {
			return nil, bad
		}
		raw = body
	}
	in, err := parseSearch(raw, func(name string) bool { return isField(entity, name) })
	if err != nil {
		s.unexpected("query: " + err.Error())
		return nil, invalid(err.Error())
	}
	after, _ := strconv.Atoi(r.URL.Query().Get("paging")) // nothing is the start
	list := slices.Clone(s.tables[entity])
	slices.SortStableFunc(list, func(a, b desk.Record) int { return a.Int("id") - b.Int("id") })
	found := []desk.Record{}
	for _, rec := range list {
		if fits(rec, in.Filter) && (rec.Int("id") > after || after == 0) {
			found = append(found, rec)
		}
	}
	if count {
		return desk.Record{"queryCount": len(found)}, nil
	}
	size, next := cmp.Or(in.MaxRecords, maxRecords), any(nil)
	if len(found) > size {
		found = found[:size]
		q := url.Values{"paging": {strconv.Itoa(found[size-1].Int("id"))}, "search": {string(raw)}}
		next = strings.TrimRight(s.cfg.URL+"/"+s.zone, "/") + "/ATServicesRest/V1.0/" + entity + "/query/next?" + q.Encode()
	}
	items := shownAll(found)
	if len(in.IncludeFields) > 0 {
		for i, rec := range found {
			small := desk.Record{"id": rec.Int("id")}
			for _, f := range in.IncludeFields {
				for k, v := range rec {
					if strings.EqualFold(k, f) && k != "secretKey" {
						small[k] = v
					}
				}
			}
			items[i] = small
		}
	}
	return desk.Record{"items": items, "pageDetails": desk.Record{"count": len(items), "requestCount": size, "prevPageUrl": nil, "nextPageUrl": next}}, nil
}
