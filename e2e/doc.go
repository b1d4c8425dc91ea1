// Package e2e holds the hub to its promises as stories: a simulated Microsoft and Teams
// on real sockets, a real redis-server that logs every write to disk, the real SDKs,
// and the hub as it is shipped. The file names are the list of guarantees.
//
// At the end of every story, whatever it was about, four things are compared: the
// vendors saw nothing they would not know; what cannot be repeated without harm
// happened once; what the hub claims is what the world is; every incident's record is
// unbroken. See truth_test.go.
//
// The stories need redis-server on the PATH. They run side by side and take about two
// minutes on two cores; `go test -run Name ./e2e` runs one.
package e2e
