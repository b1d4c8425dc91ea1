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

// TestSignIns: a renewal replaces what it was made from and never somebody's newer one.
func TestSignIns(t *testing.T) {
	mini := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: mini.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	s, ctx := New(rdb), context.Background()
	in := func(minute int, box string) responsehub.SignIn {
		at := time.Date(2026, 11, 23, 9, minute, 0, 0, time.UTC)
		return responsehub.SignIn{V: 1, Tenant: "t1", Who: "ann@contoso.example", At: at, Used: at, Box: []byte(box)}
	}
	want := func(what string, want responsehub.SignIn, there bool) {
		t.Helper()
		got, ok, err := s.SignIn(ctx, "t1")
		if d := cmp.Diff(want, got); err != nil || ok != there || d != "" {
			t.Errorf("%s: %v, %v\n%s", what, ok, err, d)
		}
	}
	want("none", responsehub.SignIn{}, false)
	if err := s.PutSignIn(ctx, in(1, "a")); err != nil {
		t.Fatal(err)
	}
	want("put", in(1, "a"), true)
	if err := s.RenewSignIn(ctx, in(1, "a"), in(1, "b")); err != nil {
		t.Fatal(err)
	}
	want("renewed", in(1, "b"), true)
	if err := s.PutSignIn(ctx, in(2, "c")); err != nil {
		t.Fatal(err)
	}
	if err := s.RenewSignIn(ctx, in(1, "b"), in(1, "d")); err != nil {
		t.Fatal(err)
	}
	want("signed in anew meanwhile", in(2, "c"), true)
	if err := s.DropSignIn(ctx, "t1"); err != nil {
		t.Fatal(err)
	}
	want("dropped", responsehub.SignIn{}, false)
	mini.HSet(signInsKey, "t1", "not JSON")
	want("not JSON", responsehub.SignIn{}, false)
}
