// Package twilio calls and texts through Twilio, and answers what Twilio asks.
//
// It promises that a request is never made twice by itself; that an error says whether
// the request was certainly not carried out, was refused for good, or may have been
// carried out; that not more requests leave per second than the sender bears, the most
// severe first; and that nothing reaches the [oncall.Switchboard] that is not signed by
// one of the account's tokens for exactly this address and these values, and meant for
// this account. Twilio has its answer within 15 seconds, whatever the hub is doing.
//
// What may go wrong: a signed request can be caught and sent again for ever, since
// Twilio's signature holds no time. So answers are remembered for a week, and a
// repetition gets the same answer without having an effect. Reports come late, doubled,
// in any order or not at all; whoever takes them must only move forward.
//
// Only the client and the models of Twilio's SDK are used: its check of signatures
// rebuilds addresses, its TwiML has a new order of attributes each time, and its base
// address and region come from the environment.
package twilio
