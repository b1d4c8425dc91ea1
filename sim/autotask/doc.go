// Package autotask is a pretend Autotask: companies, queues, tickets with notes, and webhooks signed with
// its own code.
//
// It promises to be as strict as Autotask where that is known and stricter where it is not: three
// credential headers on every call but the zone lookup, 401 in the wrong zone, validation and missing
// permission answered with 500 and {"errors":[...]}, PATCH of the collection with the id in the body (there is
// no PATCH of one ticket), PUT that empties whatever it leaves out, picklist values that are strings in
// entityInformation and numbers on a ticket, three calls at once per endpoint, and 10,000 calls an hour for
// everybody together, slower from the half on. What Autotask would not know is refused and entered with
// wire.Log.Unexpected.
//
// In a World it stands below /autotask; its zone is World.URL() + "/autotask".
//
// # Acts
//
// Play knows the acts on tickets that package connectwise lists (boards are queues). An administrator's:
// desk_zone moves the database to the zone Value, desk_missing makes absent records answer 404 (Value
// "404") or {"item":null}, desk_used counts Value calls of other integrations in the present hour,
// desk_hooks switches the webhooks off (Value "on": on again) and posts the unsigned word of it, desk_rename gives a status "old=new"
// another name, desk_event posts an event that is "forged", "unsigned" (Deactivated without a signature), a
// "gap" in the sequence, a "duplicate" of the last one, or a "replay" of it.
//
// # Faults
//
// Scripted faults with vendor "autotask" are those of the API, "autotask.callback" those of what it posts.
//
// What may go wrong: the texts of most errors and of the notes that a merge leaves, and the answers beyond the limits (429
// here) are guesses.
package autotask

import "time"

// The vendor's limits.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/General_Topics/REST_Thresholds_Limits.htm
const (
	threads      = 3
	threshold    = 10_000
	frame        = time.Hour
	maxRecords   = 500
	maxFailures  = 25 // of events in a row, then the webhook is off
	hookAttempts = 5
	hookWait     = 30 * time.Second
	hookTimeout  = 10 * time.Second
)
