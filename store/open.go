package store

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"responsehub"
	"responsehub/remediation"
)

// Config says where Redis is.
type Config struct {
	// Addrs are host:port addresses: one Redis, the Sentinels, or some nodes of a
	// Cluster. A single unix:///path is a socket on this machine. None is an error.
	Addrs []string
	// MasterName makes Addrs Sentinels that know this master; "" is no Sentinel.
	MasterName string
	// Cluster makes Addrs nodes of a Redis Cluster.
	Cluster bool
	// Username is the ACL user; "" is Redis's default user.
	Username string
	// Password of the user; "" is none.
	Password responsehub.Secret
	// TLS encrypts connections and checks the server's certificate.
	TLS bool
}

// commands is how many connections are kept for commands, besides those that wait for
// the partitions' bells: enough that appendfsync always costs nearly nothing, because
// Redis writes the log once for all that came in together.
const commands = 64

func (c Config) validate() error {
	var faults []error
	if len(c.Addrs) == 0 {
		faults = append(faults, errors.New("redis: no address is given"))
	}
	if c.Cluster && c.MasterName != "" {
		faults = append(faults, errors.New("redis: a cluster has no Sentinel master name; give one of the two"))
	}
	if len(c.Addrs) > 1 && !c.Cluster && c.MasterName == "" {
		faults = append(faults, errors.New("redis: several addresses need cluster or the Sentinel master name"))
	}
	for _, a := range c.Addrs {
		if strings.HasPrefix(a, UnixPrefix) && (len(c.Addrs) > 1 || c.Cluster || c.MasterName != "" || c.TLS) {
			faults = append(faults, errors.New("redis: a unix socket is a single Redis without TLS"))
		}
	}
	return errors.Join(faults...)
}

// UnixPrefix marks the address of a socket on this machine.
const UnixPrefix = "unix://"

// Open returns a client for the configuration; it does not connect yet. Each process
// needs up to 80 connections to each Redis: 64 for commands and 16 that wait for bells.
func Open(c Config) (redis.UniversalClient, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	// The library writes a line of plain text for each of the 80 connections that cannot be
	// made, several times a second, between our structured ones. Every such error is
	// returned to us too, and logged once where it matters.
	logging.Disable()
	addrs := make([]string, len(c.Addrs))
	for i, a := range c.Addrs {
		addrs[i] = strings.TrimPrefix(a, UnixPrefix) // a path is dialled as a socket
	}
	o := &redis.UniversalOptions{
		Addrs:         addrs,
		MasterName:    c.MasterName,
		IsClusterMode: c.Cluster,
		ClientName:    "responsehub",
		Username:      c.Username,
		Password:      string(c.Password),
		PoolSize:      commands + remediation.Partitions,
		// Nothing here needs the third protocol, whose push messages cost a look before
		// every answer.
		Protocol: 2,
		// Otherwise a deadline would not end a read, and a heartbeat would outlive its lease.
		ContextTimeoutEnabled: true,
		// A feature of Redis Enterprise; elsewhere it is one refused command per connection.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if c.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return redis.NewUniversalClient(o), nil
}
