package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"responsehub"
)

// Anchors let a small file unfold into a huge one; these stop it.
const (
	maxNodes  = 1_000_000
	maxNest   = 40
	maxFaults = 1000
)

// reader fills structs from YAML nodes, collects the faults and remembers on which
// line each path stands.
type reader struct {
	file    string
	lookup  func(string) (string, bool)
	lines   map[string]int
	single  map[string]bool   // paths of lists that stand there as their one entry
	set     map[string]string // by path: the variable that set it
	faults  []Fault
	nodes   int
	nest    int
	stopped bool
}

func (r *reader) fault(path, format string, args ...any) {
	if len(r.faults) >= maxFaults {
		return // something else is wrong with this file
	}
	f := Fault{File: r.file, Line: r.line(path), Path: path, Message: fmt.Sprintf(format, args...)}
	if name := r.set[path]; name != "" {
		f.Line, f.Message = 0, f.Message+" (set by "+name+")"
	}
	r.faults = append(r.faults, f)
}

func (r *reader) warn(path, format string, args ...any) {
	before := len(r.faults)
	r.fault(path, format, args...)
	if len(r.faults) > before {
		r.faults[before].Warning = true
	}
}

// line is the line of the path, or of the nearest thing around it.
func (r *reader) line(path string) int {
	for {
		if n, ok := r.lines[path]; ok || path == "" {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntax reports what the YAML parser says, which quotes names at most.
func (r *reader) syntax(err error) {
	f := Fault{File: r.file, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(f.Message); m != nil {
		f.Line, _ = strconv.Atoi(m[1])
		f.Message = strings.Replace(f.Message, m[0], "", 1)
	}
	f.Message = "is not valid YAML: " + f.Message
	r.faults = append(r.faults, f)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// fill sets v from n; n is nil where the key is absent. tag is the field's.
func (r *reader) fill(v reflect.Value, n *yaml.Node, path string, tag reflect.StructTag) {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n != nil && isNull(n) {
		n = nil
	}
	if r.exhausted(path) {
		return
	}
	r.nest++
	defer func() { r.nest-- }()
	if n != nil && n.Line > 0 {
		r.lines[path] = n.Line
	}
	switch t := v.Type(); {
	case t == reflect.TypeFor[time.Duration]():
		r.duration(v, n, path, tag)
	case t == reflect.TypeFor[time.Time]():
		r.time(v, n, path)
	case t.Kind() == reflect.Pointer:
		if n == nil {
			return
		}
		v.Set(reflect.New(t.Elem()))
		r.fill(v.Elem(), n, path, tag)
	case t.Kind() == reflect.Struct:
		r.section(v, n, path)
	case t.Kind() == reflect.Slice:
		r.list(v, n, path, tag)
	case t.Kind() == reflect.Map:
		r.dictionary(v, n, path, tag)
	case t.Kind() == reflect.Bool:
		r.flag(v, n, path)
	case t.Kind() == reflect.Int:
		r.number(v, n, path, tag)
	default:
		r.text(v, n, path, tag)
	}
}

// exhausted reports whether reading has to stop, and says so once.
func (r *reader) exhausted(path string) bool {
	if r.nodes++; r.nodes <= maxNodes && r.nest <= maxNest {
		return false
	}
	if !r.stopped {
		r.stopped = true
		r.fault(path, "unfolds into too much: its anchors refer to each other")
	}
	return true
}

// section fills a struct; keys it does not know are faults.
func (r *reader) section(v reflect.Value, n *yaml.Node, path string) {
	if n != nil && n.Kind != yaml.MappingNode {
		r.fault(path, "must be a section with keys")
		n = nil
	}
	values := r.pairs(n, path)
	var known []string
	for f := range v.Type().Fields() {
		key := f.Tag.Get("yaml")
		known = append(known, key)
		r.fill(v.FieldByIndex(f.Index), values[key], dotted(path, key), f.Tag)
		delete(values, key)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		r.fault(dotted(path, key), "is not known here; the keys are %s", strings.Join(known, ", "))
	}
}

// pairs is a mapping's values by key, with merge keys (<<) resolved.
func (r *reader) pairs(n *yaml.Node, path string) map[string]*yaml.Node {
	values := make(map[string]*yaml.Node)
	if n == nil {
		return values
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			r.fault(path, "has a key that is not a text")
			continue
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if _, twice := values[key.Value]; twice {
			r.lines[dotted(path, key.Value)] = key.Line
			r.fault(dotted(path, key.Value), "stands there twice")
			continue
		}
		r.lines[dotted(path, key.Value)] = key.Line
		values[key.Value] = value
	}
	for _, m := range merged {
		for key, value := range r.mergedPairs(m, path) {
			if _, own := values[key]; !own {
				values[key] = value
			}
		}
	}
	return values
}

func (r *reader) mergedPairs(n *yaml.Node, path string) map[string]*yaml.Node {
	r.nest++
	defer func() { r.nest-- }()
	if r.exhausted(path) {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.mergedPairs(n.Alias, path)
	case yaml.MappingNode:
		r.nodes += len(n.Content) // a large section merged often is work too
		return r.pairs(n, path)
	case yaml.SequenceNode:
		all := make(map[string]*yaml.Node)
		for _, e := range n.Content {
			for key, value := range r.mergedPairs(e, path) {
				if _, first := all[key]; !first {
					all[key] = value
				}
			}
		}
		return all
	}
	r.fault(path, "merges (<<) something that has no keys")
	return nil
}

// at is the path of a list's entry.
func (r *reader) at(path string, i int) string {
	if r.single[path] {
		return path
	}
	return fmt.Sprintf("%s[%d]", path, i)
}

func (r *reader) list(v reflect.Value, n *yaml.Node, path string, tag reflect.StructTag) {
	if n != nil && n.Kind == yaml.MappingNode && tag.Get("single") != "" {
		if r.single == nil {
			r.single = map[string]bool{}
		}
		r.single[path] = true
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		r.fill(v.Index(0), n, path, tag)
		return
	}
	if n != nil && n.Kind != yaml.SequenceNode {
		r.fault(path, "must be a list")
		return
	}
	if n == nil || len(n.Content) == 0 {
		if d := tag.Get("default"); d != "" {
			v.Set(reflect.ValueOf([]string{d}))
		}
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, e := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if isNull(e) {
			r.lines[at] = e.Line
			r.fault(at, "is empty")
			continue
		}
		r.fill(v.Index(i), e, at, tag)
	}
}

func (r *reader) dictionary(v reflect.Value, n *yaml.Node, path string, tag reflect.StructTag) {
	if n != nil && n.Kind != yaml.MappingNode {
		r.fault(path, "must be a section with keys")
		return
	}
	m := make(map[string]string)
	values := r.pairs(n, path)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		var s string
		r.fill(reflect.ValueOf(&s).Elem(), values[key], dotted(path, key), tag)
		m[key] = s
	}
	if len(m) > 0 {
		v.Set(reflect.ValueOf(m))
	}
}

func dotted(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var secretType = reflect.TypeFor[responsehub.Secret]()
