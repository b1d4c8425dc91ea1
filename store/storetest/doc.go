// Package storetest proves that a Redis and the store on it keep the store's promises,
// and starts the Redis to prove it on: in process (Mini), as a child process (Redis), as
// a Cluster of three (Cluster) and as a master with replica and Sentinel (Sentinel).
//
// What a starter starts listens on a socket in a temporary folder or on 127.0.0.1 and
// ends with the test. Without a redis-server on the PATH the test fails: a suite that
// skips proves nothing.
package storetest
