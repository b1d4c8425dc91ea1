// Package halopsa is the service desk of HaloPSA.
//
// It promises that nothing is asked for twice that is not known to have failed: a create
// or note without an answer is an unknown outcome, which the caller looks up. Texts go to
// HaloPSA as HTML, so all of them are escaped: what an attacker wrote stays text. Changes
// are read back. What HaloPSA says about a refusal is passed on, without the hub's keys.
//
// What may go wrong: what a search covers differs between instances, so a ticket carries
// its reference in the title too and is looked for in both ways. What a ticket was opened
// with is read by the customer, so with internal notes the details follow in a hidden
// note right after. Priorities belong to the service level of the ticket's type.
package halopsa
