package crashtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"responsehub"
)

// effectsPerLane is how many effects a lane has on the world, in order.
const effectsPerLane = 4

// toy is a follower with effectsPerLane numbered effects.
type toy struct {
	step    responsehub.StepID
	perTurn int  // effects in one turn; 0 is all
	careful bool // saves its intent and reads back before it repeats; the others just repeat
	broken  bool // settles before its effect: what must never be done

	world outside
	at    func(point string, lane responsehub.Lane, n int) // where a worker may be killed or frozen
	flaky bool                                             // some turns fail
}

// outside is the world as a follower reaches it.
type outside interface {
	do(ctx context.Context, e effect) error
	done(ctx context.Context, e effect) (bool, error) // reads back
}

// toys are the followers of the four lanes, each with a manner of its own.
func toys() []*toy {
	return []*toy{
		{step: responsehub.Lock},
		{step: responsehub.Retract, perTurn: 1},
		{step: responsehub.Persistence, careful: true},
		{step: responsehub.Password, perTurn: 2},
	}
}

// followers are the toys as an engine takes them.
func followers(ts []*toy) []responsehub.Follower {
	var fs []responsehub.Follower
	for _, f := range ts {
		fs = append(fs, f)
	}
	return fs
}

func (f *toy) Lane() responsehub.Lane { return f.step.Lane() }

func (f *toy) Wake(inc *responsehub.Incident, _ []responsehub.Event) bool {
	return inc.Step(f.step).State.Busy()
}

func (f *toy) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if !t.Incident.Step(f.step).State.Busy() {
		return responsehub.Settle(nil)
	}
	if f.flaky && rand.N(40) == 0 {
		return responsehub.TryAgain(errors.New("the toy failed"), nil)
	}
	if t.Incident.Step(f.step).State == responsehub.Queued {
		if err := t.Save(ctx, f.begin); err != nil {
			return responsehub.TryAgain(err, nil)
		}
	}
	n, inTurn := f.next(t.Incident), 0
	for ; n <= effectsPerLane; n++ {
		if err := f.effect(ctx, t, n); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		if inTurn++; n == effectsPerLane || inTurn == f.perTurn {
			break
		}
		if err := t.Save(ctx, f.mark(n, responsehub.Done)); err != nil {
			return responsehub.TryAgain(err, nil)
		}
	}
	if n < effectsPerLane {
		return responsehub.ComeBack(time.Millisecond, f.mark(n, responsehub.Done))
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		if n == effectsPerLane {
			if err := f.mark(n, responsehub.Done)(inc); err != nil {
				return err
			}
		}
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventDone, By: responsehub.Hub.By(), Step: f.step})
		return inc.Step(f.step).To(responsehub.Done)
	})
}

// next is the first effect that is not settled.
func (f *toy) next(inc *responsehub.Incident) int {
	for n := 1; n <= effectsPerLane; n++ {
		if inc.Step(f.step).Item(strconv.Itoa(n)).State != responsehub.Done {
			return n
		}
	}
	return effectsPerLane + 1
}

// effect does one effect in the manner of the toy.
func (f *toy) effect(ctx context.Context, t *responsehub.Turn, n int) error {
	e := effect{Incident: t.Incident.ID, Lane: f.Lane(), N: n}
	if f.careful {
		if t.Incident.Step(f.step).Item(strconv.Itoa(n)).State == responsehub.Running {
			if done, err := f.world.done(ctx, e); done || err != nil {
				return err
			}
		} else if err := t.Save(ctx, f.mark(n, responsehub.Running)); err != nil {
			return err
		}
	}
	if f.broken {
		if err := t.Save(ctx, f.mark(n, responsehub.Done)); err != nil {
			return err
		}
	}
	f.at(before, f.Lane(), n)
	if err := f.world.do(ctx, e); err != nil {
		return err
	}
	f.at(between, f.Lane(), n)
	return nil
}

func (f *toy) begin(inc *responsehub.Incident) error {
	s := inc.Step(f.step)
	if len(s.Items) == 0 {
		for n := range effectsPerLane {
			s.Items = append(s.Items, responsehub.Item{ID: strconv.Itoa(n + 1), Kind: responsehub.InboxRule, State: responsehub.Waiting})
		}
	}
	return s.To(responsehub.Running)
}

func (f *toy) mark(n int, state responsehub.StepState) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		it := inc.Step(f.step).Item(strconv.Itoa(n))
		it.State = state
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventProgress, By: responsehub.Hub.By(), Step: f.step, Item: it.ID, Text: string(state)})
		return nil
	}
}
