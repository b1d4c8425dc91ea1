// Package petra asks Petra Security what it found, for the case that one of its webhooks
// never arrives.
//
// It only reads: GET /v1/incidents, one request each time it is asked. Petra takes ten
// requests a minute; how often to ask is for the caller to keep. What it lists has no
// evidence, phish or persistence, which only the webhook brings; the hub's own scan finds
// what is there.
//
// What may go wrong: the key was deleted (Unauthorized, with where to make a new one);
// too many requests (Throttled, with when to come back); an incident without an account
// or with a broken time is returned with its fault, and the others with it.
//
// See https://docs.petrasecurity.com/api-reference/introduction
package petra
