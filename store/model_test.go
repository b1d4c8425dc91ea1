package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

const modelLease = time.Second

// lane is what the model knows of one lane.
type lane struct {
	due     time.Time // zero: not due
	token   int64     // of the holder; 0: given back
	until   time.Time // end of its lease
	woken   bool      // since it was claimed
	attempt int
	paused  bool // after a failed turn: wake-ups do not shorten it
	dead    bool
}

func (l *lane) held(now time.Time) bool { return l.token != 0 && l.until.After(now) }

// wake is the rule by which a write wakes a lane.
func (l *lane) wake(now time.Time, after time.Duration) {
	l.woken = true
	at := now.Add(after)
	switch {
	case l.held(now):
	case l.dead:
		l.dead, l.attempt, l.due = false, 0, at
	case l.due.IsZero():
		l.due = at
	case !l.paused && at.Before(l.due):
		l.due = at
	}
}

// subject is what the model knows of one incident.
type subject struct {
	version  int64
	events   [][]byte
	head     string
	commands map[string]string
	lanes    map[responsehub.Lane]*lane
}

// machine does the same things to a store and to the model.
type machine struct {
	store    *store.Store
	subjects map[string]*subject
	ids      []string
	claims   []remediation.Claim // all ever made: late settles come from here
	token    map[int]int64
	writes   int
}

var modelLanes = []responsehub.Lane{responsehub.LaneLock, responsehub.LaneTeams, "chat:a|b"}

// TestAnyHistory runs random histories of writes, claims, late settles, lost leases and
// repeated commands against the model: one holder per lane, no lost wake-up, no stale
// write, each command once, events in order without gaps.
func TestAnyHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, mini := storetest.Mini(t)
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			mini.FlushAll()
			m := &machine{store: store.New(rdb), subjects: map[string]*subject{}, token: map[int]int64{}}
			for _, account := range []string{"t|a", "t|b"} {
				m.open(rt, account)
			}
			rt.Repeat(map[string]func(*rapid.T){
				"commit": m.commit,
				"claim":  m.claim,
				"settle": m.settle,
				"extend": m.extend,
				"revive": m.revive,
				"wait":   func(rt *rapid.T) { time.Sleep(rapid.SampledFrom(pauses).Draw(rt, "for")) },
				"":       m.check,
			})
		})
	})
}

var thens = []remediation.Then{
	remediation.ThenKeep, remediation.ThenDone, remediation.ThenAfter, remediation.ThenRetry, remediation.ThenPause, remediation.ThenDead,
}

var pauses = []time.Duration{0, time.Millisecond, 300 * time.Millisecond, modelLease - time.Millisecond, modelLease, 5 * time.Second}

func (m *machine) open(rt *rapid.T, account string) {
	id := remediation.NewID(account, time.Now())
	c := remediation.Commit{ID: id, Doc: []byte("0"), Index: remediation.Index{Account: account}, Opening: &remediation.Opening{Alert: "s|" + account}}
	if _, err := m.store.Commit(rt.Context(), c); err != nil {
		rt.Fatal(err)
	}
	m.ids = append(m.ids, id)
	m.subjects[id] = &subject{version: 1, commands: map[string]string{}, lanes: map[responsehub.Lane]*lane{}}
}

// write draws a change of a subject, sometimes from a version that is not the newest.
func (m *machine) write(rt *rapid.T, id string) remediation.Commit {
	s := m.subjects[id]
	m.writes++
	c := remediation.Commit{ID: id, Version: s.version, Doc: fmt.Append(nil, m.writes), Seq: int64(len(s.events)), Head: s.head}
	if rapid.IntRange(0, 4).Draw(rt, "stale") == 0 {
		c.Version--
	}
	for range rapid.IntRange(0, 2).Draw(rt, "events") {
		c.Seq++
		c.Head = fmt.Sprintf("head %d.%d", m.writes, c.Seq)
		c.Events = append(c.Events, []byte(c.Head))
	}
	for _, l := range modelLanes {
		if rapid.Bool().Draw(rt, "wakes "+string(l)) {
			c.Wake = append(c.Wake, remediation.Wake{Lane: l, After: rapid.SampledFrom(pauses).Draw(rt, "after")})
		}
	}
	return c
}

// wrote notes a change that was stored.
func (m *machine) wrote(c remediation.Commit, but responsehub.Lane) {
	s := m.subjects[c.ID]
	s.version++
	s.events, s.head = append(s.events, c.Events...), c.Head
	if c.Command != "" {
		s.commands[c.Command] = string(c.Answer)
	}
	for _, w := range c.Wake {
		if w.Lane != but {
			s.lane(w.Lane).wake(time.Now(), w.After)
		}
	}
}

func (s *subject) lane(name responsehub.Lane) *lane {
	if s.lanes[name] == nil {
		s.lanes[name] = &lane{}
	}
	return s.lanes[name]
}

func (m *machine) commit(rt *rapid.T) {
	c := m.write(rt, rapid.SampledFrom(m.ids).Draw(rt, "id"))
	s := m.subjects[c.ID]
	c.Command = rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(rt, "command")
	c.Answer = fmt.Append(nil, "answer ", m.writes)
	first, seen := s.commands[c.Command]
	done, err := m.store.Commit(rt.Context(), c)
	switch {
	case seen:
		want(rt, err, nil)
		if !done.Repeated || string(done.Answer) != first {
			rt.Fatalf("command %s was answered %q before, now %+v", c.Command, first, done)
		}
	case c.Version != s.version:
		want(rt, err, remediation.ErrConflict)
	default:
		want(rt, err, nil)
		m.wrote(c, "")
		if done.Version != s.version {
			rt.Fatalf("the version is %d, want %d", done.Version, s.version)
		}
	}
}

func (m *machine) claim(rt *rapid.T) {
	p := remediation.Partition(rapid.SampledFrom(m.ids).Draw(rt, "where"))
	urgent := rapid.IntRange(0, 3).Draw(rt, "urgent") == 0
	now := time.Now()
	var wanted []string
	for id, s := range m.subjects {
		for name, l := range s.lanes {
			if remediation.Partition(id) == p && !l.due.IsZero() && !l.due.After(now) && (!urgent || name == responsehub.LaneLock) {
				wanted = append(wanted, id+"|"+string(name))
			}
		}
	}
	claims, wait, err := m.store.Claim(rt.Context(), p, 100, urgent, modelLease)
	want(rt, err, nil)
	if wait < 0 || wait > time.Second {
		rt.Fatalf("the next lane is due in %v, which is not within a second", wait)
	}
	var got []string
	for _, c := range claims {
		got = append(got, c.State.ID+"|"+string(c.Lane))
		l := m.subjects[c.State.ID].lanes[c.Lane]
		if c.Token <= m.token[p] {
			rt.Fatalf("token %d does not grow after %d", c.Token, m.token[p])
		}
		if c.Attempt != l.attempt || c.State.Version != m.subjects[c.State.ID].version {
			rt.Fatalf("claimed %+v, want attempt %d of version %d", c, l.attempt, m.subjects[c.State.ID].version)
		}
		m.token[p] = c.Token
		l.token, l.until, l.due = c.Token, now.Add(modelLease), now.Add(modelLease)
		l.woken, l.paused = false, false
		m.claims = append(m.claims, c)
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, got); diff != "" {
		rt.Fatalf("claimed lanes (-want +got):\n%s", diff)
	}
}

func (m *machine) pick(rt *rapid.T) (remediation.Claim, *lane, bool) {
	if len(m.claims) == 0 {
		rt.Skip("nothing was claimed yet")
	}
	newest := m.claims[max(0, len(m.claims)-6):]
	c := rapid.SampledFrom(newest).Draw(rt, "claim")
	l := m.subjects[c.State.ID].lane(c.Lane)
	return c, l, l.token == c.Token
}

func (m *machine) settle(rt *rapid.T) {
	c, l, mine := m.pick(rt)
	s := remediation.Settlement{
		Claim: c, Then: rapid.SampledFrom(thens).Draw(rt, "then"),
		After: rapid.SampledFrom(pauses).Draw(rt, "after"), Error: "because",
	}
	current := true
	if rapid.Bool().Draw(rt, "writes") {
		w := m.write(rt, c.State.ID)
		s.Write, current = &w, w.Version == m.subjects[w.ID].version
	}
	err := m.store.Settle(rt.Context(), s)
	switch {
	case !mine:
		want(rt, err, remediation.ErrStale)
		return
	case !current:
		want(rt, err, remediation.ErrConflict)
		return
	}
	want(rt, err, nil)
	if s.Write != nil {
		m.wrote(*s.Write, c.Lane)
	}
	if s.Then == remediation.ThenKeep {
		return
	}
	now := time.Now()
	l.token = 0
	switch {
	case s.Then == remediation.ThenRetry:
		l.attempt++
		l.paused, l.due = true, now.Add(s.After)
	case s.Then == remediation.ThenPause:
		l.paused, l.due = true, now.Add(s.After)
	case l.woken:
		l.attempt, l.due = 0, now
	case s.Then == remediation.ThenDone:
		l.attempt, l.due = 0, time.Time{}
	case s.Then == remediation.ThenAfter:
		l.attempt, l.due = 0, now.Add(s.After)
	default:
		l.attempt++
		l.dead, l.due = true, time.Time{}
	}
}

func (m *machine) extend(rt *rapid.T) {
	c, l, mine := m.pick(rt)
	err := m.store.Extend(rt.Context(), c, modelLease)
	if !mine {
		want(rt, err, remediation.ErrStale)
		return
	}
	want(rt, err, nil)
	l.until = time.Now().Add(modelLease)
	l.due = l.until
}

func (m *machine) revive(rt *rapid.T) {
	id := rapid.SampledFrom(m.ids).Draw(rt, "id")
	name := rapid.SampledFrom(modelLanes).Draw(rt, "lane")
	l := m.subjects[id].lane(name)
	err := m.store.Revive(rt.Context(), id, name)
	if !l.dead {
		want(rt, err, remediation.ErrNotFound)
		return
	}
	want(rt, err, nil)
	l.wake(time.Now(), 0)
}

// check compares everything that can be read, and sweeps: nothing may be lost.
func (m *machine) check(rt *rapid.T) {
	var wanted []string
	for _, id := range m.ids {
		s := m.subjects[id]
		st, err := m.store.Load(rt.Context(), id, "")
		want(rt, err, nil)
		events, head, err := m.store.Events(rt.Context(), id)
		want(rt, err, nil)
		if st.Version != s.version || st.Seq != int64(len(s.events)) || st.Head != s.head || head != s.head {
			rt.Fatalf("stored %+v with head %q, want version %d, %d events, head %q", st, head, s.version, len(s.events), s.head)
		}
		if diff := cmp.Diff(append([][]byte{}, s.events...), events); diff != "" {
			rt.Fatalf("events (-want +got):\n%s", diff)
		}
		for _, name := range slices.Sorted(maps.Keys(s.lanes)) {
			if l := s.lanes[name]; l.dead {
				wanted = append(wanted, fmt.Sprintf("%s|%s %d", id, name, l.attempt))
			}
		}
		n, err := m.store.Sweep(rt.Context(), remediation.Partition(id))
		want(rt, err, nil)
		if n != 0 {
			rt.Fatalf("%d lanes were lost", n)
		}
	}
	dead, err := m.store.DeadLanes(rt.Context())
	want(rt, err, nil)
	var got []string
	for _, d := range dead {
		got = append(got, fmt.Sprintf("%s|%s %d", d.ID, d.Lane, d.Attempts))
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, got); diff != "" {
		rt.Fatalf("dead lanes (-want +got):\n%s", diff)
	}
}

func want(rt *rapid.T, err, wanted error) {
	rt.Helper()
	if !errors.Is(err, wanted) {
		rt.Fatalf("the error should be %v, got %v", wanted, err)
	}
}
