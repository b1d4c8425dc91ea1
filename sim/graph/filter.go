package graph

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filter is a parsed $filter: either a junction ("and", "or", "not") of others, or one comparison.
// https://learn.microsoft.com/graph/filter-query-parameter
type filter struct {
	op    string // and or not | eq ne gt ge lt le startswith endswith contains any
	sub   []*filter
	path  string // property, with / between levels
	value any    // string, bool, float64, time.Time or nil
}

// rules says which operators each property may be compared with; or allows "or" and "not".
type rules struct {
	fields map[string]string // path -> operators separated by spaces
	or     bool
}

// allow refuses a filter outside the rules.
func (r rules) allow(f *filter) error {
	switch f.op {
	case "or", "not":
		if !r.or {
			return fmt.Errorf("%q is not supported here", f.op)
		}
		fallthrough
	case "and":
		for _, s := range f.sub {
			if err := r.allow(s); err != nil {
				return err
			}
		}
		return nil
	}
	ops, ok := r.fields[f.path]
	if !ok {
		return fmt.Errorf("property %q cannot be filtered", f.path)
	}
	if !slices.Contains(strings.Fields(ops), f.op) {
		return fmt.Errorf("operator %q is not supported for property %q", f.op, f.path)
	}
	return nil
}

const (
	maxFilter = 8 << 10 // bytes
	maxDepth  = 40      // parentheses
)

// parseFilter parses the part of OData's filter language that the simulated services know:
// comparisons, three string functions, and, or, not, parentheses.
func parseFilter(text string) (*filter, error) {
	if len(text) > maxFilter {
		return nil, errors.New("the filter is too long")
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, fmt.Errorf("syntax error at %q", p.tokens[p.at].text)
	}
	return f, nil
}

// token is a word, a quoted string or one of ( ) ,.
type token struct {
	kind byte // w word, s string, or the character itself
	text string
}

func lex(text string) ([]token, error) {
	var out []token
	for i := 0; i < len(text); {
		switch ch := text[i]; {
		case ch == ' ' || ch == '\t':
			i++
		case ch == '(' || ch == ')' || ch == ',':
			out = append(out, token{ch, string(ch)})
			i++
		case ch == '\'':
			s, n, ok := quoted(text[i:])
			if !ok {
				return nil, fmt.Errorf("there is an unterminated string literal at position %d", i)
			}
			out = append(out, token{'s', s})
			i += n
		default:
			n := strings.IndexAny(text[i:], " \t(),'")
			if n < 0 {
				n = len(text) - i
			}
			out = append(out, token{'w', text[i : i+n]})
			i += n
		}
	}
	return out, nil
}

// quoted reads a string in single quotes, where two quotes stand for one; n is its length in text.
func quoted(text string) (s string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", 0, false
}

type parser struct {
	tokens []token
	at     int
	depth  int
}

func (p *parser) peek() token {
	if p.at >= len(p.tokens) {
		return token{}
	}
	return p.tokens[p.at]
}

func (p *parser) word(w string) bool {
	if t := p.peek(); t.kind == 'w' && t.text == w {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(kind byte) (token, error) {
	t := p.peek()
	if t.kind != kind {
		return t, fmt.Errorf("syntax error at %q", t.text)
	}
	p.at++
	return t, nil
}

func (p *parser) or() (*filter, error)  { return p.junction("or", p.and) }
func (p *parser) and() (*filter, error) { return p.junction("and", p.unary) }

func (p *parser) junction(op string, next func() (*filter, error)) (*filter, error) {
	first, err := next()
	if err != nil || p.peek() != (token{'w', op}) {
		return first, err
	}
	f := &filter{op: op, sub: []*filter{first}}
	for p.word(op) {
		s, err := next()
		if err != nil {
			return nil, err
		}
		f.sub = append(f.sub, s)
	}
	return f, nil
}

func (p *parser) unary() (*filter, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("the filter is nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.word("not") {
		s, err := p.unary()
		return &filter{op: "not", sub: []*filter{s}}, err
	}
	if p.peek().kind == '(' {
		p.at++
		f, err := p.or()
		if err != nil {
			return nil, err
		}
		_, err = p.want(')')
		return f, err
	}
	name, err := p.want('w')
	if err != nil {
		return nil, err
	}
	if p.peek().kind == '(' {
		if path, ok := strings.CutSuffix(name.text, "/any"); ok {
			return p.any(path)
		}
		return p.function(name.text)
	}
	return p.comparison(name.text)
}

func (p *parser) function(name string) (*filter, error) {
	if !slices.Contains([]string{"startswith", "endswith", "contains"}, name) {
		return nil, fmt.Errorf("unknown function %q", name)
	}
	p.at++ // the parenthesis
	path, err := p.want('w')
	if err != nil {
		return nil, err
	}
	if _, err := p.want(','); err != nil {
		return nil, err
	}
	value, err := p.want('s')
	if err != nil {
		return nil, err
	}
	_, err = p.want(')')
	return &filter{op: name, path: path.text, value: value.text}, err
}

// any reads (x:x eq 'text') behind the name of a list.
// https://learn.microsoft.com/graph/filter-query-parameter#filter-using-lambda-operators
func (p *parser) any(path string) (*filter, error) {
	p.at++ // the parenthesis
	head, err := p.want('w')
	if err != nil {
		return nil, err
	}
	variable, same, ok := strings.Cut(head.text, ":")
	if !ok || variable == "" || variable != same {
		return nil, fmt.Errorf("%q is no range variable", head.text)
	}
	if !p.word("eq") {
		return nil, errors.New("only eq is supported within any")
	}
	value, err := p.want('s')
	if err != nil {
		return nil, err
	}
	_, err = p.want(')')
	return &filter{op: "any", path: path, value: value.text}, err
}

func (p *parser) comparison(path string) (*filter, error) {
	op, err := p.want('w')
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"eq", "ne", "gt", "ge", "lt", "le"}, op.text) {
		return nil, fmt.Errorf("unknown operator %q", op.text)
	}
	t := p.peek()
	p.at++
	if t.kind == 's' {
		return &filter{op: op.text, path: path, value: t.text}, nil
	}
	value, err := literal(t)
	return &filter{op: op.text, path: path, value: value}, err
}

func literal(t token) (any, error) {
	if t.kind != 'w' {
		return nil, fmt.Errorf("syntax error at %q", t.text)
	}
	switch t.text {
	case "true", "false":
		return t.text == "true", nil
	case "null":
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339, t.text); err == nil {
		return at, nil
	}
	if n, err := strconv.ParseFloat(t.text, 64); err == nil {
		return n, nil
	}
	if len(t.text) == 36 && strings.Count(t.text, "-") == 4 {
		return t.text, nil // a GUID without quotes
	}
	return nil, fmt.Errorf("%q is not a literal", t.text)
}
