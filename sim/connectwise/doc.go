// Package connectwise is a pretend ConnectWise PSA: companies, service boards, tickets with notes, and
// callbacks signed with its own code.
//
// It promises to be as strict as ConnectWise where that is known and stricter where it is not: Basic
// credentials and the clientId header on every call, the current codebase in the path, a board with a
// default team, statuses of the ticket's own board, summaries of 100 characters, notes with a flag. A
// PATCH of a nested path ("status/id") answers 200 and changes nothing, as the vendor's does. What the
// vendor would not know is refused and entered with wire.Log.Unexpected.
//
// In a World it stands below /connectwise, on the plain listener and, because its clients insist on
// TLS, on the sign-in listener too: https://host:port/connectwise, certificate by World.CAFile. The
// addresses of callback keys are of the second kind.
//
// # Acts
//
// Play is what a technician does: ticket_close, ticket_reopen, ticket_status (Value names it), ticket_assign,
// ticket_note (Text; Value "public" shows it to the customer), ticket_merge (Value is the other ticket's id),
// ticket_board (Value names it), ticket_title (Text), ticket_delete. And what an administrator or somebody
// hostile does: desk_codebase moves to the codebase Value, desk_keys signs with a new key, desk_hooks
// switches the callbacks off (Value "on": on again), desk_rename gives the status "old=new" another name,
// desk_event posts an event that is "forged", "elsewhere" (its key stands on another host), "reordered" after
// signing, or a "replay" of the last one, and returns the hub's answer.
//
// # Faults
//
// Scripted faults with vendor "connectwise" are those of the API, "connectwise.callback" those of what it
// posts: {after: true, drop: true} creates and loses the answer, {status: 429, header: {Retry-After: 30}} is
// the limit. An event that the hub answers with anything but 404, 409, 419 and 429 is never posted again.
//
// What may go wrong: the words of 401 and 403, whether unknown fields are refused, and what isSelfSuppressedFlag
// does are not documented and are guesses.
package connectwise

// The vendor's limits.
// https://github.com/covenanttechnologysolutions/connectwise-rest carries its description.
const (
	maxSummary     = 100
	maxPage        = 1000
	defaultPage    = 25
	maxDescription = 100 // of a callback
)
