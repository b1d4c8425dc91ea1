package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/remediation"
)

// listing is what lists promise.
var listing = []behaviour{
	{"a list is whole and newest first, page by page", func(t *testing.T, b *bench) {
		ids := b.fill(37)
		for _, limit := range []int{1, 5, 36, 37, 200} {
			same(t, b.walk(remediation.Filter{Limit: limit}), ids)
		}
	}},
	{"a list can be narrowed", func(t *testing.T, b *bench) {
		ids := b.fill(24)
		tests := []struct {
			name   string
			filter remediation.Filter
			want   func(i int) bool
		}{
			{"tenant", remediation.Filter{Tenants: []string{"t1"}}, func(i int) bool { return i%3 == 1 }},
			{"tenants, one of them twice", remediation.Filter{Tenants: []string{"t1", "t2", "t1", "none"}}, func(i int) bool { return i%3 != 0 }},
			{"no tenant at all", remediation.Filter{Tenants: []string{}}, func(int) bool { return false }},
			{"state", remediation.Filter{State: responsehub.Remediated}, func(i int) bool { return i%4 == 0 }},
			{"state before", remediation.Filter{State: responsehub.Unpublished}, func(i int) bool { return i%4 != 0 }},
			{"tenant and state", remediation.Filter{Tenants: []string{"t0", "t2"}, State: responsehub.Remediated}, func(i int) bool { return i%3 != 1 && i%4 == 0 }},
			{"since", remediation.Filter{Since: opened(20)}, func(i int) bool { return i >= 20 }},
		}
		for _, tt := range tests {
			for _, limit := range []int{2, 0} {
				var want []string
				for n, id := range ids {
					if tt.want(len(ids) - 1 - n) {
						want = append(want, id)
					}
				}
				tt.filter.Limit = limit
				if got := b.walk(tt.filter); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s, limit %d: got %v, want %v", tt.name, limit, got, want)
				}
			}
		}
	}},
	{"incidents of one moment are all listed", func(t *testing.T, b *bench) {
		want := map[string]bool{}
		for i := range 9 {
			account := fmt.Sprintf("t1|%d", i)
			if i > 0 {
				account = fmt.Sprintf("t1|%s", siblings("t1|0", i)) // all in one partition
			}
			c := b.opening(account)
			c.Index.OpenedAt = opened(1)
			_, err := b.Commit(b.ctx, c)
			must(t, err)
			want[c.ID] = true
		}
		got := map[string]bool{}
		for _, id := range b.walk(remediation.Filter{Limit: 2}) {
			got[id] = true
		}
		same(t, got, want)
	}},
	{"a cursor that no list returned is refused", func(t *testing.T, b *bench) {
		for _, cursor := range []string{"x", "-", "12", "-5-a", "99999999999999999999-a", "12-"} {
			_, err := b.List(b.ctx, remediation.Filter{Cursor: cursor})
			if responsehub.KindOf(err) != responsehub.Invalid {
				t.Errorf("cursor %q: got %v, want an invalid error", cursor, err)
			}
		}
	}},
}

func opened(i int) time.Time { return time.Unix(1_700_000_000+int64(i), 0) }

// fill opens n incidents of three tenants, closes every fourth, and returns the ids,
// newest first.
func (b *bench) fill(n int) []string {
	b.t.Helper()
	ids := make([]string, n)
	for i := range n {
		account := fmt.Sprintf("tenant|%d", i)
		c := b.opening(account)
		c.Index.OpenedAt, c.Index.Tenant = opened(i), fmt.Sprintf("t%d", i%3)
		_, err := b.Commit(b.ctx, c)
		must(b.t, err)
		if i%4 == 0 {
			w := b.next(c.ID)
			w.Index = c.Index
			w.Index.State, w.Index.Was, w.Index.Closed = responsehub.Remediated, responsehub.Unpublished, true
			_, err = b.Commit(b.ctx, w)
			must(b.t, err)
		}
		ids[n-1-i] = c.ID
	}
	return ids
}

// walk reads all pages of a list.
func (b *bench) walk(f remediation.Filter) []string {
	b.t.Helper()
	var ids []string
	for {
		page, err := b.List(b.ctx, f)
		must(b.t, err)
		if f.Limit > 0 && len(page.States) > f.Limit {
			b.t.Fatalf("a page of at most %d has %d", f.Limit, len(page.States))
		}
		for _, st := range page.States {
			ids = append(ids, st.ID)
		}
		if page.Next == "" {
			return ids
		}
		f.Cursor = page.Next
	}
}

// siblings is the nth account of tenant t1 in the partition of another.
func siblings(account string, n int) string {
	for i := 0; ; i++ {
		name := fmt.Sprintf("s%d", i)
		if remediation.Partition("t1|"+name) == remediation.Partition(account) {
			if n--; n == 0 {
				return name
			}
		}
	}
}

// key names a key as it is stored. Stored names never change, so tests may spell them.
func key(partition int, name string) string { return fmt.Sprintf("{h%02d}:%s", partition, name) }

func z(member string) redis.Z { return redis.Z{Score: 1, Member: member} }
