package storetest

import (
	"context"
	"testing"
	"time"

	"responsehub"
	"responsehub/remediation"
)

const (
	lock  = responsehub.LaneLock
	teams = responsehub.LaneTeams
)

func (b *bench) now() time.Time { return time.Now() }

// working is what claiming and settling promise.
var working = []behaviour{
	{"a claim carries its subject", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		c := b.one(id)
		st, err := b.Load(b.ctx, id, "")
		must(t, err)
		same(t, c, remediation.Claim{Lane: teams, Token: 1, Dirty: 1, State: st})
		b.none(id, "it is held")
	}},
	{"tokens grow over all lanes and claims", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		last := int64(0)
		for range 3 {
			c := b.one(id)
			if c.Token <= last {
				t.Fatalf("token %d does not grow after %d", c.Token, last)
			}
			last = c.Token
			b.settle(c, remediation.ThenDone, 0)
			b.wake(id, teams, 0)
		}
	}},
	{"a done lane rests until it is woken", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		b.settle(b.one(id), remediation.ThenDone, 0)
		b.none(id, "it is done")
		b.wake(id, teams, 0)
		b.settle(b.one(id), remediation.ThenDone, 0)
	}},
	{"a wake-up while it is held is not lost", func(t *testing.T, b *bench) {
		for _, then := range []remediation.Then{remediation.ThenDone, remediation.ThenAfter, remediation.ThenDead} {
			id := b.open("t1|a"+string(rune('0'+then)), teams)
			c := b.one(id)
			b.wake(id, teams, time.Hour)
			b.none(id, "it is held")
			b.settle(c, then, time.Hour)
			c = b.one(id)
			same(t, c.Dirty, int64(2))
			b.settle(c, remediation.ThenDone, 0)
			b.none(id, "nobody woke it during the second turn")
		}
		dead, err := b.DeadLanes(b.ctx)
		must(t, err)
		same(t, len(dead), 0)
	}},
	{"a save in the middle keeps the lane and the wake-up", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		c := b.one(id)
		b.wake(id, teams, 0)
		w := b.next(id)
		must(t, b.Settle(b.ctx, remediation.Settlement{Claim: c, Write: &w, Then: remediation.ThenKeep}))
		b.none(id, "it is held")
		b.settle(c, remediation.ThenDone, 0)
		b.one(id)
	}},
	{"a save may be sent again when its reply was lost", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		c := b.one(id)
		w := b.next(id, remediation.Wake{Lane: lock})
		for range 2 {
			must(t, b.Settle(b.ctx, remediation.Settlement{Claim: c, Write: &w, Then: remediation.ThenKeep}))
		}
		events, _, err := b.Events(b.ctx, id)
		must(t, err)
		same(t, len(events), 2)
		same(t, b.one(id).Lane, lock)
	}},
	{"a turn does not wake its own lane, but others", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		w := b.next(id, remediation.Wake{Lane: teams}, remediation.Wake{Lane: lock})
		must(t, b.Settle(b.ctx, remediation.Settlement{Claim: b.one(id), Write: &w, Then: remediation.ThenDone}))
		same(t, b.one(id).Lane, lock)
		st, err := b.Load(b.ctx, id, "")
		must(t, err)
		same(t, st.Version, int64(2))
	}},
	{"a turn's write from an old version is a conflict and the lane stays held", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		c := b.one(id)
		w := b.next(id)
		w.Doc = []byte("of the turn")
		b.wake(id, lock, time.Hour)
		wants(t, b.Settle(b.ctx, remediation.Settlement{Claim: c, Write: &w, Then: remediation.ThenDone}), remediation.ErrConflict)
		w = b.next(id)
		must(t, b.Settle(b.ctx, remediation.Settlement{Claim: c, Write: &w, Then: remediation.ThenDone}))
	}},
	{"a lost lease cannot write, settle or be extended", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		old := b.one(id)
		time.Sleep(lease + 50*time.Millisecond)
		now := b.one(id)
		w := b.next(id)
		wants(t, b.Settle(b.ctx, remediation.Settlement{Claim: old, Write: &w, Then: remediation.ThenKeep}), remediation.ErrStale)
		wants(t, b.Settle(b.ctx, remediation.Settlement{Claim: old, Then: remediation.ThenDone}), remediation.ErrStale)
		wants(t, b.Extend(b.ctx, old, lease), remediation.ErrStale)
		b.settle(now, remediation.ThenDone, 0)
		wants(t, b.Extend(b.ctx, now, lease), remediation.ErrStale)
		st, err := b.Load(b.ctx, id, "")
		must(t, err)
		same(t, st.Version, int64(1))
	}},
	{"an extended lease holds longer", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		c := b.one(id)
		must(t, b.Extend(b.ctx, c, 10*lease))
		time.Sleep(lease + 50*time.Millisecond)
		b.none(id, "its lease was extended")
		b.settle(c, remediation.ThenDone, 0)
	}},
	{"a lane comes back after its pause, sooner when woken", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		b.settle(b.one(id), remediation.ThenAfter, lease/2)
		b.none(id, "it pauses")
		time.Sleep(lease/2 + 20*time.Millisecond)
		b.settle(b.one(id), remediation.ThenAfter, time.Hour)
		b.wake(id, teams, 2*time.Hour)
		b.none(id, "a later wake-up does not count")
		b.wake(id, teams, 0)
		b.one(id)
	}},
	{"only the lock is taken when only urgent lanes are asked for", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams, lock, "chat:lock not")
		claims, wait, err := b.Claim(b.ctx, remediation.Partition(id), 10, true, lease)
		must(t, err)
		if len(claims) != 1 || claims[0].Lane != lock {
			t.Fatalf("only the lock should be claimed, got %+v", claims)
		}
		if wait <= 0 || wait > lease {
			t.Errorf("the next urgent lane is due when the lease ends, got %v", wait)
		}
	}},
	{"a claim takes no more than asked and says when the next is due", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams, lock, "mail")
		p := remediation.Partition(id)
		claims, wait, err := b.Claim(b.ctx, p, 2, false, time.Minute)
		must(t, err)
		same(t, len(claims), 2)
		same(t, wait, time.Duration(0))
		claims, wait, err = b.Claim(b.ctx, p, 2, false, time.Minute)
		must(t, err)
		same(t, len(claims), 1)
		same(t, wait, time.Second)
		_, wait, err = b.Claim(b.ctx, (p+1)%remediation.Partitions, 2, false, lease)
		must(t, err)
		same(t, wait, time.Second)
		b.settle(claims[0], remediation.ThenAfter, 300*time.Millisecond)
		_, wait, err = b.Claim(b.ctx, p, 2, false, lease)
		must(t, err)
		if wait <= 100*time.Millisecond || wait > 300*time.Millisecond {
			t.Errorf("the next lane is due in at most 300 ms, got %v", wait)
		}
	}},
	{"the bell ends the wait", func(t *testing.T, b *bench) {
		id := remediation.NewID("t1|a", time.Now())
		start := time.Now()
		must(t, b.Await(b.ctx, remediation.Partition(id), 300*time.Millisecond))
		if took := time.Since(start); took < 250*time.Millisecond || took > 2*time.Second {
			t.Errorf("without a bell the wait lasts 300 ms, got %v", took)
		}
		rung := make(chan error, 1)
		go func() { rung <- b.Await(b.ctx, remediation.Partition(id), 10*time.Second) }()
		time.Sleep(50 * time.Millisecond)
		start = time.Now()
		b.open("t1|a", teams)
		must(t, <-rung)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("the bell should end the wait at once, it took %v", took)
		}
	}},
	{"the end of the context ends the wait", func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		time.AfterFunc(20*time.Millisecond, cancel)
		start := time.Now()
		wants(t, b.Await(ctx, 3, 10*time.Second), context.Canceled)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("the wait should end soon after the context, it took %v", took)
		}
	}},
}
