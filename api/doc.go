// Package api is the door for programs: /v1/... with an API key, and /openapi.json.
//
// It promises that a program is held to the same rules as a person who presses a
// button: every request goes through the engine with the key's actor, and a shut gate
// answers with the sentence that the card shows. It verifies who asks, decodes, calls
// and answers; it decides nothing. Faults of the client are 4xx as problem+json with a
// JSON pointer where one field is to blame; what may work later is 503 with
// Retry-After. No answer but the reveal of a one-time password holds a secret, and that
// one works once and for nobody but the key that asked for the reset.
//
// The table in routes.go is the only list of what there is: the routes, the decoding of
// bodies, the check of query parameters and the OpenAPI document are all made from it
// and from the types in wire.go, so they cannot drift apart.
package api
