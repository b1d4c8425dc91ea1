// Package demo runs the hub and a simulated outside world in one process, on loopback
// only: what `responsehub demo` shows.
//
// Redis is a child process on a unix socket when redis-server or valkey-server is on
// PATH; then incidents survive a restart of the demo. Otherwise a Redis in process is
// used, which forgets everything, and a line says so.
package demo
