package remediation

import (
	"context"

	"responsehub"
)

// Amend writes an edit of the hub's own outside a lane, for instance that something
// outside may have changed and is to be looked at. Like every write it wakes the lanes
// that have work now. An edit that changes nothing writes nothing.
func (e *Engine) Amend(ctx context.Context, id string, edit responsehub.Edit) error {
	_, err := e.update(ctx, id, edit)
	return err
}
