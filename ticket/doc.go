// Package ticket keeps one PSA ticket in step with one incident.
//
// It promises one ticket for an incident and each note once, whatever answers are lost,
// and that nothing that happens to a ticket ever runs a step. What may go wrong outside
// (a PSA that is down, a board that moved, a ticket that was merged or deleted) is
// noted on the incident, tried again, and holds up nothing else.
package ticket
