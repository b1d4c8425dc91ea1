// Package remediation is the engine: the one door through which every step is asked
// for, and the loop that brings the outside world to what the incidents say.
//
// It promises:
//
//  1. Once a call returned without an error, the incident, its events and the wake-up
//     of its followers exist together; otherwise none of them does.
//  2. Every lane that a write woke is visited at least once after that write, or
//     stands among the dead lanes, where people see it and can start it again.
//  3. One holder per lane at a time, by Redis's clock; a holder that lost its lease
//     cannot write any more.
//  4. A killed worker's lane starts elsewhere within one lease, a stopped one's at once.
//  5. The same command id twice has the effect of once and gets the first answer again.
//
// It does not promise that an effect outside happens once: a worker may die between
// the effect and the write that settles it. Steps are therefore idempotent, or save
// their intent first and read back before they repeat it.
package remediation
