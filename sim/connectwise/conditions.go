package connectwise

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"responsehub/sim/desk"
)

// Conditions are ConnectWise's query language: references by "/", strings in double quotes, whole
// numbers bare, True and False, dates in brackets, = != < <= > >= contains like in not, and, or,
// parentheses. Strings compare without case; * in like stands for anything.

// maxDepth bounds parentheses.
const maxDepth = 50

// test says whether a record fits.
type test func(desk.Record) bool

// conditions parses a query; "" fits everything. known says which first parts of a path there are; nil: all.
func conditions(query string, known func(string) bool) (test, error) {
	if strings.TrimSpace(query) == "" {
		return func(desk.Record) bool { return true }, nil
	}
	tokens, err := scan(query)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, known: known}
	t, err := p.or(0)
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %q", p.tokens[0].text)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

type token struct {
	kind byte // w word, s string, n number, d date, o operator or punctuation
	text string
}

func scan(q string) (out []token, err error) {
	for q != "" {
		switch c := q[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			q = q[1:]
		case c == '"' || c == '[':
			end, kind := byte('"'), byte('s')
			if c == '[' {
				end, kind = ']', 'd'
			}
			i := strings.IndexByte(q[1:], end)
			if i < 0 {
				return nil, fmt.Errorf("%c is not closed", c)
			}
			out, q = append(out, token{kind, q[1 : 1+i]}), q[i+2:]
		case strings.HasPrefix(q, "!=") || strings.HasPrefix(q, "<=") || strings.HasPrefix(q, ">="):
			out, q = append(out, token{'o', q[:2]}), q[2:]
		case strings.IndexByte("=<>(),", c) >= 0:
			out, q = append(out, token{'o', q[:1]}), q[1:]
		default:
			i := strings.IndexFunc(q, func(r rune) bool {
				return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_/.-", r)
			})
			if i < 0 {
				i = len(q)
			}
			if i == 0 {
				return nil, fmt.Errorf("%q is not understood", q[:1])
			}
			kind := byte('w')
			if _, err := strconv.ParseFloat(q[:i], 64); err == nil {
				kind = 'n'
			}
			out, q = append(out, token{kind, q[:i]}), q[i:]
		}
	}
	return out, nil
}

type parser struct {
	tokens []token
	known  func(string) bool
}

// take removes the next token where it is this word or operator.
func (p *parser) take(text string) bool {
	if len(p.tokens) > 0 && (p.tokens[0].kind == 'w' || p.tokens[0].kind == 'o') && strings.EqualFold(p.tokens[0].text, text) {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *parser) or(depth int) (test, error) {
	left, err := p.and(depth)
	for err == nil && p.take("or") {
		var right test
		if right, err = p.and(depth); err == nil {
			l := left
			left = func(r desk.Record) bool { return l(r) || right(r) }
		}
	}
	return left, err
}

func (p *parser) and(depth int) (test, error) {
	left, err := p.one(depth)
	for err == nil && p.take("and") {
		var right test
		if right, err = p.one(depth); err == nil {
			l := left
			left = func(r desk.Record) bool { return l(r) && right(r) }
		}
	}
	return left, err
}

func (p *parser) one(depth int) (test, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d parentheses", maxDepth)
	}
	if p.take("(") {
		t, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = fmt.Errorf(") is missing")
		}
		return t, err
	}
	if len(p.tokens) < 2 || p.tokens[0].kind != 'w' {
		return nil, fmt.Errorf("a condition is field, operator and value")
	}
	path := strings.Split(p.tokens[0].text, "/")
	if p.known != nil && !p.known(path[0]) {
		return nil, fmt.Errorf("the field %s does not exist", path[0])
	}
	p.tokens = p.tokens[1:]
	negate := p.take("not")
	fits, err := p.comparison()
	if err != nil {
		return nil, err
	}
	return func(r desk.Record) bool { return fits(values(r, path)) != negate }, nil
}

// comparison is an operator with its value, as a test of what stands at the path.
func (p *parser) comparison() (func([]any) bool, error) {
	for _, op := range []string{"!=", "<=", ">=", "=", "<", ">", "contains", "like", "in"} {
		if !p.take(op) {
			continue
		}
		if op == "in" {
			return p.list()
		}
		want, err := p.value()
		if err != nil {
			return nil, err
		}
		if op == "!=" {
			return func(have []any) bool { return !anyOf(have, "=", want) }, nil
		}
		return func(have []any) bool { return anyOf(have, op, want) }, nil
	}
	return nil, fmt.Errorf("an operator is missing")
}

func (p *parser) list() (func([]any) bool, error) {
	if !p.take("(") {
		return nil, fmt.Errorf("in needs a list")
	}
	var wants []any
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		wants = append(wants, v)
		if p.take(")") {
			break
		}
		if !p.take(",") {
			return nil, fmt.Errorf(") is missing")
		}
	}
	return func(have []any) bool {
		for _, w := range wants {
			if anyOf(have, "=", w) {
				return true
			}
		}
		return false
	}, nil
}

func (p *parser) value() (any, error) {
	if len(p.tokens) == 0 {
		return nil, fmt.Errorf("a value is missing")
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	switch {
	case t.kind == 's':
		return t.text, nil
	case t.kind == 'n':
		f, err := strconv.ParseFloat(t.text, 64)
		return f, err
	case t.kind == 'd':
		at, err := time.Parse(time.RFC3339, t.text)
		if err != nil {
			at, err = time.Parse(time.DateOnly, t.text)
		}
		return at, err
	case t.kind == 'w' && (strings.EqualFold(t.text, "true") || strings.EqualFold(t.text, "false")):
		return strings.EqualFold(t.text, "true"), nil
	case t.kind == 'w' && strings.EqualFold(t.text, "null"):
		return nil, nil
	}
	return nil, fmt.Errorf("%q is no value; strings stand in double quotes", t.text)
}

// values is what stands at a path, one for each element of a list on the way. Nothing there is nil.
func values(v any, path []string) (out []any) {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			out = append(out, values(e, path)...)
		}
		return out
	}
	if len(path) == 0 {
		return []any{v}
	}
	o := desk.AsRecord(v)
	for k, x := range o {
		if strings.EqualFold(k, path[0]) {
			return values(x, path[1:])
		}
	}
	return []any{nil}
}

func anyOf(have []any, op string, want any) bool {
	for _, h := range have {
		if compare(h, op, want) {
			return true
		}
	}
	return false
}

func compare(have any, op string, want any) bool {
	order := 0
	switch w := want.(type) {
	case nil:
		return op == "=" && have == nil
	case bool:
		b, _ := have.(bool) // a flag that is not there is false
		return op == "=" && b == w
	case string:
		h, ok := have.(string)
		if !ok {
			return false
		}
		h, w = strings.ToLower(h), strings.ToLower(w)
		if op == "contains" || op == "like" {
			if op == "contains" {
				w = "*" + w + "*"
			}
			return like(h, strings.Split(w, "*"))
		}
		order = strings.Compare(h, w)
	case float64:
		h, ok := desk.Number(have)
		if !ok {
			return false
		}
		order = cmp.Compare(h, w)
	case time.Time:
		text, _ := have.(string)
		h, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return false
		}
		order = h.Compare(w)
	}
	switch op {
	case "=":
		return order == 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return false
}

// like matches a pattern cut at its stars.
func like(s string, parts []string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
