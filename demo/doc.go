// Package demo runs the hub and a simulated outside world in one process, on loopback
// only: what `responsehub demo` shows.
//
// Redis is a child process on a unix socket when redis-server or valkey-server is on
// PATH; then incidents and the world they happened in survive a restart of the demo, of
// which a kill costs the world's last second at most. Otherwise a Redis in process is
// used, both are forgotten, and a line says so.
package demo
