package store

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"responsehub"
)

// TestReadiness: the last look counts, and what cannot be read counts as none.
func TestReadiness(t *testing.T) {
	mini := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: mini.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	s, ctx := New(rdb), context.Background()
	look := func(id string, n int) responsehub.Readiness {
		return responsehub.Readiness{V: 1, Tenant: responsehub.TenantRef{ID: id}, At: time.Date(2026, 11, 23, 9, n, 0, 0, time.UTC),
			Checks: []responsehub.Check{{Name: "consent", Grade: responsehub.CheckOK, Sentence: "It is there."}}}
	}
	for _, r := range []responsehub.Readiness{look("t1", 1), look("t1", 2), look("t2", 3)} {
		if err := s.KeepReadiness(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	mini.HSet(readinessKey, "t3", "not JSON", "t4", `{"v":2}`)
	got, err := s.Readiness(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]responsehub.Readiness{"t1": look("t1", 2), "t2": look("t2", 3)}, got); d != "" {
		t.Error(d)
	}
}
