package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (r *reader) text(v reflect.Value, n *yaml.Node, path string, tag reflect.StructTag) {
	s, ok := "", true
	if n != nil {
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!bool" && n.Style == 0 {
			r.fault(path, "must be a text; put it in quotes")
			return
		}
		if s, ok = n.Value, true; tag.Get("raw") == "" {
			s, ok = r.expand(n.Value, path)
		}
		if ok && v.Type() == secretType {
			s, ok = r.content(s, path)
		}
	}
	if !ok {
		v.SetString(unread)
		return
	}
	if s == "" && (n == nil || tag.Get("keep") != "empty") && v.Kind() == reflect.String {
		s = tag.Get("default")
	}
	v.SetString(s)
}

// unread stands where a variable or file was missing, so that the fault is reported
// once and not again as an empty or misshapen value.
const unread = "\x00unread"

func (r *reader) flag(v reflect.Value, n *yaml.Node, path string) {
	if n == nil {
		return
	}
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		r.fault(path, "must be true or false")
		return
	}
	v.SetBool(n.Value == "true")
}

func (r *reader) number(v reflect.Value, n *yaml.Node, path string, tag reflect.StructTag) {
	s := tag.Get("default")
	if n != nil {
		s = n.Value
	}
	least, most := bound(tag, "least", 1), bound(tag, "most", 1000)
	i, err := strconv.Atoi(s)
	if err != nil || i < least || i > most || n != nil && n.Kind != yaml.ScalarNode {
		r.fault(path, "must be a whole number from %d to %d", least, most)
		return
	}
	v.SetInt(int64(i))
}

// bound is a limit of a number as its tag says it.
func bound(tag reflect.StructTag, name string, otherwise int) int {
	if i, err := strconv.Atoi(tag.Get(name)); err == nil {
		return i
	}
	return otherwise
}

func (r *reader) duration(v reflect.Value, n *yaml.Node, path string, tag reflect.StructTag) {
	s := tag.Get("default")
	if n != nil {
		s = n.Value
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || n != nil && n.Kind != yaml.ScalarNode {
		r.fault(path, "must be a time span such as 90s or 3m")
		return
	}
	v.SetInt(int64(d))
}

func (r *reader) time(v reflect.Value, n *yaml.Node, path string) {
	if n == nil {
		return
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, n.Value); err == nil {
			v.Set(reflect.ValueOf(t.UTC()))
			return
		}
	}
	r.fault(path, "must be a day such as 2027-01-31, or a time in RFC 3339")
}

var variable = regexp.MustCompile(`\$\$\{|\$\{[^}]*\}?`)

var variableName = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)

// expand replaces ${NAME} by the environment's value; that is not expanded again.
func (r *reader) expand(s, path string) (string, bool) {
	ok := true
	s = variable.ReplaceAllStringFunc(s, func(ref string) string {
		if ref == "$${" {
			return "${"
		}
		if !variableName.MatchString(ref) {
			r.fault(path, "has a ${ that is not ${NAME}; write $${ for the characters themselves")
			ok = false
			return ""
		}
		value, set := r.lookup(ref[2 : len(ref)-1])
		if !set {
			r.fault(path, "needs the environment variable %s, which is not set", ref[2:len(ref)-1])
			ok = false
		}
		return value
	})
	return s, ok
}

const maxSecretFile = 64 << 10

// content replaces file:/path by what stands in the file.
func (r *reader) content(s, path string) (string, bool) {
	name, isFile := strings.CutPrefix(s, "file:")
	if !isFile {
		return s, true
	}
	if !filepath.IsAbs(name) {
		r.fault(path, "must name its file with the whole path, file:/path")
		return "", false
	}
	b, err := readSmall(name)
	if err != nil {
		r.fault(path, "cannot be read: %s", err)
		return "", false
	}
	return strings.TrimRight(string(b), "\r\n"), true
}

// readSmall reads a regular file of bounded size.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(b) > maxSecretFile {
		err = errors.New(name + " is too large")
	}
	return b, err
}
