// Package config is the hub's one file: what may stand in it, and every fault of it.
//
// It promises that all faults are found at once, each with file, line and path, that
// a key it does not know is a fault and never silently ignored, and that no secret
// stands in any fault. A fault that only makes the hub less useful (a tenant that
// nobody is told about) is a warning.
//
// Texts may hold ${NAME} for a variable of the environment ($${ is a plain ${), and a
// secret may be file:/path, whose content counts without the line's end. Every single
// value of a section can be set by the environment instead, which wins:
// RESPONSEHUB_<SECTION>_<KEY>, for instance RESPONSEHUB_REDIS_PASSWORD or
// RESPONSEHUB_CONSOLE_OIDC_ISSUER; lists of texts are separated by commas.
//
// types.go is the single source: [Schema] is made from its fields, tags and comments,
// and a test holds [Example] against it.
package config
