// Package oncall decides who is called and texted about an incident, when, and until
// somebody answers.
//
// It promises that paging goes on until a person acknowledges, that an acknowledgement
// anywhere ends it, and that nobody counts as reached who did not press a key or send a
// right code. What may go wrong outside (a number that is dead, a provider that is down,
// an answer that is lost) is an attempt with a reason, seen by people, and the next way
// or person is tried.
package oncall
