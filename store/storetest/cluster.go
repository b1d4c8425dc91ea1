package storetest

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub/store"
)

// Cluster starts a Redis Cluster of three masters and returns a client of it.
func Cluster(t testing.TB) redis.UniversalClient {
	t.Helper()
	const nodes, slots = 3, 16384
	var addrs, buses []string
	var clients []*redis.Client
	for range nodes {
		data, bus := port(t), port(t)
		s := start(t, folder(t), "127.0.0.1:"+data, "--bind", "127.0.0.1", "--port", data, "--cluster-enabled", "yes",
			"--cluster-port", bus, "--cluster-node-timeout", "5000", "--appendonly", "yes", "--appendfsync", "always")
		addrs, buses = append(addrs, s.Addr), append(buses, bus)
		c := redis.NewClient(&redis.Options{Addr: s.Addr})
		t.Cleanup(func() { _ = c.Close() })
		clients = append(clients, c)
	}
	ctx := t.Context()
	for i, c := range clients {
		must(t, c.ClusterAddSlotsRange(ctx, i*slots/nodes, (i+1)*slots/nodes-1).Err())
		if i > 0 {
			host, data, _ := strings.Cut(addrs[0], ":")
			must(t, c.Do(ctx, "CLUSTER", "MEET", host, data, buses[0]).Err())
		}
	}
	for _, c := range clients {
		within(t, "the cluster is whole", func() bool {
			info, err := c.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(nodes))
		})
	}
	rdb := open(t, store.Config{Addrs: addrs, Cluster: true})
	within(t, "the cluster takes writes", func() bool { return rdb.Ping(ctx).Err() == nil })
	return rdb
}

// Sentinels is a master with a replica, watched by one Sentinel.
type Sentinels struct {
	Addr    string // of the Sentinel
	Name    string // of the master
	Master  *Server
	Replica *Server
}

// Sentinel starts a master, its replica and a Sentinel that promotes the replica one
// second after the master is gone.
func Sentinel(t testing.TB) *Sentinels {
	t.Helper()
	server := func(args ...string) *Server {
		p := port(t)
		return start(t, folder(t), "127.0.0.1:"+p, append([]string{"--bind", "127.0.0.1", "--port", p, "--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"}, args...)...)
	}
	s := &Sentinels{Name: "hub", Master: server()}
	host, masterPort, _ := strings.Cut(s.Master.Addr, ":")
	s.Replica = server("--replicaof", host+" "+masterPort)

	replica := s.Replica.Client()
	within(t, "the replica follows", func() bool {
		info, err := replica.Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	dir, p := folder(t), port(t)
	file := filepath.Join(dir, "sentinel.conf")
	conf := strings.Join([]string{
		"bind 127.0.0.1", "port " + p,
		"sentinel monitor hub " + host + " " + masterPort + " 1",
		"sentinel down-after-milliseconds hub 1000", "sentinel failover-timeout hub 5000", "",
	}, "\n")
	must(t, os.WriteFile(file, []byte(conf), 0o600))
	watcher := &Server{Addr: "127.0.0.1:" + p, t: t, dir: dir, args: []string{file, "--sentinel"}}
	watcher.Restart()
	t.Cleanup(watcher.Kill)
	s.Addr = watcher.Addr

	c := redis.NewSentinelClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { _ = c.Close() })
	within(t, "the Sentinel knows the replica", func() bool {
		found, err := c.Replicas(t.Context(), s.Name).Result()
		return err == nil && len(found) == 1 && found[0]["master-link-status"] == "ok"
	})
	return s
}

// Client returns a new client that asks the Sentinel for the master.
func (s *Sentinels) Client(t testing.TB) redis.UniversalClient {
	t.Helper()
	return open(t, store.Config{Addrs: []string{s.Addr}, MasterName: s.Name})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// within waits up to twenty seconds for something outside the process.
func within(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited twenty seconds until %s", what)
		case <-time.After(25 * time.Millisecond):
		}
	}
}
