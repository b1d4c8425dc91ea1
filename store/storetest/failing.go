package storetest

import (
	"testing"
	"time"

	"responsehub/remediation"
	"responsehub/store"
)

// failing is what becomes of lanes that fail, and of records that others broke.
var failing = []behaviour{
	{"failed turns are counted and their pause is kept", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		b.settle(b.one(id), remediation.ThenRetry, lease/2)
		b.wake(id, teams, 0)
		b.none(id, "a wake-up does not shorten the pause of a failed turn")
		time.Sleep(lease/2 + 20*time.Millisecond)
		c := b.one(id)
		same(t, c.Attempt, 1)
		b.wake(id, teams, 0)
		b.settle(c, remediation.ThenRetry, lease/2)
		b.none(id, "neither does one during the turn")
		time.Sleep(lease/2 + 20*time.Millisecond)
		c = b.one(id)
		same(t, c.Attempt, 2)
		b.settle(c, remediation.ThenPause, lease/2)
		b.wake(id, teams, 0)
		b.none(id, "a pause that the other side asked for is kept as well")
		time.Sleep(lease/2 + 20*time.Millisecond)
		c = b.one(id)
		same(t, c.Attempt, 2)
		b.settle(c, remediation.ThenAfter, time.Hour)
		b.wake(id, teams, 0)
		same(t, b.one(id).Attempt, 0) // a turn that went well is woken at once again
	}},
	{"dead lanes are listed with their reason and can be revived", func(t *testing.T, b *bench) {
		var want []remediation.DeadLane
		for _, account := range []string{"t1|a", "t1|b"} {
			id := b.open(account, teams)
			b.settle(b.one(id), remediation.ThenRetry, 0)
			b.settle(b.one(id), remediation.ThenDead, 0)
			b.none(id, "it is dead")
			want = append(want, remediation.DeadLane{ID: id, Lane: teams, Error: "why teams", Attempts: 2})
			time.Sleep(5 * time.Millisecond)
		}
		got, err := b.DeadLanes(b.ctx)
		must(t, err)
		for i := range got {
			if age := time.Since(got[i].DiedAt); age < 0 || age > time.Minute {
				t.Errorf("it died just now, not %v ago", age)
			}
			got[i].DiedAt = time.Time{}
		}
		same(t, got, want)

		must(t, b.Revive(b.ctx, want[0].ID, teams))
		wants(t, b.Revive(b.ctx, want[0].ID, teams), remediation.ErrNotFound)
		wants(t, b.Revive(b.ctx, want[0].ID, lock), remediation.ErrNotFound)
		c := b.one(want[0].ID)
		same(t, c.Attempt, 0)
		b.settle(c, remediation.ThenDone, 0)
		got, err = b.DeadLanes(b.ctx)
		must(t, err)
		same(t, len(got), 1)
	}},
	{"a wake-up brings a dead lane back", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams)
		b.settle(b.one(id), remediation.ThenDead, 0)
		b.wake(id, teams, 0)
		same(t, b.one(id).Attempt, 0)
		dead, err := b.DeadLanes(b.ctx)
		must(t, err)
		same(t, len(dead), 0)
	}},
	{"a lost lane is found by sweeping, and nothing else is", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams, lock, "mail", "ticket")
		p := remediation.Partition(id)
		for _, c := range b.take(id) {
			switch c.Lane {
			case lock:
				b.settle(c, remediation.ThenDone, 0)
			case "mail":
				b.settle(c, remediation.ThenDead, 0)
			case "ticket":
				b.settle(c, remediation.ThenAfter, time.Hour)
			}
		}
		n, err := b.Sweep(b.ctx, p)
		must(t, err)
		same(t, n, 0)
		must(t, b.rdb.ZRem(b.ctx, key(p, "due"), id+"|teams").Err())
		n, err = b.Sweep(b.ctx, p)
		must(t, err)
		same(t, n, 1)
		same(t, b.one(id).Lane, teams)
	}},
	{"a broken record is an error, and does not stop the others", func(t *testing.T, b *bench) {
		id, other := b.open("t1|a", teams), b.open("t1|"+sibling("t1|a"), teams)
		p := remediation.Partition(id)
		must(t, b.rdb.Del(b.ctx, key(p, "inc:"+id)).Err())
		must(t, b.rdb.Set(b.ctx, key(p, "inc:"+id), "not a hash", 0).Err())
		must(t, b.rdb.ZAdd(b.ctx, key(p, "due"), z("no lane at all")).Err())
		same(t, b.one(other).State.ID, other)
		if _, err := b.Load(b.ctx, id, ""); err == nil {
			t.Error("loading a broken record must be an error")
		}
		dead, err := b.DeadLanes(b.ctx)
		must(t, err)
		if len(dead) != 1 || dead[0].ID != id || dead[0].Error == "" {
			t.Errorf("the broken record's lane should be set aside with a reason, got %+v", dead)
		}
		id = b.open("t1|c", teams)
		must(t, b.rdb.HSet(b.ctx, key(remediation.Partition(id), "inc:"+id), "seq", "many").Err())
		if _, err := b.Load(b.ctx, id, ""); err == nil {
			t.Error("a count that is no number must be an error")
		}
	}},
	{"a finished incident leaves no lanes behind", func(t *testing.T, b *bench) {
		id := b.open("t1|a", teams, lock)
		for _, c := range b.take(id) {
			b.settle(c, remediation.ThenDone, 0)
		}
		p := remediation.Partition(id)
		n, err := b.rdb.Exists(b.ctx, key(p, "lane:"+id+"|teams"), key(p, "lane:"+id+"|lock"), key(p, "lanes"), key(p, "due")).Result()
		must(t, err)
		same(t, n, int64(0))
	}},
	{"the check fixes the number of partitions and refuses another", func(t *testing.T, b *bench) {
		grade := func() store.Grade {
			for _, f := range b.Check(b.ctx) {
				if f.Sentence == "" {
					t.Errorf("%s: a finding needs a sentence", f.Name)
				}
				if f.Name == "partitions" {
					return f.Grade
				}
			}
			return ""
		}
		same(t, grade(), store.Good)
		same(t, grade(), store.Good)
		must(t, b.rdb.Set(b.ctx, "{dir}:partitions", 8, 0).Err())
		same(t, grade(), store.Bad)
	}},
}
