package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/remediation"
)

// writing is what one write promises.
var writing = []behaviour{
	{"a commit stores state, events and answer together", func(t *testing.T, b *bench) {
		id := b.open("t1|a")
		c := b.next(id)
		c.Command, c.Answer = "cmd-1", []byte("queued")
		done, err := b.Commit(b.ctx, c)
		must(t, err)
		same(t, done, remediation.Committed{Version: 2})
		st, err := b.Load(b.ctx, id, "cmd-1")
		must(t, err)
		same(t, st, remediation.State{ID: id, Version: 2, Doc: []byte("v2 of " + id), Seq: 2, Head: "head 2", Answer: []byte("queued")})
		st, err = b.Load(b.ctx, id, "cmd-2")
		must(t, err)
		if st.Answer != nil {
			t.Errorf("a command that was not seen has no answer, got %q", st.Answer)
		}
	}},
	{"a subject that is not there is not found", func(t *testing.T, b *bench) {
		_, err := b.Load(b.ctx, "nobody", "")
		wants(t, err, remediation.ErrNotFound)
		_, _, err = b.Events(b.ctx, "nobody")
		wants(t, err, remediation.ErrNotFound)
	}},
	{"of two writers from one version the second is told", func(t *testing.T, b *bench) {
		id := b.open("t1|a")
		first, second := b.next(id), b.next(id)
		second.Doc = []byte("other")
		_, err := b.Commit(b.ctx, first)
		must(t, err)
		_, err = b.Commit(b.ctx, second)
		wants(t, err, remediation.ErrConflict)
		again := first
		again.Version = 0
		_, err = b.Commit(b.ctx, again)
		wants(t, err, remediation.ErrConflict)
		st, err := b.Load(b.ctx, id, "")
		must(t, err)
		same(t, string(st.Doc), "v2 of "+id)
	}},
	{"a command id counts once", func(t *testing.T, b *bench) {
		id := b.open("t1|a")
		c := b.next(id)
		c.Command, c.Answer = "cmd-1", []byte("first")
		_, err := b.Commit(b.ctx, c)
		must(t, err)
		later := b.next(id)
		later.Command, later.Answer = "cmd-1", []byte("second")
		done, err := b.Commit(b.ctx, later)
		must(t, err)
		same(t, done, remediation.Committed{Version: 2, Repeated: true, Answer: []byte("first")})
	}},
	{"an empty answer is an answer", func(t *testing.T, b *bench) {
		id := b.open("t1|a")
		c := b.next(id)
		c.Command = "cmd-1"
		_, err := b.Commit(b.ctx, c)
		must(t, err)
		st, err := b.Load(b.ctx, id, "cmd-1")
		must(t, err)
		if st.Answer == nil {
			t.Error("the command was seen, so its answer must not be nil")
		}
	}},
	{"events keep their order and leave no gap", func(t *testing.T, b *bench) {
		id := b.open("t1|a")
		for range 3 {
			_, err := b.Commit(b.ctx, b.next(id))
			must(t, err)
		}
		c := b.next(id)
		c.Seq += 2
		if _, err := b.Commit(b.ctx, c); err == nil {
			t.Error("a write whose events do not follow the stored ones must be an error")
		}
		events, head, err := b.Events(b.ctx, id)
		must(t, err)
		same(t, events, [][]byte{[]byte("event 1"), []byte("event 2"), []byte("event 3"), []byte("event 4")})
		same(t, head, "head 4")
	}},
	{"one account has one open incident", func(t *testing.T, b *bench) {
		id := b.open("t1|a")
		again := b.opening("t1|a")
		done, err := b.Commit(b.ctx, again)
		must(t, err)
		same(t, done, remediation.Committed{Existing: id, Known: true})
		again.Opening.Alert = "src|another"
		done, err = b.Commit(b.ctx, again)
		must(t, err)
		same(t, done, remediation.Committed{Existing: id})
		_, err = b.Load(b.ctx, again.ID, "")
		wants(t, err, remediation.ErrNotFound)
	}},
	{"an opening whose reply was lost may be sent again", func(t *testing.T, b *bench) {
		c := b.opening("t1|a")
		for range 2 {
			done, err := b.Commit(b.ctx, c)
			must(t, err)
			same(t, done, remediation.Committed{Version: 1})
		}
		events, _, err := b.Events(b.ctx, c.ID)
		must(t, err)
		same(t, len(events), 1)
	}},
	{"a closed account opens anew, and still knows its old alerts", func(t *testing.T, b *bench) {
		id := b.open("t1|a")
		c := b.next(id)
		c.Index = remediation.Index{Tenant: "t1", State: responsehub.Remediated, Was: responsehub.Unpublished, OpenedAt: b.now(), Account: "t1|a", Closed: true, Alerts: []string{"src|joined"}}
		_, err := b.Commit(b.ctx, c)
		must(t, err)
		again := b.opening("t1|a")
		for _, alert := range []string{"src|t1|a", "src|joined"} {
			again.Opening.Alert = alert
			done, err := b.Commit(b.ctx, again)
			must(t, err)
			same(t, done, remediation.Committed{Existing: id, Known: true})
		}
		again.Opening.Alert = "src|new"
		done, err := b.Commit(b.ctx, again)
		must(t, err)
		same(t, done, remediation.Committed{Version: 1})
	}},
	{"a ref is given once and found in any case", func(t *testing.T, b *bench) {
		c := b.opening("t1|a")
		_, err := b.Commit(b.ctx, c)
		must(t, err)
		id, err := b.ByRef(b.ctx, strings.ToLower(c.Opening.Ref))
		must(t, err)
		same(t, id, c.ID)
		_, err = b.ByRef(b.ctx, "RH-NONE")
		wants(t, err, remediation.ErrNotFound)

		other := b.opening("t1|" + sibling("t1|a"))
		other.Opening.Ref = c.Opening.Ref
		_, err = b.Commit(b.ctx, other)
		wants(t, err, remediation.ErrRefTaken)
		_, err = b.Load(b.ctx, other.ID, "")
		wants(t, err, remediation.ErrNotFound)
	}},
	{"an id outside its account's partition is refused", func(t *testing.T, b *bench) {
		c := b.opening("t1|a")
		for i := 0; remediation.Partition(c.ID) == remediation.Partition("t1|a"); i++ {
			c.ID += "x"
		}
		if _, err := b.Commit(b.ctx, c); err == nil {
			t.Error("the index of the account could not be written with the incident, so this must be an error")
		}
	}},
	{"a delivery id belongs to one body", func(t *testing.T, b *bench) {
		c := b.opening("t1|a")
		c.Opening.Delivery, c.Opening.BodyHash = "src|d1", "body 1"
		for range 2 {
			done, err := b.Commit(b.ctx, c)
			must(t, err)
			same(t, done, remediation.Committed{Version: 1})
		}
		other := b.opening("t1|b")
		other.Opening.Delivery, other.Opening.BodyHash = "src|d1", "body 2"
		done, err := b.Commit(b.ctx, other)
		must(t, err)
		same(t, done, remediation.Committed{BodyHash: "body 1"})
		_, err = b.Load(b.ctx, other.ID, "")
		wants(t, err, remediation.ErrNotFound)
	}},
	{"scripts come back after Redis forgot them", func(t *testing.T, b *bench) {
		b.open("t1|a", responsehub.LaneLock)
		must(t, b.rdb.ScriptFlush(b.ctx).Err())
		c := b.opening("t1|b", responsehub.LaneLock)
		c.Opening.Delivery, c.Opening.BodyHash = "src|d1", "body"
		done, err := b.Commit(b.ctx, c)
		must(t, err)
		same(t, done, remediation.Committed{Version: 1})
		must(t, b.rdb.ScriptFlush(b.ctx).Err())
		b.settle(b.one(c.ID), remediation.ThenDone, 0)
	}},
}

// sibling is an account in the partition of another.
func sibling(account string) string {
	for i := 'a'; ; i++ {
		name := "sibling " + string(i)
		if remediation.Partition("t1|"+name) == remediation.Partition(account) {
			return name
		}
	}
}

func same(t testing.TB, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
}

func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("the error should be %q, got %v", want, err)
	}
}
