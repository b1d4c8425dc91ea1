package remediation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"responsehub"
)

// maxConflicts bounds how often a write is decided anew because others wrote first.
// Each round some writer succeeds, so running out means something is broken.
const maxConflicts = 50

// resolve turns a ref into an id.
func (e *Engine) resolve(ctx context.Context, idOrRef string) (string, error) {
	if !isRef(idOrRef) {
		return idOrRef, nil
	}
	id, err := e.archive.ByRef(ctx, idOrRef)
	if errors.Is(err, ErrNotFound) {
		return "", notFound(idOrRef)
	}
	return id, unavailable(err)
}

func notFound(idOrRef string) error {
	return &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no incident %.40q.", idOrRef)}
}

// unavailable turns a failure of the store into an error for people. What the store
// refuses as malformed, such as a cursor that it never gave out, stays the asker's fault.
func unavailable(err error) error {
	if e, ok := errors.AsType[*responsehub.Error](err); err == nil || ok && e.Kind == responsehub.Invalid {
		return err
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub cannot reach its store right now. Nothing was changed; try again in a moment.", RetryAfter: 5 * time.Second, Err: err}
}

// load reads an incident, and the answer to a command where one is named.
func (e *Engine) load(ctx context.Context, id, command string) (*responsehub.Incident, State, error) {
	st, err := e.store.Load(ctx, id, command)
	if errors.Is(err, ErrNotFound) {
		return nil, State{}, notFound(id)
	}
	if err != nil {
		return nil, State{}, unavailable(err)
	}
	inc, err := Decode(st)
	return inc, st, err
}

// change turns an edited incident into the commit that stores it. changed is false
// when there is nothing to write.
func (e *Engine) change(st State, before, inc *responsehub.Incident) (c Commit, changed bool, err error) {
	inc.Advance(time.Now())
	events := moved(before, inc, inc.TakeEvents())
	stored, head, err := responsehub.Chain(st.Seq, st.Head, events)
	if err != nil {
		return Commit{}, false, err
	}
	doc, err := Encode(inc)
	if err != nil {
		return Commit{}, false, err
	}
	c = Commit{
		ID: inc.ID, Version: st.Version, Doc: doc, Events: stored, Seq: st.Seq + int64(len(stored)), Head: head,
		Index: Index{Tenant: inc.Tenant.ID, State: inc.State, OpenedAt: inc.OpenedAt, Account: inc.Key, Closed: inc.State.Closed()},
	}
	known := []string(nil)
	if before != nil {
		c.Index.Was, known = before.State, before.Alerts
	}
	for _, a := range inc.Alerts {
		if !slices.Contains(known, a) {
			c.Index.Alerts = append(c.Index.Alerts, a)
		}
	}
	for _, lane := range e.lanes {
		if e.followers[lane].Wake(inc, events) {
			c.Wake = append(c.Wake, Wake{Lane: lane})
		}
	}
	return c, len(stored) > 0 || !bytes.Equal(doc, st.Doc), nil
}

// moved puts what the write moves in the incident's standing on its first event, so that
// the state can be rebuilt from the record.
func moved(before, inc *responsehub.Incident, events []responsehub.Event) []responsehub.Event {
	var was map[string]string
	if before != nil {
		was = before.Standing()
	}
	set := responsehub.Moved(was, inc.Standing())
	if len(set) == 0 {
		return events
	}
	if len(events) == 0 {
		events = []responsehub.Event{{At: time.Now(), Kind: responsehub.EventMoved, By: responsehub.Hub.By()}}
	}
	events[0].Set = set
	return events
}

// command runs a person's or program's request as one write, at most once per command
// id. do may run several times, each time on a fresh copy.
func (e *Engine) command(ctx context.Context, actor responsehub.Actor, id, command string, verb responsehub.Verb, do func(*responsehub.Incident) (responsehub.Answer, error)) (responsehub.Answer, error) {
	for try := range maxConflicts {
		inc, st, err := e.load(ctx, id, command)
		if err != nil {
			return responsehub.Answer{}, err
		}
		if err := e.authorise(actor, verb, inc); err != nil {
			return responsehub.Answer{}, err
		}
		if st.Answer != nil {
			return firstAnswer(st.Answer, inc)
		}
		e.adopt(inc)
		before, err := Decode(st)
		if err != nil {
			return responsehub.Answer{}, err
		}
		answer, err := do(inc)
		answer.Incident = inc
		if err != nil {
			return answer, err
		}
		c, changed, err := e.change(st, before, inc)
		if err != nil || !changed {
			return answer, err
		}
		c.Command = command
		if c.Answer, err = json.Marshal(answer); err != nil {
			return responsehub.Answer{}, err
		}
		done, err := e.store.Commit(ctx, c)
		switch {
		case errors.Is(err, ErrConflict):
			if err := pause(ctx, try); err != nil {
				return responsehub.Answer{}, unavailable(err)
			}
			continue
		case err != nil:
			return responsehub.Answer{}, unavailable(err)
		case done.Repeated:
			// Our own edit was not stored: show what is.
			if inc, _, err = e.load(ctx, id, ""); err != nil {
				return responsehub.Answer{}, err
			}
			return firstAnswer(done.Answer, inc)
		}
		inc.Revision = done.Version
		e.metrics.wrote(before, inc)
		return answer, nil
	}
	return responsehub.Answer{}, unavailable(ErrConflict)
}

// authorise hides what the actor may not see and refuses what the actor may not do.
func (e *Engine) authorise(actor responsehub.Actor, verb responsehub.Verb, inc *responsehub.Incident) error {
	if actor.Role != "" && actor.May(responsehub.See, inc.Tenant) != nil {
		if actor.Via == responsehub.ViaTeams {
			return actor.May(verb, inc.Tenant) // the card is there to see: say why not
		}
		return notFound(inc.ID)
	}
	return actor.May(verb, inc.Tenant)
}

// adopt gives an incident of an unknown tenant its tenant once the hub knows it.
func (e *Engine) adopt(inc *responsehub.Incident) {
	if inc.Tenant.ID != "" || e.tenants == nil || inc.Tenant.MicrosoftTenantID == "" {
		return
	}
	if t, ok := e.tenants.Tenant(inc.Tenant.MicrosoftTenantID); ok {
		inc.Tenant = t.Ref()
	}
}

func firstAnswer(stored []byte, inc *responsehub.Incident) (responsehub.Answer, error) {
	var a responsehub.Answer
	if err := json.Unmarshal(stored, &a); err != nil {
		return responsehub.Answer{}, fmt.Errorf("stored answer: %w", err)
	}
	a.Incident = inc
	return a, nil
}

// update writes an edit of the hub's own, outside a lane.
func (e *Engine) update(ctx context.Context, id string, edit responsehub.Edit) (*responsehub.Incident, error) {
	answer, err := e.command(ctx, responsehub.Hub, id, "", responsehub.See, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return responsehub.Answer{}, edit(inc)
	})
	return answer.Incident, err
}

// pause waits a little before a write is decided anew, longer each time, so that
// writers in a crowd do not keep tripping each other.
func pause(ctx context.Context, try int) error {
	most := min(time.Duration(try+1)*time.Millisecond, 20*time.Millisecond)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(most)):
		return nil
	}
}
