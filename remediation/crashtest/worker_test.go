package crashtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
)

// lease is short, so that what a killed worker held starts elsewhere soon.
const lease = 1500 * time.Millisecond

// The points at which a worker may be killed or frozen.
const (
	before  = "before"  // nothing was done yet
	between = "between" // the effect was done and is not settled
	settled = "settled" // it is settled, and the turn does not know
)

// refused is the ledger's note of a write that the fence refused.
const refused = "refused by the fence"

// job is what a worker is told. It travels in the environment.
type job struct {
	Name    string
	Redis   []string
	Cluster bool
	Ledger  string
	Odds    int // at each point the worker dies once in so many times; 0 is never
	Flaky   bool
	Broken  responsehub.Lane // its follower settles before its effect
	Freeze  *spot            // where the worker freezes, once
}

// spot is a moment in a lane's work.
type spot struct {
	Point string
	Lane  responsehub.Lane
	N     int
}

// work runs an engine until standard input ends: with the test that started it the
// worker goes too, however that ends.
func (j *job) work() error {
	rdb, err := store.Open(store.Config{Addrs: j.Redis, Cluster: j.Cluster})
	if err != nil {
		return err
	}
	defer rdb.Close()
	w := &world{addr: j.Ledger, worker: j.Name}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("worker", j.Name)
	var frozen atomic.Bool
	at := func(point string, lane responsehub.Lane, n int) {
		if j.Odds > 0 && rand.N(j.Odds) == 0 {
			w.note("killed " + point)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		if j.Freeze != nil && *j.Freeze == (spot{point, lane, n}) && frozen.CompareAndSwap(false, true) {
			w.note("frozen")
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			time.Sleep(100 * time.Millisecond) // the signal may take a moment; after the thaw this is over
		}
	}
	ts := toys()
	for _, f := range ts {
		f.world, f.at, f.flaky, f.broken = w, at, j.Flaky, f.Lane() == j.Broken
		f.careful = f.careful && !f.broken
	}
	inner := store.New(rdb)
	e, err := newEngine(&deadly{inner, w, at}, inner, log, ts)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	e.Run(ctx)
	<-ended
	return nil
}

func newEngine(s remediation.Store, a remediation.Archive, log *slog.Logger, ts []*toy) (*remediation.Engine, error) {
	return remediation.New(s, a, remediation.Config{
		Key: bytes.Repeat([]byte{7}, remediation.KeySize), Lease: lease, Tenants: tenants, Followers: followers(ts),
	}, log)
}

// deadly is a store that may kill its worker right after a write under a lease.
type deadly struct {
	remediation.Store
	world *world
	at    func(string, responsehub.Lane, int)
}

func (d *deadly) Settle(ctx context.Context, s remediation.Settlement) error {
	err := d.Store.Settle(ctx, s)
	switch {
	case err == nil:
		d.at(settled, s.Claim.Lane, 0)
	case errors.Is(err, remediation.ErrStale):
		d.world.note(refused)
	}
	return err
}

// Extend notes that the fence refused it: a thawed worker notices by its heartbeat or by
// its write, whichever comes first.
func (d *deadly) Extend(ctx context.Context, c remediation.Claim, lease time.Duration) error {
	err := d.Store.Extend(ctx, c, lease)
	if errors.Is(err, remediation.ErrStale) {
		d.world.note(refused)
	}
	return err
}

// tenantList is the tenants the tests know.
type tenantList []responsehub.Tenant

const (
	automatic = "11111111-1111-4111-8111-111111111111" // Response is on
	asked     = "22222222-2222-4222-8222-222222222222" // every step is asked for
)

var tenants = tenantList{
	{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: automatic, Response: true},
	{V: 1, ID: "fabrikam", Name: "Fabrikam", MicrosoftTenantID: asked},
}

func (ts tenantList) Tenant(id string) (responsehub.Tenant, bool) {
	for _, t := range ts {
		if t.Known(id) {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}

func (ts tenantList) Version() int64 { return 0 }

func (ts tenantList) TenantOf(_ context.Context, _ int64, _ string, a responsehub.AlertTenant) (responsehub.Tenant, bool, error) {
	t, ok := ts.Tenant(a.MicrosoftTenantID)
	return t, ok, nil
}
