// Package intake is the door for alerts: it takes what detectors post, makes sure
// who sent it and that it can be used, and hands it to the hub.
//
// It promises that nothing is answered with success before the hub has the alert for
// good, that a message is believed only with a valid signature or token, and that
// whatever a stranger sends costs a bounded amount of memory and time: at most one
// mebibyte read within ten seconds, nothing unpacked, nesting and numbers limited,
// mappings stopped after 200 ms.
//
// A sender gets an incident back (202 when it is new, 200 when it was known) or a
// problem document (RFC 9457) with a JSON pointer to the field at fault. 401 says no
// more than that; the reason is in the log. 503 carries Retry-After: senders repeat,
// and a repeated message is recognised by its webhook-id.
//
// [Poll] asks detectors that have an API what they found, for messages that never
// arrived. What it finds goes the same way and is known by the same id.
//
// What it does not decide: whether the tenant is known, whether the alert belongs to
// an open incident, who is told. That is the engine's business; an alert for an
// unknown tenant is accepted here like any other.
package intake
