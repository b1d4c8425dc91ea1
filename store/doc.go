// Package store keeps the hub's state in Redis: incidents with their events, the lanes
// that work on them, the directory of tenants and people, and the limits of outside
// services. It satisfies remediation.Store and remediation.Archive on a standalone
// Redis, behind Sentinel and on a Cluster. It needs Redis 7.0 or later.
//
// It promises that each writing method is one Lua script in one hash slot: all of it
// happened or none of it. All times are compared by Redis's clock. Nothing depends on a
// key's expiry; an expiry only clears up what is over.
//
// What may go wrong: an error of the network leaves it open whether a write took
// place. Doing it again is safe, because an opening is recognised by the incident's id,
// a command by its command id, and a turn by its fence token. Redis itself may lose
// acknowledged writes on a power cut (unless appendfsync is always) or on a failover;
// Check says how well this one keeps its word.
//
// An incident, its events, its lanes, its ref and the index of its account share a
// slot; that works because an incident's id is chosen to fall into the partition of its
// account key. What lies in another slot (the marker of a delivery) decides nothing
// that could lose an alert.
package store
