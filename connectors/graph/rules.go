package graph

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

var (
	readsRules  = []string{"MailboxSettings.ReadWrite", "MailboxSettings.Read"}
	writesRules = []string{"MailboxSettings.ReadWrite"}
)

// Rules are the inbox rules that Graph shows. An item's Object is the rule's id; its
// Mailbox, or else the target's user, is whose rule it is. Hidden rules are refused:
// they are package exchange's.
type Rules struct{ c *Client }

// Read returns the rule; Active is false for a disabled one.
// https://learn.microsoft.com/en-us/graph/api/messagerule-get
func (r *Rules) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	rule, answer, err := r.get(ctx, t, item)
	if err != nil {
		return steps.Reading{}, err
	}
	return steps.Reading{
		Name: deref(rule.GetDisplayName()), Active: rule.GetIsEnabled() == nil || *rule.GetIsEnabled(),
		Snapshot: snapshot(answer), RequestID: answer.RequestID,
	}, nil
}

func (r *Rules) get(ctx context.Context, t steps.Target, item *responsehub.Item) (models.MessageRuleable, *transport.Answer, error) {
	k, err := r.call(t, item, "read the inbox rule")
	if err != nil {
		return nil, nil, err
	}
	k.needs = readsRules
	var rule models.MessageRuleable
	answer, err := r.c.do(ctx, k, func(ctx context.Context) (err error) {
		rule, err = r.rule(k.mailbox, item.Object).Get(ctx, nil)
		return present(rule, err)
	})
	return rule, answer, err
}

// Neutralise disables the rule, or deletes it for the actions delete and remove. A rule
// that is gone already is a success.
func (r *Rules) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, action responsehub.Action) (steps.Receipt, error) {
	k, err := r.call(t, item, "disable the inbox rule")
	if err != nil {
		return steps.Receipt{}, err
	}
	k.write, k.needs = true, writesRules
	remove := action == responsehub.Delete || action == responsehub.Remove
	if remove {
		k.op = "delete the inbox rule"
	}
	answer, err := r.c.do(ctx, k, func(ctx context.Context) error {
		if remove {
			return r.rule(k.mailbox, item.Object).Delete(ctx, nil)
		}
		rule := models.NewMessageRule()
		rule.SetIsEnabled(new(false))
		_, err := r.rule(k.mailbox, item.Object).Patch(ctx, rule, nil)
		return err
	})
	switch {
	case err == nil:
	case remove && ClassOf(err) == NotFound:
	case ClassOf(err) == BadRequest && r.readOnly(ctx, t, item):
		return steps.Receipt{}, &responsehub.Error{Kind: responsehub.Forbidden, Message: words(ReadOnly, k), Err: &Fault{Class: ReadOnly, Op: k.op, Err: err}}
	default:
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

// readOnly asks, after a refusal, whether the rule is one that Graph cannot change.
func (r *Rules) readOnly(ctx context.Context, t steps.Target, item *responsehub.Item) bool {
	rule, _, err := r.get(ctx, t, item)
	return err == nil && deref(rule.GetIsReadOnly())
}

func (r *Rules) call(t steps.Target, item *responsehub.Item, op string) (call, error) {
	k := call{op: op, tenant: t.Tenant, mailbox: cmp.Or(item.Mailbox, t.User), about: aRule}
	if item.Hidden {
		return k, &responsehub.Error{Kind: responsehub.Permanent, Message: goneHiddenRule}
	}
	return k, nil
}

func (r *Rules) rule(mailbox, id string) *users.ItemMailFoldersItemMessageRulesMessageRuleItemRequestBuilder {
	return r.c.user(mailbox).MailFolders().ByMailFolderId("inbox").MessageRules().ByMessageRuleId(id)
}

// list returns the mailbox's visible rules. Outlook has no pages of rules.
func (r *Rules) list(ctx context.Context, t steps.Target) ([]models.MessageRuleable, error) {
	k := call{op: "list the inbox rules", tenant: t.Tenant, mailbox: t.User, about: aMailbox, needs: readsRules}
	var got models.MessageRuleCollectionResponseable
	_, err := r.c.do(ctx, k, func(ctx context.Context) (err error) {
		got, err = r.c.user(t.User).MailFolders().ByMailFolderId("inbox").MessageRules().Get(ctx, nil)
		return present(got, err)
	})
	if err != nil {
		return nil, err
	}
	return got.GetValue(), nil
}

// snapshot keeps the object as Microsoft described it.
func snapshot(a *transport.Answer) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, a.Body) != nil {
		return nil
	}
	return b.Bytes()
}
