package graph

import (
	"context"
	"encoding/json"

	kjson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// ruleContent is what makes a rule what it does; Graph gives the rest.
var ruleContent = []string{"displayName", "conditions", "actions", "exceptions"}

// Restore switches a rule on again, if it was on, or makes one anew that the hub had
// deleted: with the same content, under a new id. Making a rule cannot be repeated, so
// that after an attempt with an unknown end the mailbox is searched for it first.
// https://learn.microsoft.com/en-us/graph/api/mailfolder-post-messagerules
func (r *Rules) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	on, err := ruleIsOn(item.Snapshot)
	if err != nil {
		return steps.Receipt{}, unreadable(err)
	}
	rule, answer, err := r.get(ctx, t, item)
	if err == nil {
		return r.turn(ctx, t, item, rule, answer, on)
	}
	if ClassOf(err) != NotFound {
		return steps.Receipt{}, err
	}
	if !deleted(item) {
		return steps.Receipt{}, notOurs(err)
	}
	if item.State == responsehub.Running {
		if found, err := r.twin(ctx, t, item); err != nil || found {
			if err != nil {
				return steps.Receipt{}, err
			}
			return r.Restore(ctx, t, item)
		}
	}
	return r.create(ctx, t, item)
}

// turn switches an existing rule on or off.
func (r *Rules) turn(ctx context.Context, t steps.Target, item *responsehub.Item, rule models.MessageRuleable, answer *transport.Answer, on bool) (steps.Receipt, error) {
	if is := rule.GetIsEnabled() == nil || *rule.GetIsEnabled(); is == on || !on {
		return receipt(answer), nil
	}
	k, err := r.call(t, item, "switch the inbox rule on again")
	if err != nil {
		return steps.Receipt{}, err
	}
	k.write, k.needs = true, writesRules
	body := models.NewMessageRule()
	body.SetIsEnabled(&on)
	answer, err = r.c.do(ctx, k, func(ctx context.Context) error {
		_, err := r.rule(k.mailbox, item.Object).Patch(ctx, body, nil)
		return err
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

func (r *Rules) create(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	k, err := r.call(t, item, "make the inbox rule anew")
	if err != nil {
		return steps.Receipt{}, err
	}
	k.write, k.once, k.needs = true, true, writesRules
	body, err := ruleBody(item.Snapshot)
	if err != nil {
		return steps.Receipt{}, unreadable(err)
	}
	var made models.MessageRuleable
	answer, err := r.c.do(ctx, k, func(ctx context.Context) (err error) {
		made, err = r.c.user(k.mailbox).MailFolders().ByMailFolderId("inbox").MessageRules().Post(ctx, body, nil)
		return present(made, err)
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	item.Object = deref(made.GetId())
	return receipt(answer), nil
}

// twin looks for a rule with the content of the one that was deleted.
func (r *Rules) twin(ctx context.Context, t steps.Target, item *responsehub.Item) (bool, error) {
	k, err := r.call(t, item, "list the inbox rules")
	if err != nil {
		return false, err
	}
	k.needs = readsRules
	answer, err := r.c.do(ctx, k, func(ctx context.Context) error {
		got, err := r.c.user(k.mailbox).MailFolders().ByMailFolderId("inbox").MessageRules().Get(ctx, nil)
		return present(got, err)
	})
	if err != nil {
		return false, err
	}
	var list struct{ Value []json.RawMessage }
	if err := json.Unmarshal(answer.Body, &list); err != nil {
		return false, unreadable(err)
	}
	for _, raw := range list.Value {
		var rule struct{ ID string }
		if json.Unmarshal(raw, &rule) == nil && rule.ID != "" && sameFields(item.Snapshot, raw, ruleContent...) {
			item.Object = rule.ID
			return true, nil
		}
	}
	return false, nil
}

// Restored compares whether the rule is on and does what it did.
func (r *Rules) Restored(before, now json.RawMessage) bool {
	was, err := ruleIsOn(before)
	is, err2 := ruleIsOn(now)
	return err == nil && err2 == nil && was == is && sameFields(before, now, ruleContent...)
}

func ruleIsOn(snapshot json.RawMessage) (bool, error) {
	var rule struct{ IsEnabled *bool }
	err := json.Unmarshal(snapshot, &rule)
	return rule.IsEnabled == nil || *rule.IsEnabled, err
}

// ruleBody is the body that makes a rule as the snapshot has it.
func ruleBody(snapshot json.RawMessage) (models.MessageRuleable, error) {
	var was map[string]json.RawMessage
	if err := json.Unmarshal(snapshot, &was); err != nil {
		return nil, err
	}
	body := map[string]json.RawMessage{}
	for _, f := range append([]string{"sequence", "isEnabled"}, ruleContent...) {
		if v, ok := was[f]; ok && string(v) != "null" {
			body[f] = v
		}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	node, err := kjson.NewJsonParseNode(raw)
	if err != nil {
		return nil, err
	}
	v, err := node.GetObjectValue(models.CreateMessageRuleFromDiscriminatorValue)
	if err != nil {
		return nil, err
	}
	return v.(models.MessageRuleable), nil
}
