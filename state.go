package responsehub

import "slices"

// StepState is where a step, or an item of it, stands. The values are stored.
type StepState string

// The states. Sent means that Microsoft accepted the request; only Done means that
// the effect was read back.
const (
	Waiting    StepState = "waiting"
	Queued     StepState = "queued"
	Running    StepState = "running"
	Sent       StepState = "sent"
	Done       StepState = "done"
	Partial    StepState = "partial"
	Failed     StepState = "failed"
	NeedsHuman StepState = "needs_human"
	Skipped    StepState = "skipped"
	Undone     StepState = "undone"
)

// StepStates lists every state in the order of a step's life.
var StepStates = []StepState{Waiting, Queued, Running, Sent, Done, Partial, Failed, NeedsHuman, Skipped, Undone}

// Transition is one allowed move and what causes it.
type Transition struct {
	From, To StepState
	On       string
}

// Transitions is the whole table; docs/state-machine.md is drawn from it.
var Transitions = []Transition{
	{Waiting, Queued, "asked for"},
	{Waiting, Done, "publish or close asked for: nothing outside to do"},
	{Waiting, Skipped, "set aside with a reason"},
	{Waiting, NeedsHuman, "found, only a person can judge it"},
	{Queued, Running, "work begins, snapshot saved"},
	{Queued, Sent, "Microsoft accepted"},
	{Queued, Done, "found to be so already"},
	{Queued, Failed, "cannot work"},
	{Queued, NeedsHuman, "only a person can go on"},
	{Queued, Partial, "some items done"},
	{Running, Sent, "Microsoft accepted"},
	{Running, Done, "read back"},
	{Running, Partial, "some items done"},
	{Running, Failed, "cannot work"},
	{Running, NeedsHuman, "only a person can go on"},
	{Running, Queued, "to be done again"},
	{Sent, Done, "read back"},
	{Sent, Running, "not in effect: done again"},
	{Sent, Partial, "some items done"},
	{Sent, Failed, "cannot work"},
	{Sent, NeedsHuman, "only a person can go on"},
	{Partial, Queued, "asked for again"},
	{Partial, Done, "the rest was settled"},
	{Partial, NeedsHuman, "only a person can judge the rest"},
	{Partial, Skipped, "set aside with a reason"},
	{Failed, Queued, "asked for again"},
	{Failed, Done, "the rest was settled"},
	{Failed, Skipped, "set aside with a reason"},
	{NeedsHuman, Queued, "asked for again"},
	{NeedsHuman, Done, "a person settled the rest"},
	{NeedsHuman, Skipped, "set aside with a reason"},
	{NeedsHuman, Partial, "it cannot be read any more"},
	{Skipped, Queued, "asked for after all"},
	{Skipped, Partial, "new items came in"},
	{Done, Queued, "asked for again with a reason"},
	{Done, NeedsHuman, "it came back"},
	{Done, Partial, "new items came in"},
	{Done, Undone, "taken back"},
	{Partial, Undone, "taken back"},
	{Undone, Queued, "asked for again"},
	{Queued, Undone, "found to be taken back already"},
	{Running, Undone, "taken back, read back"},
	{Sent, Undone, "taken back, read back"},
	{NeedsHuman, Waiting, "a false alarm was called off"},
}

// May reports whether the table allows the move.
func (s StepState) May(to StepState) bool {
	return slices.ContainsFunc(Transitions, func(t Transition) bool { return t.From == s && t.To == to })
}

// Busy reports whether the hub is at work on it.
func (s StepState) Busy() bool { return s == Queued || s == Running || s == Sent }

// Settled reports whether nothing is left to do: done, taken back by a person, or set aside.
func (s StepState) Settled() bool { return s == Done || s == Skipped || s == Undone }
