package config

import (
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// overrides puts the values of RESPONSEHUB_<SECTION>_<KEY> into the tree, before it is
// read, so that they are checked like the file's own.
func (r *reader) overrides(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		return
	}
	for f := range reflect.TypeFor[Config]().Fields() {
		if t := structOf(f.Type); t != nil {
			r.override(root, t, f.Tag.Get("yaml"), f.Tag.Get("yaml"), "RESPONSEHUB_"+strings.ToUpper(f.Tag.Get("yaml")))
		}
	}
}

// override creates the section under parent only when one of its
// keys is set, because an absent section means something.
func (r *reader) override(parent *yaml.Node, section reflect.Type, key, path, prefix string) {
	for f := range section.Fields() {
		name := prefix + "_" + strings.ToUpper(f.Tag.Get("yaml"))
		if t := structOf(f.Type); t != nil {
			holder := &yaml.Node{Kind: yaml.MappingNode}
			if existing := lookupKey(parent, key); existing != nil {
				holder = existing
			}
			before := len(holder.Content)
			r.override(holder, t, f.Tag.Get("yaml"), dotted(path, f.Tag.Get("yaml")), name)
			if len(holder.Content) > before && lookupKey(parent, key) == nil {
				addKey(parent, key, holder)
			}
			continue
		}
		value, set := r.lookup(name)
		node := scalarNode(f.Type, value)
		if !set || node == nil {
			continue
		}
		holder := lookupKey(parent, key)
		if holder == nil {
			holder = &yaml.Node{Kind: yaml.MappingNode}
			addKey(parent, key, holder)
		}
		addKey(holder, f.Tag.Get("yaml"), node)
		r.set[dotted(path, f.Tag.Get("yaml"))] = name
	}
}

// scalarNode is the value as YAML, or nil for what the environment cannot say.
func scalarNode(t reflect.Type, value string) *yaml.Node {
	quoted := func(s string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Tag: "!!str", Value: s}
	}
	switch t.Kind() {
	case reflect.Slice:
		if t.Elem().Kind() != reflect.String {
			return nil
		}
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for s := range strings.SplitSeq(value, ",") {
			if s = strings.TrimSpace(s); s != "" {
				list.Content = append(list.Content, quoted(s))
			}
		}
		return list
	case reflect.Map:
		return nil
	}
	return quoted(value)
}

// structOf is the struct behind a section, or nil.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return nil
	}
	return t
}

// lookupKey returns the mapping under the key, with an alias replaced by a copy, so
// that other users of the anchor keep their values.
func lookupKey(parent *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(parent.Content); i += 2 {
		if parent.Content[i].Value != key {
			continue
		}
		n := parent.Content[i+1]
		if n.Kind == yaml.AliasNode {
			c := *n.Alias
			c.Content = append([]*yaml.Node(nil), c.Content...)
			n = &c
			parent.Content[i+1] = n
		}
		if isNull(n) {
			return nil
		}
		return n
	}
	return nil
}

// addKey sets the key, in place of a value that stands there.
func addKey(parent *yaml.Node, key string, value *yaml.Node) {
	if parent.Kind != yaml.MappingNode {
		return // reported when it is read
	}
	for i := 0; i+1 < len(parent.Content); i += 2 {
		if parent.Content[i].Value == key {
			parent.Content[i+1] = value
			return
		}
	}
	parent.Content = append(parent.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
}
