// Package receiver is where outgoing webhooks end: an endpoint that verifies Standard Webhooks by
// the book, and a Slack workspace with incoming webhooks.
//
// It promises to refuse what a careful receiver refuses: what is not signed with a secret it was
// given (Trust), what is older or newer than five minutes, what is no JSON of the usual shape, the
// same id with another body. A copy of what it has is taken and counted, and is no second event.
// Slack refuses what Slack refuses, in Slack's words: invalid_payload, no_text, invalid_blocks,
// no_service, and 429 with Retry-After to whoever posts faster than a message a second. The check of
// the signature is written from the specification and shares nothing with whoever signs:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
//
// Scripted faults have vendor "receiver" or "slack" and match on the path, such as
// {vendor: "receiver", match: "/hook/siem", status: 410}; {status: 302, header: {Location: ...}}
// redirects, {delay_ms: 60000} hangs, {after: true, drop: true} takes it and loses the answer.
// Whoever follows a redirect to /receiver/elsewhere is found out in "unexpected".
//
// What may go wrong: a secret that was rotated has to be given again; the old one stays good until
// Trust names the new one alone.
package receiver
