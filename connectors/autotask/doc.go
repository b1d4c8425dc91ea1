// Package autotask is the service desk of Datto Autotask PSA.
//
// It promises that nothing is asked for twice that is not known to have failed: Autotask
// has no key against doubles, so a create or note without an answer is an unknown outcome,
// which the caller looks up. An answer of 500 with Autotask's own words is a refusal and
// is passed on as such; only one without them is an unknown outcome. The hub's keys go to
// the zone that Autotask names, never to another host, and into no error.
//
// It keeps within what the whole database of a customer is allowed: two calls at once to
// one kind of record, and a budget of calls an hour that all replicas share. The budget
// shrinks as all integrations together use up what is allowed: from half of it on the hub
// makes fewer calls, from three quarters on it compares no tickets and looks at no
// webhooks, and near the end it waits. A visit to a ticket is paid for as a whole, so
// that no ticket is left half made.
//
// What may go wrong: statuses, queues and note types are numbers that mean something else
// at every customer, so they are read by their labels once an hour. That a ticket was
// merged only a note of Autotask's own tells, so one that went into a ticket which the API
// user may not see looks closed. In a description everybody reads along, so with internal
// notes the details follow in a note right after the ticket is made.
package autotask
