package storetest

import (
	"log/slog"
	"testing"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
)

// aside is what the directory and the limits promise.
var aside = []behaviour{
	{"the directory is seeded once and applied by the tenants' Microsoft ids", func(t *testing.T, b *bench) {
		d := store.NewDirectory(b.rdb, slog.New(slog.DiscardHandler))
		seeded, err := d.Seed(b.ctx, []responsehub.Tenant{{ID: "fab", Name: "Fabrikam", MicrosoftTenantID: "AA-1", SourceIDs: map[string]string{"petra": "p1"}}}, []responsehub.Person{{ID: "ann", EntraObjectID: "E-1"}})
		must(t, err)
		same(t, seeded, true)
		seeded, err = d.Seed(b.ctx, []responsehub.Tenant{{ID: "x", MicrosoftTenantID: "x"}}, nil)
		must(t, err)
		same(t, seeded, false)
		must(t, d.Apply(b.ctx, responsehub.Hub.By(), []responsehub.Tenant{{ID: "other", Name: "Fabrikam Ltd", MicrosoftTenantID: "aa-1"}, {Name: "Contoso", MicrosoftTenantID: "BB-2"}}, nil))
		same(t, names(d), []string{"bb-2 Contoso", "fab Fabrikam Ltd"})
		if _, ok := d.PersonByEntra("e-1"); !ok || len(d.People()) != 1 {
			t.Error("the person should be found by the Entra object id")
		}
		err = d.Apply(b.ctx, responsehub.Hub.By(), []responsehub.Tenant{{ID: "fab", Name: "Thief", MicrosoftTenantID: "CC-3"}}, nil)
		if responsehub.KindOf(err) != responsehub.Conflict {
			t.Errorf("another tenant's id must be refused, got %v", err)
		}
		if err := d.Apply(b.ctx, responsehub.Hub.By(), []responsehub.Tenant{{Name: "Nameless"}}, nil); responsehub.KindOf(err) != responsehub.Invalid {
			t.Errorf("a tenant without any id must be refused, got %v", err)
		}
	}},
	{"a switch thrown in one process is seen by an alert in another", func(t *testing.T, b *bench) {
		mine, theirs := store.NewDirectory(b.rdb, slog.New(slog.DiscardHandler)), store.NewDirectory(b.rdb, slog.New(slog.DiscardHandler))
		must(t, mine.Apply(b.ctx, responsehub.Hub.By(), []responsehub.Tenant{{ID: "fab", MicrosoftTenantID: "aa-1", SourceIDs: map[string]string{"petra": "p1"}}}, nil))
		must(t, theirs.Refresh(b.ctx))
		on, err := mine.SetResponse(b.ctx, responsehub.Hub.By(), "AA-1", true)
		must(t, err)
		same(t, on.Response, true)
		_, err = mine.SetResponse(b.ctx, responsehub.Hub.By(), "nobody", true)
		same(t, responsehub.KindOf(err), responsehub.NotFound)
		stale := b.opening("t1|switch")
		stale.Opening.Directory = theirs.Version()
		at, err := b.Commit(b.ctx, stale)
		must(t, err)
		same(t, at, remediation.Committed{OtherDirectory: true, Directory: mine.Version()})
		_, err = b.Load(b.ctx, stale.ID, "")
		wants(t, err, remediation.ErrNotFound)
		tests := []struct {
			alert responsehub.AlertTenant
			want  bool
		}{
			{responsehub.AlertTenant{SourceTenantID: "p1"}, true},
			{responsehub.AlertTenant{MicrosoftTenantID: "aa-1"}, true},
			{responsehub.AlertTenant{MicrosoftTenantID: "unknown", SourceTenantID: "p1"}, false},
			{responsehub.AlertTenant{SourceTenantID: "p2"}, false},
			{responsehub.AlertTenant{}, false},
		}
		for _, tt := range tests {
			got, ok, err := theirs.TenantOf(b.ctx, at.Directory, "petra", tt.alert)
			must(t, err)
			if ok != tt.want || ok && !got.Response {
				t.Errorf("%+v: found %v with Response %v, want %v", tt.alert, ok, got.Response, tt.want)
			}
		}
		if _, ok, _ := theirs.TenantOf(b.ctx, 0, "guardz", responsehub.AlertTenant{SourceTenantID: "p1"}); ok {
			t.Error("one source's tenant id means nothing at another source")
		}
	}},
	{"keys and channels are kept and removed", func(t *testing.T, b *bench) {
		d := store.NewDirectory(b.rdb, slog.New(slog.DiscardHandler))
		must(t, d.PutKey(b.ctx, responsehub.Hub.By(), responsehub.APIKey{ID: "k1", Hash: "h"}))
		must(t, d.PutKey(b.ctx, responsehub.Hub.By(), responsehub.APIKey{ID: "k2", Hash: "h"}))
		same(t, responsehub.KindOf(d.PutKey(b.ctx, responsehub.Hub.By(), responsehub.APIKey{ID: "k2", Hash: "another"})), responsehub.Conflict)
		must(t, d.DeleteKey(b.ctx, responsehub.Hub.By(), "k1"))
		same(t, responsehub.KindOf(d.DeleteKey(b.ctx, responsehub.Hub.By(), "k1")), responsehub.NotFound)
		same(t, d.Keys(), []responsehub.APIKey{{V: 1, ID: "k2", Hash: "h"}})
		must(t, d.PutChannel(b.ctx, responsehub.Channel{ID: "19:x", Installed: true}))
		c, ok := d.Channel("19:x")
		if !ok || !c.Installed || len(d.Channels()) != 1 {
			t.Errorf("the channel should be known, got %+v", d.Channels())
		}
	}},
	{"a barred destination is barred for everybody until its time", func(t *testing.T, b *bench) {
		mine, theirs := store.NewLimits(b.rdb), store.NewLimits(b.rdb)
		must(t, mine.Block(b.ctx, "graph:{t1}", lease))
		must(t, mine.Block(b.ctx, "graph:{t1}", lease/4))
		left, err := theirs.Blocked(b.ctx, "graph:{t1}")
		must(t, err)
		if left <= lease/4 || left > lease {
			t.Errorf("the longer bar stays: got %v of %v", left, lease)
		}
		free, err := theirs.Blocked(b.ctx, "graph:{t2}")
		must(t, err)
		same(t, free, time.Duration(0))
		time.Sleep(lease + 20*time.Millisecond)
		left, err = theirs.Blocked(b.ctx, "graph:{t1}")
		must(t, err)
		same(t, left, time.Duration(0))
	}},
	{"permits are few, come back, and end with their lease", func(t *testing.T, b *bench) {
		l := store.NewLimits(b.rdb)
		first, _, err := l.Acquire(b.ctx, "graph:t1", 2, time.Hour)
		must(t, err)
		_, _, err = l.Acquire(b.ctx, "graph:t1", 2, lease)
		must(t, err)
		third, wait, err := l.Acquire(b.ctx, "graph:t1", 2, lease)
		must(t, err)
		if third != nil || wait <= 0 || wait > lease {
			t.Fatalf("both places are taken for %v, got permit %v and wait %v", lease, third, wait)
		}
		must(t, first.Release(b.ctx))
		must(t, first.Release(b.ctx))
		third, _, err = l.Acquire(b.ctx, "graph:t1", 2, time.Hour)
		must(t, err)
		time.Sleep(lease + 20*time.Millisecond)
		fourth, _, err := l.Acquire(b.ctx, "graph:t1", 2, time.Hour)
		must(t, err)
		if third == nil || fourth == nil {
			t.Error("a place that was given back or ran out is free")
		}
	}},
	{"a bucket gives its tokens and fills again", func(t *testing.T, b *bench) {
		l := store.NewLimits(b.rdb)
		r := store.Rate{N: 2, Per: lease}
		for range 2 {
			wait, err := l.Allow(b.ctx, "graph:t1", r)
			must(t, err)
			same(t, wait, time.Duration(0))
		}
		wait, err := l.Allow(b.ctx, "graph:t1", r)
		must(t, err)
		if wait <= 0 || wait > lease {
			t.Errorf("the bucket is empty for at most %v, got %v", lease, wait)
		}
		time.Sleep(lease)
		wait, err = l.Allow(b.ctx, "graph:t1", r)
		must(t, err)
		same(t, wait, time.Duration(0))
	}},
}

func names(d *store.Directory) []string {
	var all []string
	for _, t := range d.Tenants() {
		all = append(all, t.ID+" "+t.Name)
	}
	return all
}
