// Package hook decides what outgoing webhooks and chats (Slack) are told about an
// incident, and when.
//
// It promises each webhook every event of the incident's record, in order, at least
// once, each time under the same id; each chat one message when the incident opens and
// one on whatever people should notice, what came together in one message. A destination
// that is away is tried with growing pauses for three days, and no other destination in
// another lane waits for it. What failed is on the incident and in its record.
//
// What may go wrong: a destination that answers 410 Gone, or that is away for longer,
// hears nothing more of that incident. The hub may die between a delivery and the note
// of it: the delivery then comes again under its id, a chat's message twice. The record
// names people and accounts: whoever owns the address reads them.
package hook
