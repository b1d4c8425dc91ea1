package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxFile is far above a hub with ten thousand tenants; it stops a wrong path such as
// a disk image from being read.
const maxFile = 16 << 20

// Load reads and checks the file. The faults are in the order of their lines; the
// error joins those that are no warnings and is nil when there are none. The config
// is returned in both cases; with an error it must not be used to start.
func Load(path string) (*Config, []Fault, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w. Name the file with --config, or begin with: responsehub config example > responsehub.yaml", err)
		}
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, b, os.LookupEnv)
}

// Parse is [Load] for bytes already read; name stands in the faults, lookup is the
// environment.
func Parse(name string, b []byte, lookup func(string) (string, bool)) (*Config, []Fault, error) {
	r := &reader{file: name, lookup: lookup, lines: make(map[string]int), set: make(map[string]string)}
	cfg := new(Config)
	if root := r.document(b); root != nil {
		r.overrides(root)
		r.fill(reflect.ValueOf(cfg).Elem(), root, "", "")
		(&checker{reader: r, cfg: cfg}).all()
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int { return a.Line - b.Line })
	var errs []error
	for _, f := range r.faults {
		if !f.Warning {
			errs = append(errs, f)
		}
	}
	return cfg, r.faults, errors.Join(errs...)
}

// document parses the one YAML document and returns its mapping.
func (r *reader) document(b []byte) *yaml.Node {
	if len(b) > maxFile {
		r.fault("", "is larger than %d bytes", maxFile)
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	if err := d.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	if err := d.Decode(&second); err != nil && !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	} else if err == nil {
		r.fault("", "has more than one document; put everything into one")
		return nil
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return &yaml.Node{Kind: yaml.MappingNode}
	}
	return doc.Content[0]
}
