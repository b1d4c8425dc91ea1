package remediation

import (
	"context"
	"time"

	"responsehub"
)

// Tick notes a person's word that a to-do of the incident is done. Errors: NotFound
// for a to-do it does not have, Forbidden without the right to act, Refused once it is
// closed.
func (e *Engine) Tick(ctx context.Context, actor responsehub.Actor, idOrRef, todo, command string) (responsehub.Answer, error) {
	id, err := e.resolve(ctx, idOrRef)
	if err != nil {
		return responsehub.Answer{}, err
	}
	return e.command(ctx, actor, id, command, responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.Tick(actor, todo, time.Now())
	})
}
