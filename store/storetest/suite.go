package storetest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
)

// lease is short, since on a real Redis it is waited out in real time.
const lease = 400 * time.Millisecond

// behaviour is one promise of the store.
type behaviour struct {
	name  string
	prove func(t *testing.T, b *bench)
}

var behaviours = [][]behaviour{writing, working, failing, listing, aside, letters, alarms}

// Run proves every promise on the Redis of the client that open returns. It is emptied
// before each. Some of them take a few leases of real time.
func Run(t *testing.T, open func(t *testing.T) redis.UniversalClient) {
	for _, group := range behaviours {
		for _, b := range group {
			t.Run(b.name, func(t *testing.T) {
				rdb := open(t)
				must(t, flush(t.Context(), rdb))
				b.prove(t, newBench(t, rdb))
			})
		}
	}
}

// Bubble proves every promise on a Redis in the process and on simulated time.
func Bubble(t *testing.T) {
	for _, group := range behaviours {
		for _, b := range group {
			t.Run(b.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rdb, _ := Mini(t)
					b.prove(t, newBench(t, rdb))
				})
			})
		}
	}
}

func flush(ctx context.Context, rdb redis.UniversalClient) error {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, n *redis.Client) error { return n.FlushAll(ctx).Err() })
	}
	return rdb.FlushAll(ctx).Err()
}

// bench is a store with short words for what the proofs do.
type bench struct {
	*store.Store
	t   *testing.T
	rdb redis.UniversalClient
	ctx context.Context
}

func newBench(t *testing.T, rdb redis.UniversalClient) *bench {
	return &bench{Store: store.New(rdb), t: t, rdb: rdb, ctx: t.Context()}
}

// opening is the first write of an incident for an account, with one event.
func (b *bench) opening(account string, lanes ...responsehub.Lane) remediation.Commit {
	id := remediation.NewID(account, time.Now())
	c := remediation.Commit{
		ID: id, Doc: []byte("v1 of " + id), Events: [][]byte{[]byte("event 1")}, Seq: 1, Head: "head 1",
		Index:   remediation.Index{Tenant: "t1", State: responsehub.Unpublished, OpenedAt: time.Now(), Account: account},
		Opening: &remediation.Opening{Ref: remediation.NewRef(remediation.Partition(id), 6), Alert: "src|" + account},
	}
	for _, l := range lanes {
		c.Wake = append(c.Wake, remediation.Wake{Lane: l})
	}
	return c
}

// open opens an incident and returns its id.
func (b *bench) open(account string, lanes ...responsehub.Lane) string {
	b.t.Helper()
	c := b.opening(account, lanes...)
	done, err := b.Commit(b.ctx, c)
	if err != nil || done.Version != 1 || done.Existing != "" {
		b.t.Fatalf("opening an incident: got %+v, %v", done, err)
	}
	return c.ID
}

// next is the write that follows what is stored, with one more event.
func (b *bench) next(id string, wakes ...remediation.Wake) remediation.Commit {
	b.t.Helper()
	st, err := b.Load(b.ctx, id, "")
	must(b.t, err)
	return remediation.Commit{
		ID: id, Version: st.Version, Doc: fmt.Appendf(nil, "v%d of %s", st.Version+1, id),
		Events: [][]byte{fmt.Appendf(nil, "event %d", st.Seq+1)}, Seq: st.Seq + 1, Head: fmt.Sprintf("head %d", st.Seq+1), Wake: wakes,
	}
}

// wake writes a change that wakes a lane.
func (b *bench) wake(id string, lane responsehub.Lane, after time.Duration) {
	b.t.Helper()
	_, err := b.Commit(b.ctx, b.next(id, remediation.Wake{Lane: lane, After: after}))
	must(b.t, err)
}

// take claims all that is due where the subject lies.
func (b *bench) take(id string) []remediation.Claim {
	b.t.Helper()
	claims, _, err := b.Claim(b.ctx, remediation.Partition(id), 10, false, lease)
	must(b.t, err)
	return claims
}

// one claims the one lane that is due.
func (b *bench) one(id string) remediation.Claim {
	b.t.Helper()
	claims := b.take(id)
	if len(claims) != 1 {
		b.t.Fatalf("one lane should be due, got %d: %+v", len(claims), claims)
	}
	return claims[0]
}

// none fails when a lane is due.
func (b *bench) none(id, why string) {
	b.t.Helper()
	if claims := b.take(id); len(claims) != 0 {
		b.t.Fatalf("no lane should be due (%s), got %+v", why, claims)
	}
}

func (b *bench) settle(c remediation.Claim, then remediation.Then, after time.Duration) {
	b.t.Helper()
	must(b.t, b.Settle(b.ctx, remediation.Settlement{Claim: c, Then: then, After: after, Error: "why " + string(c.Lane)}))
}
