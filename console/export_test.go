package console

import (
	"maps"
	"slices"
)

// Patterns are the methods and paths of all pages for people who signed in.
func (c *Console) Patterns() []string { return slices.Sorted(maps.Keys(c.table())) }
