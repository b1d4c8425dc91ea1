// Package conformance holds what the hub and the simulated vendors say to each other
// against the vendors' own descriptions.
//
// Its tests play whole incidents and check every request that the connectors and the bot
// sent, every answer that the simulators gave, and every card that was posted. They run
// with the build tag conformance only (`make conformance`), because the descriptions
// are not part of this repository: RESPONSEHUB_VENDOR names their folder.
//
// What may go wrong: the descriptions are trimmed and partly wrong themselves. Where the
// vendor's service is known to do otherwise than its description says, the deviation
// stands in one table with the reason; an entry that nothing needs any more fails the test.
package conformance
