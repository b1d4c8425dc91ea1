// Package crashtest proves by force what package remediation promises. It holds nothing
// but tests.
//
// The tests start real workers: the test's own binary runs itself again, opens an
// engine on a real Redis and follows four lanes. Workers are killed with SIGKILL at
// random and at named points (before an effect, between an effect and the write that
// settles it, after that write), are frozen past their lease, and lose Redis under
// their feet. What they do to the outside world is written down by the test's process,
// which survives them all. Afterwards the two are compared: no effect may be missing or
// out of order, no lane lost, no event chain broken, no command have worked twice.
//
// An effect may be done twice, since a worker can die between the effect and the write
// that settles it. That is counted, and must not happen on the lane whose follower
// saves its intent and reads back before it repeats.
//
// Controls show that the checks can fail: a follower that settles before its effect
// must be caught.
package crashtest
