package config

import _ "embed"

//go:embed example.yaml
var example string

// Example is the manual of the file: every option with its default and when it is
// needed. It passes the check once the variables it names are set.
func Example() string { return example }
