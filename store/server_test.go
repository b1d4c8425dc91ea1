package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestKilledRedis kills Redis while incidents are opened: whatever was acknowledged is
// there afterwards, with its events and its lanes.
func TestKilledRedis(t *testing.T) {
	t.Parallel()
	server := storetest.Redis(t)
	s := store.New(server.Client())
	before, err := s.RunID(t.Context())
	if err != nil || before == "" {
		t.Fatalf("the run id should be known, got %q, %v", before, err)
	}
	var mu sync.Mutex
	var acknowledged []string
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				c := opening(fmt.Sprintf("t|%d.%d", w, i))
				if done, err := s.Commit(ctx, c); err == nil && done.Version == 1 {
					mu.Lock()
					acknowledged = append(acknowledged, c.ID)
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	server.Kill()
	time.Sleep(100 * time.Millisecond)
	server.Restart()
	time.Sleep(300 * time.Millisecond)
	stop()
	wg.Wait()

	after, err := s.RunID(t.Context())
	if err != nil || after == before {
		t.Errorf("the run id should differ after a restart, got %q, %v", after, err)
	}
	want := map[string]bool{}
	for _, id := range acknowledged {
		st, err := s.Load(t.Context(), id, "")
		if err != nil || st.Version < 1 {
			t.Fatalf("incident %s was acknowledged and is gone: %v", id, err)
		}
		if events, _, err := s.Events(t.Context(), id); err != nil || len(events) != 1 {
			t.Fatalf("incident %s should have one event, got %d, %v", id, len(events), err)
		}
		want[id] = true
	}
	for p := range remediation.Partitions {
		for {
			claims, _, err := s.Claim(t.Context(), p, 500, false, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) == 0 {
				break
			}
			for _, c := range claims {
				delete(want, c.State.ID)
			}
		}
	}
	if len(acknowledged) == 0 || len(want) > 0 {
		t.Errorf("of %d acknowledged incidents %d have lost their lane", len(acknowledged), len(want))
	}
	t.Logf("%d incidents acknowledged around the kill, none lost", len(acknowledged))
}

// TestSentinelFailover kills the master: the client finds the promoted replica and
// writes go on.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	sentinels := storetest.Sentinel(t)
	s := store.New(sentinels.Client(t))
	c := opening("t|a")
	if _, err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replica has the incident", func() bool {
		n, err := sentinels.Replica.Client().Exists(t.Context(), fmt.Sprintf("{h%02d}:inc:%s", remediation.Partition(c.ID), c.ID)).Result()
		return err == nil && n == 1
	})
	sentinels.Master.Kill()
	other := opening("t|b")
	eventually(t, "the promoted replica takes writes", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Commit(ctx, other)
		return err == nil
	})
	if _, err := s.Load(t.Context(), c.ID, ""); err != nil {
		t.Errorf("the incident from before the failover should be there: %v", err)
	}
}

// TestOneHolder lets many workers work one lane at once, with leases that run out: no
// two of them ever hold it together, and no wake-up is lost.
func TestOneHolder(t *testing.T) {
	t.Parallel()
	rdb := storetest.Redis(t).Client()
	s := store.New(rdb)
	c := opening("t|a")
	if _, err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	p := remediation.Partition(c.ID)
	const writes = 200
	var wg sync.WaitGroup
	var seen sync.Map // version -> true: the versions that some turn saw
	ctx, stop := context.WithCancel(t.Context())
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				claims, _, err := s.Claim(t.Context(), p, 1, false, 50*time.Millisecond)
				if err != nil {
					t.Error(err)
					return
				}
				for _, cl := range claims {
					err := s.Settle(t.Context(), remediation.Settlement{Claim: cl, Then: remediation.ThenDone})
					if err == nil {
						seen.Store(cl.State.Version, true)
					} else if !errors.Is(err, remediation.ErrStale) {
						t.Error(err)
					}
				}
			}
		})
	}
	for i := range writes {
		w := remediation.Commit{ID: c.ID, Version: int64(i + 1), Doc: []byte("x"), Seq: 1, Head: "h", Wake: c.Wake}
		if _, err := s.Commit(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a turn saw the last version", func() bool {
		_, ok := seen.Load(int64(writes + 1))
		return ok
	})
	stop()
	wg.Wait()
}

func TestCheckFindsWeakness(t *testing.T) {
	t.Parallel()
	rdb := storetest.Redis(t).Client()
	s := store.New(rdb)
	grades := func() map[string]store.Grade {
		got := map[string]store.Grade{}
		for _, f := range s.Check(t.Context()) {
			got[f.Name] = f.Grade
		}
		return got
	}
	want := map[string]store.Grade{"maxmemory-policy": store.Good, "appendonly": store.Good, "appendfsync": store.Good, "partitions": store.Good}
	if diff := cmp.Diff(want, grades()); diff != "" {
		t.Errorf("a durable Redis (-want +got):\n%s", diff)
	}
	for name, value := range map[string]string{"maxmemory-policy": "allkeys-lru", "appendonly": "no", "appendfsync": "everysec"} {
		if err := rdb.ConfigSet(t.Context(), name, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	want = map[string]store.Grade{"maxmemory-policy": store.Bad, "appendonly": store.Bad, "appendfsync": store.Weak, "partitions": store.Good}
	if diff := cmp.Diff(want, grades()); diff != "" {
		t.Errorf("a forgetful Redis (-want +got):\n%s", diff)
	}
}

// Managed services forbid CONFIG; then INFO tells two of the three.
func TestCheckWithoutConfig(t *testing.T) {
	t.Parallel()
	server := storetest.Redis(t)
	admin := server.Client()
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "hub", "on", ">pw", "~*", "&*", "+@all", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	rdb, err := store.Open(store.Config{Addrs: []string{server.Addr}, Username: "hub", Password: "pw"})
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	want := map[string]store.Grade{"maxmemory-policy": store.Good, "appendonly": store.Good, "appendfsync": store.Unknown, "partitions": store.Good}
	got := map[string]store.Grade{}
	for _, f := range store.New(rdb).Check(t.Context()) {
		got[f.Name] = f.Grade
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grades (-want +got):\n%s", diff)
	}
}

func TestCheckUnreachable(t *testing.T) {
	t.Parallel()
	server := storetest.Redis(t)
	rdb, err := store.Open(store.Config{Addrs: []string{server.Addr}, Username: "hub", Password: "a secret password"})
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	got := store.New(rdb).Check(t.Context())
	if len(got) != 1 || got[0].Grade != store.Bad || got[0].Name != "reachable" {
		t.Errorf("a Redis that refuses the password cannot be reached, got %+v", got)
	}
	if strings.Contains(fmt.Sprint(got), "secret") {
		t.Errorf("a finding must not show the password: %v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name   string
		config store.Config
	}{
		{"no address", store.Config{}},
		{"several addresses and no word on what they are", store.Config{Addrs: []string{"a:1", "b:1"}}},
		{"cluster and Sentinel", store.Config{Addrs: []string{"a:1"}, Cluster: true, MasterName: "m"}},
		{"a socket with TLS", store.Config{Addrs: []string{"unix:///s"}, TLS: true}},
		{"a socket of a cluster", store.Config{Addrs: []string{"unix:///s"}, Cluster: true}},
	}
	for _, tt := range tests {
		tt.config.Password = "a secret password"
		if rdb, err := store.Open(tt.config); err == nil {
			rdb.Close()
			t.Errorf("%s: should be refused", tt.name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", tt.name, err)
		}
	}
}

// opening is the first write of an incident, with one event and one lane.
func opening(account string) remediation.Commit {
	id := remediation.NewID(account, time.Now())
	return remediation.Commit{
		ID: id, Doc: []byte("doc"), Events: [][]byte{[]byte("event")}, Seq: 1, Head: "h",
		Wake:    []remediation.Wake{{Lane: responsehub.LaneTeams}},
		Index:   remediation.Index{Tenant: "t", State: responsehub.Unpublished, OpenedAt: time.Now(), Account: account},
		Opening: &remediation.Opening{Ref: remediation.NewRef(remediation.Partition(id), 8), Alert: "s|" + account},
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited twenty seconds until %s", what)
		}
	}
}
