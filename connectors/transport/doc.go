// Package transport is how the hub behaves towards every HTTP service it calls.
//
// It promises: a deadline on every request, the answer's body included; no redirects;
// an answer never larger than the cap; the proxy of the environment and the operator's
// extra trust roots; one connection pool per [Transport], wide enough for a fan-out
// over many mailboxes; and errors that tell a request that was certainly not carried
// out from one whose outcome nobody knows.
//
// It does not retry: only the caller knows whether a request may be repeated.
// [Retryable] says whether a repetition can help and how long to wait, and [Limiter]
// keeps the whole process within what a destination bears.
//
// Texts of errors never contain a path, a query, a header or a body: chat webhooks
// carry their secret in the path, and bodies carry passwords.
package transport
