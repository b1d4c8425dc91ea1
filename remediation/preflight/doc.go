// Package preflight looks, before an incident, whether the steps could work in a tenant:
// the consent, each permission and role of the hub's app, Exchange Online, the message
// trace, the channels in which people are told.
//
// It promises to read only, to say of each thing that is missing what it is called, how
// to grant it and which steps fail without it, and to keep what it found with its time.
// Nothing is allowed or refused because of it: what counts is what Microsoft answers
// when a step runs.
//
// What may go wrong: Microsoft or the network is away, then a check is unknown rather
// than missing; a right that was granted a moment ago shows in a new token only, which
// is why each look asks for one; a role given to the app takes minutes to be seen by
// Exchange Online.
package preflight
