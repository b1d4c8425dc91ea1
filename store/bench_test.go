package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// BenchmarkTurn is one write that wakes a lane, its claim and its settlement, on a Redis
// that puts every write on the disk first.
func BenchmarkTurn(b *testing.B) {
	s := store.New(storetest.Redis(b).Client())
	c := opening("t|a")
	c.Doc = []byte(strings.Repeat("x", 6000))
	if _, err := s.Commit(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	version := int64(1)
	for b.Loop() {
		claims, _, err := s.Claim(b.Context(), remediation.Partition(c.ID), 16, false, time.Minute)
		if err != nil || len(claims) != 1 {
			b.Fatalf("one lane should be due, got %d, %v", len(claims), err)
		}
		w := remediation.Commit{ID: c.ID, Version: version, Doc: c.Doc, Seq: 1, Head: "h"}
		if err := s.Settle(b.Context(), remediation.Settlement{Claim: claims[0], Write: &w, Then: remediation.ThenDone}); err != nil {
			b.Fatal(err)
		}
		w.Version, w.Wake = version+1, c.Wake
		if _, err := s.Commit(b.Context(), w); err != nil {
			b.Fatal(err)
		}
		version += 2
	}
}

// BenchmarkClosed reports how much of Redis's memory a closed incident keeps besides
// its document (2 kB here) and its twelve events (300 bytes each).
func BenchmarkClosed(b *testing.B) {
	rdb := storetest.Redis(b).Client()
	s := store.New(rdb)
	used := func() int64 {
		info, err := rdb.Info(b.Context(), "memory").Result()
		if err != nil {
			b.Fatal(err)
		}
		var n int64
		for line := range strings.Lines(info) {
			if v, ok := strings.CutPrefix(line, "used_memory_dataset:"); ok {
				if _, err := fmt.Sscan(v, &n); err != nil {
					b.Fatal(err)
				}
			}
		}
		return n
	}
	before, n := used(), 0
	for b.Loop() {
		n++
		c := opening(fmt.Sprintf("t|%d", n))
		c.Doc, c.Events, c.Seq = []byte(strings.Repeat("x", 2000)), nil, 12
		for range 12 {
			c.Events = append(c.Events, []byte(strings.Repeat("e", 300)))
		}
		if _, err := s.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
		claims, _, err := s.Claim(b.Context(), remediation.Partition(c.ID), 16, false, time.Minute)
		if err != nil || len(claims) != 1 {
			b.Fatalf("one lane should be due, got %d, %v", len(claims), err)
		}
		w := remediation.Commit{ID: c.ID, Version: 1, Doc: c.Doc, Seq: 12, Head: "h", Index: c.Index}
		w.Index.State, w.Index.Was, w.Index.Closed = responsehub.Remediated, responsehub.Unpublished, true
		if err := s.Settle(b.Context(), remediation.Settlement{Claim: claims[0], Write: &w, Then: remediation.ThenDone}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(used()-before)/float64(n)-2000-12*300, "bytes-kept/op")
}
