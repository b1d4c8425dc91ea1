package remediation

// Busy reports whether this process works on lanes right now: what can wait, such as
// looking at tenants, then waits.
func (e *Engine) Busy() bool { return e.working.Load() > 0 }
