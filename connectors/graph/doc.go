// Package graph does the hub's work at Microsoft Graph: lock accounts, revoke
// sessions, set passwords, find and move mail, read and disable inbox rules, enterprise
// apps and app registrations.
//
// It promises that every error is a *responsehub.Error whose sentence names what is
// missing and what to do, never the text of the service; that reads report the state in
// effect; that a write whose answer was lost is reported as UnknownOutcome and never
// repeated here; and that the hub stays within Graph's limits, with places reserved for
// the directory so that locking never waits behind mail.
//
// What may go wrong: directory reads lag behind writes by seconds; Deleted Items can be
// restored by the user; Graph shows no hidden inbox rules (package exchange does).
//
// The Microsoft SDK is used for its models and paths only. Its own pipeline is left out
// because it corrupts the bodies it sends a second time, sleeps without a limit, and
// loses the status of answers it cannot parse: https://github.com/microsoft/kiota-http-go/issues/183.
// An answer that is not a success never reaches the SDK, because the SDK's error type
// panics when its text is asked for and the body was empty.
package graph
