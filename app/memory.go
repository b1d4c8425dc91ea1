package app

import "os"

// room is how many bytes are allocated between two garbage collections at least. The
// hub's state is in Redis; what is alive in it is a few megabytes, and Go would collect
// dozens of times a second in a storm of alerts.
const room = 64 << 20

// ballast is counted as alive by the collector and never written, so that it takes up
// addresses and no memory. Unlike a higher GOGC it costs nothing where the heap is large.
var ballast []byte

// TuneMemory makes the collector of this process run seldom, for those that serve. It
// does nothing when GOGC is set: whoever sets it knows the machine.
func TuneMemory() {
	if os.Getenv("GOGC") == "" && ballast == nil {
		ballast = make([]byte, room)
	}
}
