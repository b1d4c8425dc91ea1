// Package smtp is a pretend mail server with the mailboxes behind it.
//
// It promises to be as strict as the servers out there: it offers AUTH only on a TLS connection and
// takes mail only after it, from the one address the account may send as; it refuses unknown users
// (addresses that begin with "nobody": 550 5.1.1), full mailboxes ("full": 452 4.2.2), mails that are
// too large (552), with bare line feeds, lines over 998 characters, 8-bit headers, or without From,
// Date, To and Message-ID. What it took it shows in Snapshot, sorted into threads by In-Reply-To and
// References as mail programs do, and what it refused with the answer it gave.
//
// Scripted faults have vendor "smtp", method AUTH, MAIL, RCPT or DATA, match on the address (of
// RCPT the recipient, otherwise the sender) and body on the mail: {method: "RCPT", status: 452} refuses,
// 421 closes the connection too, {method: "DATA", after: true, drop: true} takes the mail and loses the
// answer, {delay_ms: 3000} is slow.
//
// What may go wrong: nothing is forwarded anywhere, no bounce is sent for a mail once taken, and
// signatures (DKIM) are not looked at.
package smtp
