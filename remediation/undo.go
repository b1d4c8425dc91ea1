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
	return e.command(ctx, actor, id, r.CommandID, responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
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
	return e.command(ctx, actor, id, command, responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.FalseAlarm(actor, reason, time.Now())
	})
}
