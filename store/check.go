package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"responsehub/remediation"
)

// Grade is how a finding is to be taken.
type Grade string

// The grades. Weak may lose what was promised; Bad must not be worked on; Unknown is
// what this Redis does not let us read.
const (
	Good    Grade = "good"
	Weak    Grade = "weak"
	Bad     Grade = "bad"
	Unknown Grade = "unknown"
)

// Finding is what was found out about one thing that durability depends on.
type Finding struct {
	Name     string // "maxmemory-policy", "appendonly", "appendfsync", "partitions", "reachable"
	Grade    Grade
	Sentence string // what it means and what to do
}

// Check looks at how well this Redis keeps what it is given. It also fixes the number
// of partitions in a Redis that has none yet.
func (s *Store) Check(ctx context.Context) []Finding {
	nodes, err := masters(ctx, s.rdb)
	if err == nil {
		err = s.rdb.Ping(ctx).Err()
	}
	if err != nil {
		return []Finding{{"reachable", Bad, "Redis cannot be reached. Check its address, user and password: " + err.Error()}}
	}
	return append(settings(ctx, nodes), s.partitions(ctx))
}

// settings judges each setting by the worst node.
func settings(ctx context.Context, nodes []redis.Cmdable) []Finding {
	all := []Finding{
		{"maxmemory-policy", Good, "Redis refuses writes when its memory is full and never throws anything away."},
		{"appendonly", Good, "Redis writes a log, so a restart loses nothing it had written."},
		{"appendfsync", Good, "Redis puts every write on the disk before it answers."},
	}
	for _, n := range nodes {
		policy := setting(ctx, n, "maxmemory-policy", "memory", "maxmemory_policy")
		aof := setting(ctx, n, "appendonly", "persistence", "aof_enabled")
		fsync := setting(ctx, n, "appendfsync", "", "")
		worse(&all[0], policy, policy == "noeviction", Bad,
			"maxmemory-policy is "+policy+": a full Redis would throw incidents away. Set it to noeviction.")
		worse(&all[1], aof, aof == "yes" || aof == "1", Bad,
			"Redis writes no log (appendonly is off): a restart loses incidents. Set appendonly to yes.")
		worse(&all[2], fsync, fsync == "always", Weak,
			"appendfsync is "+fsync+": a power cut loses the last second or more of what was acknowledged. Set it to always.")
	}
	return all
}

// worse lowers a finding where a node gives cause; an unreadable setting weighs less
// than a bad one.
func worse(f *Finding, value string, ok bool, grade Grade, sentence string) {
	switch {
	case value == "" && f.Grade == Good:
		f.Grade = Unknown
		f.Sentence = f.Name + " cannot be read from this Redis. Make sure at its provider that it is as the manual says."
	case value != "" && !ok:
		f.Grade, f.Sentence = grade, sentence
	}
}

// setting reads CONFIG, which managed services often forbid, and else INFO. "" is unknown.
func setting(ctx context.Context, n redis.Cmdable, name, section, field string) string {
	if got, err := n.ConfigGet(ctx, name).Result(); err == nil && got[name] != "" {
		return got[name]
	}
	if section == "" {
		return ""
	}
	return info(ctx, n, section, field)
}

// info reads one field of INFO; "" where there is none.
func info(ctx context.Context, n redis.Cmdable, section, field string) string {
	got, err := n.Info(ctx, section).Result()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(got) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return v
		}
	}
	return ""
}

// partitions compares the stored number of partitions with ours, which decides where
// everything lies.
func (s *Store) partitions(ctx context.Context) Finding {
	ours := strconv.Itoa(remediation.Partitions)
	if err := s.rdb.SetNX(ctx, partitionsKey, ours, 0).Err(); err != nil {
		return Finding{"partitions", Unknown, "The number of partitions cannot be stored: " + err.Error()}
	}
	stored, err := s.rdb.Get(ctx, partitionsKey).Result()
	switch {
	case err != nil:
		return Finding{"partitions", Unknown, "The number of partitions cannot be read: " + err.Error()}
	case stored != ours:
		return Finding{"partitions", Bad, fmt.Sprintf("This Redis was filled by a hub with %.20q partitions, this one has %s. It must not run on it.", stored, ours)}
	}
	return Finding{"partitions", Good, "The number of partitions is the stored one."}
}

// RunID names the running Redis (on a Cluster, all its masters). When it changes after
// a reconnect, Redis was restarted or failed over and may have lost writes: the caller
// sweeps and looks at the outside world again. "" is unknown.
func (s *Store) RunID(ctx context.Context) (string, error) {
	if err := s.rdb.Ping(ctx).Err(); err != nil {
		return "", fmt.Errorf("store: read run id: %w", err)
	}
	nodes, err := masters(ctx, s.rdb)
	if err != nil {
		return "", fmt.Errorf("store: read run id: %w", err)
	}
	var ids []string
	for _, n := range nodes {
		if id := info(ctx, n, "server", "run_id"); id != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, ","), nil
}

// masters returns the node, or on a Cluster all its masters.
func masters(ctx context.Context, rdb redis.UniversalClient) ([]redis.Cmdable, error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		return []redis.Cmdable{rdb}, nil
	}
	var mu sync.Mutex
	var nodes []redis.Cmdable
	err := cluster.ForEachMaster(ctx, func(_ context.Context, n *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, n)
		return nil
	})
	if err == nil && len(nodes) == 0 {
		err = errors.New("the cluster has no masters")
	}
	return nodes, err
}
