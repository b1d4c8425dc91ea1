// Package steps does the steps' work outside the hub: lock, retract, disable
// persistence, reset the password, re-enable.
//
// Each step is a follower of its lane. A turn looks at the incident, does the part of
// the work that is still missing, reads the effect back and settles. It can be killed
// at any point and run again: effects are idempotent, or the intent is saved before
// and the outcome read back before it is repeated. Done means read back from
// Microsoft; until then a step is sent.
//
// The interfaces here say what the steps need of the outside; packages in connectors
// satisfy them.
package steps
