package store_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/store"
	"responsehub/store/storetest"
)

// TestDirectoryFollows lets one process write and another follow, through a time when
// Redis does not answer.
func TestDirectoryFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, mini := storetest.Mini(t)
		theirs, mine := store.NewDirectory(rdb, slog.New(slog.DiscardHandler)), store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := theirs.Run(ctx); err != nil {
				t.Errorf("the end of the context is no error, got %v", err)
			}
		})
		apply := func(id string) {
			if err := mine.Apply(ctx, responsehub.Hub.By(), []responsehub.Tenant{{ID: id, MicrosoftTenantID: id}}, nil); err != nil {
				t.Error(err)
			}
		}
		apply("t1")
		time.Sleep(2 * time.Second)
		if _, ok := theirs.Tenant("T1"); !ok {
			t.Error("after two seconds the other process should know the tenant")
		}
		mini.SetError("LOADING Redis is loading the dataset in memory")
		time.Sleep(10 * time.Second)
		if _, ok := theirs.Tenant("t1"); !ok {
			t.Error("while Redis does not answer the last known directory is used")
		}
		mini.SetError("")
		apply("t2")
		time.Sleep(2 * time.Second)
		if len(theirs.Tenants()) != 2 {
			t.Errorf("when Redis answers again the directory follows, got %v", theirs.Tenants())
		}
		stop()
		wg.Wait()
	})
}

// TestDirectoryWritersDoNotLoseEachOther lets many processes write at once.
func TestDirectoryWritersDoNotLoseEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		var wg sync.WaitGroup
		for _, id := range []string{"a", "b", "c", "d"} {
			wg.Go(func() {
				d := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
				if err := d.Apply(t.Context(), responsehub.Hub.By(), []responsehub.Tenant{{ID: id, MicrosoftTenantID: id}}, nil); err != nil {
					t.Error(err)
				}
				if _, err := d.SetResponse(t.Context(), responsehub.Hub.By(), id, true); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		d := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		on := 0
		for _, tenant := range d.Tenants() {
			if tenant.Response {
				on++
			}
		}
		if on != 4 {
			t.Errorf("four tenants were written and switched on, found %d in %v", on, d.Tenants())
		}
	})
}
