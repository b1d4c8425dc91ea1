// Package connectwise is the service desk of ConnectWise PSA (formerly Manage).
//
// It promises that nothing is asked for twice that is not known to have failed: a create
// or note without an answer is an unknown outcome, which the caller looks up. A status is
// set by its id on the board on which the ticket is now, as a whole object, and read back,
// because ConnectWise answers 200 to a change that it did not make. What ConnectWise says
// about a refusal is passed on, without the hub's keys.
//
// What may go wrong: an upgrade moves the address of the API, which is then read anew; a
// 404 that does not say which record is missing is taken for that, never for a deleted
// ticket. Events are verified with a key that is fetched from the configured site only.
package connectwise
