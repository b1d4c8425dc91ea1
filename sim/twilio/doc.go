// Package twilio is a pretend Twilio with the telephones behind it: calls and texts by its REST API,
// webhooks signed with its own code, and people who answer, press keys, write texts or sleep.
//
// It promises to be as strict as Twilio where that is known and stricter where it is not: an unknown
// field, a number that is none, a sender that is not ours and TwiML with anything but Say, Gather,
// Pause, Redirect, Hangup (Message in the answer to a text) are refused, and what Twilio could not
// know is entered with wire.Log.Unexpected. TwiML is asked for only once a call is answered. Calls
// start at one a second. A list filtered by StartTime or DateSent leaves out what has not started or
// was not sent yet, because such a call or text has no such time. Ending a call that is over is
// refused with 21220.
//
// # Phones
//
// Every Person has a phone. What it does by itself is a script, set by Service.Script, by
// {"do":"script","person":"ann","value":"..."} to POST /_act, or by Person.Script. A script is
// one or more clauses with commas between them:
//
//	(nothing)                    rings until somebody acts (Answer, Press, HangUp, Decline, Write)
//	answers                      picks up after a second, listens to the end, presses nothing; also "silent"
//	presses 4                    picks up and presses 4 when asked; also "answers and presses 4"
//	presses 7 then 4             7 at the first question, 4 at the second
//	presses 4 too late           hangs up when asked; the network reports the 4 two seconds later
//	voicemail                    a machine picks up after 12 s
//	busy, declines               the line is busy at once, or after a second
//	hangs up                     picks up and hangs up at once
//	sleeps                       nobody hears it ring
//	sleeps through call 2        the first two calls ring unheard, then the other clauses hold
//	dead                         calls fail (SIP 404), texts are undelivered (30005)
//	off                          rings unheard; texts are sent and never delivered
//	texts fail 30003             texts are undelivered with that code
//	quiet hours                  texts stay scheduled
//	replies CODE                 answers a text with the four digits after its word "code", each code once
//	replies next CODE            the same with words around it; without CODE, once to the first text
//	replies CODE twice           sends it two times
//	STOP                         the same as "replies STOP"
//
// "after 40s" behind a clause for calls or replies is how long the person waits first. So
// "sleeps through call 1, presses 7 then 4" is somebody whom the redial wakes. A scripted fault
// {vendor: "phone", method: "CALL" or "TEXT", match: number, answer: script} gives one call or text
// another fate than the phone's own script.
//
// # Faults
//
// Scripted faults (POST /_faults) with vendor "twilio" are those of the REST API: Refusal makes one for
// an error code; {status: 500, answer: "<html>..."} is an outage; {after: true, drop: true} creates and
// loses the answer; {after: true, delay_ms: 2000} lets callbacks come before the answer.
// Vendor "twilio.callback" strikes what Twilio sends (match is the path, body the form, for example
// "CallStatus=ringing"): {drop: true} loses it, {delay_ms: 3000} makes it late so that others overtake
// it, {after: true} sends it twice, {status: 502} loses the hub's answer.
//
// # Ledger
//
// Snapshot lists every call and text with its times, also under "twilio" of GET /_world.
// State.Live tells how many calls a phone had at the same time at most, State.To what went to a number.
//
// Waits are divided by Config.Speed; in a testing/synctest bubble they cost nothing. What may go wrong:
// Twilio's words for refusals and whole rows of its error table are not known, so messages are ours;
// speech takes 15 characters a second; the network has no roaming, no forwarding and one line a phone.
package twilio
