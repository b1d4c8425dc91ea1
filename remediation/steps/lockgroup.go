package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"responsehub"
)

// The to-dos of a lock group that the hub could not change. The ids are stored.
const (
	todoGroupIn  = "lock-group-in"
	todoGroupOut = "lock-group-out"
)

// lockGroup is the group of the incident's tenant whose members Conditional Access shuts
// out, or "". Directory sync does not touch it, so that it holds where the block of
// sign-in is undone.
func (l *Lock) lockGroup(inc *responsehub.Incident) string {
	if l.Groups == nil || l.LockGroup == nil {
		return ""
	}
	return l.LockGroup(inc.Tenant.ID)
}

// early puts the account into the lock group right after the block and the revocation
// went out. It never holds the lock up: what did not work is done and told with the
// read-back.
func (l *Lock) early(ctx context.Context, t *responsehub.Turn) bool {
	group := l.lockGroup(t.Incident)
	if group == "" || t.Incident.Account.ObjectID == "" {
		return false
	}
	_, err := l.Groups.AddMember(ctx, t.Incident.Tenant.MicrosoftTenantID, group, t.Incident.Account.ObjectID)
	return err == nil
}

// inGroup brings the account into the lock group and reads it back. It returns what to
// add to the proof, or why it did not work.
func (l *Lock) inGroup(ctx context.Context, t *responsehub.Turn) (proof, why string) {
	group, tenant, id := l.lockGroup(t.Incident), t.Incident.Tenant.MicrosoftTenantID, t.Incident.Account.ObjectID
	if group == "" || id == "" {
		return "", ""
	}
	why = "Microsoft accepted it but does not show it."
	for _, pause := range polls {
		if err := sleep(ctx, pause); err != nil {
			return "", responsehub.Sentence(err)
		}
		in, err := l.Groups.Member(ctx, tenant, group, id)
		if err == nil && in {
			return "; in the lock group", ""
		}
		if err == nil {
			_, err = l.Groups.AddMember(ctx, tenant, group, id)
		}
		if err != nil {
			if why = responsehub.Sentence(err); hopeless(err) {
				return "", why
			}
		}
	}
	return "", why
}

// grouped notes how it went with the lock group.
func grouped(inc *responsehub.Incident, proof, why string) {
	todo := inc.Todo(todoGroupIn)
	switch {
	case why != "":
		inc.AddTodo(todoGroupIn, "Put the account into the tenant's lock group by hand. "+why)
	case proof != "" && todo != nil && !todo.Done():
		todo.DoneBy, todo.DoneAt = responsehub.Hub.By(), time.Now().UTC()
	}
}

// letIn takes the account out of the lock groups into which the hub put it, and reads it
// back. What only a person can mend becomes a to-do and holds nothing back.
func letIn(ctx context.Context, t *responsehub.Turn, groups Groups) error {
	var b Before
	if raw := t.Incident.Step(responsehub.Lock).Snapshot; groups != nil && len(raw) > 0 {
		if err := json.Unmarshal(raw, &b); err != nil {
			return fmt.Errorf("lock snapshot: %w", err)
		}
	}
	for _, group := range b.Groups {
		err := out(ctx, groups, t.Incident.Tenant.MicrosoftTenantID, group, user(t.Incident))
		if err != nil && !hopeless(err) {
			return err
		}
		if err == nil {
			continue
		}
		why := responsehub.Sentence(err)
		if err := t.Save(ctx, func(inc *responsehub.Incident) error {
			inc.AddTodo(todoGroupOut, "Take the account out of the tenant's lock group by hand, or it stays shut out. "+why)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func out(ctx context.Context, groups Groups, tenant, group, user string) error {
	if _, err := groups.RemoveMember(ctx, tenant, group, user); err != nil {
		return err
	}
	for _, pause := range polls {
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		if in, err := groups.Member(ctx, tenant, group, user); err != nil || !in {
			return err
		}
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft accepted that the account leaves the lock group but does not show it yet."}
}

// joins adds a group to those that the hub put the account into.
func (b *Before) joins(group string) {
	if group != "" && !slices.Contains(b.Groups, group) {
		b.Groups = append(b.Groups, group)
	}
}
