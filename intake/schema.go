package intake

import (
	_ "embed"
	"slices"
)

//go:embed alert.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of the native alert.
func Schema() []byte { return slices.Clone(schema) }
