// Package audit proves what was done: that a record is whole and unbroken, that the
// stored state is what the record says, and that an exported bundle was made by the hub
// and not changed since.
//
// It promises that one changed, missing or added byte is found and named. What it cannot
// know is what the hub never wrote; and a bundle proves who made it only to somebody who
// has the hub's public key from elsewhere.
package audit
