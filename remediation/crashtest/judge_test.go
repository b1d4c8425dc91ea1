package crashtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// verdict is what a comparison of the promised with the done found.
type verdict struct {
	missing  []string
	disorder []string
	repeated map[responsehub.Lane]int // effects done again, which only some lanes may
}

var lanes = []responsehub.Lane{responsehub.LaneLock, responsehub.LaneRetract, responsehub.LanePersistence, responsehub.LaneAccount}

// exactlyOnce is the lane whose follower reads back before it repeats.
const exactlyOnce = responsehub.LanePersistence

// judge compares the effects on the world with what the incidents need: each lane's
// effects once at least, and each in its place.
func judge(incidents []string, effects []effect) verdict {
	v := verdict{repeated: map[responsehub.Lane]int{}}
	last := map[string]int{}
	for _, e := range effects {
		key := e.Incident + "|" + string(e.Lane)
		switch {
		case !slices.Contains(incidents, e.Incident):
			v.disorder = append(v.disorder, key+": nobody asked for it")
		case e.N == last[key]:
			v.repeated[e.Lane]++
		case e.N != last[key]+1:
			v.disorder = append(v.disorder, fmt.Sprintf("%s: effect %d came after effect %d, by %s", key, e.N, last[key], e.Worker))
		}
		last[key] = e.N
	}
	for _, id := range incidents {
		for _, lane := range lanes {
			for n := last[id+"|"+string(lane)] + 1; n <= effectsPerLane; n++ {
				v.missing = append(v.missing, fmt.Sprintf("%s|%s: effect %d", id, lane, n))
			}
		}
	}
	for n, e := range effects { // a gap in the middle is missing too
		key := func(x effect) bool { return x.Incident == e.Incident && x.Lane == e.Lane && x.N == e.N-1 }
		if e.N > 1 && !slices.ContainsFunc(effects[:n], key) && !slices.ContainsFunc(effects[n:], key) {
			v.missing = append(v.missing, fmt.Sprintf("%s|%s: effect %d", e.Incident, e.Lane, e.N-1))
		}
	}
	return v
}

// report fails the test for what must not be.
func (v verdict) report(t *testing.T) {
	t.Helper()
	for what, found := range map[string][]string{"missing": v.missing, "out of order": v.disorder} {
		if len(found) > 0 {
			t.Errorf("%d effects %s:\n%s", len(found), what, strings.Join(found[:min(len(found), 20)], "\n"))
		}
	}
	if n := v.repeated[exactlyOnce]; n > 0 {
		t.Errorf("%d effects were repeated in the lane that reads back first", n)
	}
}

// TestJudge shows that the judge sees each fault.
func TestJudge(t *testing.T) {
	lane := func(l responsehub.Lane, ns ...int) (es []effect) {
		for _, n := range ns {
			es = append(es, effect{Incident: "a", Lane: l, N: n, Worker: "w"})
		}
		return es
	}
	rest := func(but responsehub.Lane) (es []effect) {
		for _, l := range lanes {
			if l != but {
				es = append(es, lane(l, 1, 2, 3, 4)...)
			}
		}
		return es
	}
	none := map[responsehub.Lane]int{}
	for name, c := range map[string]struct {
		effects []effect
		want    verdict
	}{
		"all in order":          {append(rest(""), []effect{}...), verdict{repeated: none}},
		"repeated":              {append(rest(responsehub.LaneLock), lane(responsehub.LaneLock, 1, 2, 2, 3, 4, 4)...), verdict{repeated: map[responsehub.Lane]int{responsehub.LaneLock: 2}}},
		"the last missing":      {append(rest(responsehub.LaneLock), lane(responsehub.LaneLock, 1, 2, 3)...), verdict{missing: []string{"a|lock: effect 4"}, repeated: none}},
		"one skipped":           {append(rest(responsehub.LaneLock), lane(responsehub.LaneLock, 1, 2, 4)...), verdict{missing: []string{"a|lock: effect 3"}, disorder: []string{"a|lock: effect 4 came after effect 2, by w"}, repeated: none}},
		"a straggler came late": {append(rest(responsehub.LaneLock), lane(responsehub.LaneLock, 1, 2, 3, 2, 4)...), verdict{disorder: []string{"a|lock: effect 2 came after effect 3, by w", "a|lock: effect 4 came after effect 2, by w"}, repeated: none}},
		"of no incident":        {append(rest(""), effect{Incident: "b", Lane: responsehub.LaneLock, N: 1}), verdict{disorder: []string{"b|lock: nobody asked for it"}, repeated: none}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, judge([]string{"a"}, c.effects), cmp.AllowUnexported(verdict{})); d != "" {
				t.Error(d)
			}
		})
	}
}
