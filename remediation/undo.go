package remediation

import (
	"context"
	"time"

	"responsehub"
)

// Undo asks for a step to be taken back. The answer is a sentence for the person; the
// second asker joins the first.
func (e *Engine) Undo(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.UndoRequest) (responsehub.Answer, error) {
	id, err := e.resolve(ctx, idOrRef)
	if err != nil {
		return responsehub.Answer{}, err
	}
	admin := e.adminOf(ctx, actor, id, step, func(inc *responsehub.Incident) bool { return inc.Reversible(step) })
	return e.command(ctx, actor, id, r.CommandID, responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		r.TwoPeople = e.needsTwo(inc, actor, admin)
		return inc.AskUndo(step, actor, r, time.Now())
	})
}

// FalseAlarm declares an incident a false alarm: what was done is taken back and the
// incident closes. Asked again after something could not be taken back, it closes all
// the same.
func (e *Engine) FalseAlarm(ctx context.Context, actor responsehub.Actor, idOrRef, reason, command string) (responsehub.Answer, error) {
	id, err := e.resolve(ctx, idOrRef)
	if err != nil {
		return responsehub.Answer{}, err
	}
	admin := e.adminOf(ctx, actor, id, responsehub.Lock, func(inc *responsehub.Incident) bool {
		return inc.Withdrawal == nil && (inc.Reversible(responsehub.Lock) || inc.Step(responsehub.Lock).State.Busy())
	})
	return e.command(ctx, actor, id, command, responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.Withdraw(actor, responsehub.UndoRequest{Reason: reason, TwoPeople: e.needsTwo(inc, actor, admin)}, time.Now())
	})
}
