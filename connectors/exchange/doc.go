// Package exchange does what Microsoft Graph cannot at Exchange Online: hidden inbox
// rules, inbound connectors and mailbox forwarding.
//
// It speaks the REST surface on which Microsoft's own PowerShell module runs its
// cmdlets. That surface is not documented as an API, so that everything about it is kept
// in this package, and a tenant where it is missing or not permitted is told apart from
// a tenant that is clean: nothing here ever turns "could not be read" into "not there".
//
// It promises errors with sentences for people, reads of the state in effect, at most
// two requests at a time per tenant, and that connectors of a hybrid set-up and Outlook's
// own rules (junk mail, automatic replies, delegates) are guarded.
//
// What may go wrong: Exchange is slow, up to a minute for a cmdlet; a role given to the
// app takes minutes to be seen; and changing any inbox rule here removes the rules that
// only exist in the user's Outlook. Visible rules are therefore left to package graph.
package exchange
