package graph

import (
	"net/http"
	"strings"

	"responsehub/sim/tenant"
)

var ruleList = listing{entity: "messageRule", context: "users('')/mailFolders('inbox')/messageRules", pageSize: 1000, maxPage: 1000, skip: true, always: []string{"id"}}

func ruleObject(r *tenant.Rule) object {
	return object{
		"id": r.ID, "displayName": r.Name, "sequence": r.Sequence, "isEnabled": r.Enabled, "isReadOnly": r.ReadOnly, "hasError": r.HasError,
		"conditions": r.Conditions, "actions": r.Actions, "exceptions": nil,
	}
}

// inbox finds the mailbox; rules exist on the inbox only.
func (c *call) inbox() (*tenant.User, *reply) {
	u, refused := c.mailbox()
	if refused != nil {
		return nil, refused
	}
	if f := tenant.FindFolder(u.Mailbox, c.args[1]); f == nil || f.WellKnown != "inbox" {
		out := fail(http.StatusBadRequest, "ErrorInvalidRequest", "Message rules are supported on the inbox folder only.")
		return nil, &out
	}
	return u, nil
}

// visibleRule finds a rule that this API shows: hidden ones are as if they were not there.
func (c *call) visibleRule(u *tenant.User) (*tenant.Rule, *reply) {
	r := tenant.FindRule(u.Mailbox, c.args[2], false)
	if r == nil || r.Hidden || r.ID != c.args[2] {
		out := itemGone()
		return nil, &out
	}
	return r, nil
}

// listRules: https://learn.microsoft.com/graph/api/mailfolder-list-messagerules
func (c *call) listRules() reply {
	u, refused := c.inbox()
	if refused != nil {
		return *refused
	}
	var visible []*tenant.Rule
	for _, r := range u.Mailbox.Rules {
		if !r.Hidden {
			visible = append(visible, r)
		}
	}
	return c.list(ruleList, each(visible, ruleObject))
}

// getRule: https://learn.microsoft.com/graph/api/messagerule-get
func (c *call) getRule() reply {
	u, refused := c.inbox()
	if refused != nil {
		return *refused
	}
	r, refused := c.visibleRule(u)
	if refused != nil {
		return *refused
	}
	return c.one(ruleList, ruleObject(r))
}

var ruleFields = []string{"displayName", "sequence", "isEnabled", "conditions", "actions", "exceptions"}

// createRule: https://learn.microsoft.com/graph/api/mailfolder-post-messagerules
func (c *call) createRule() reply {
	u, refused := c.inbox()
	if refused != nil {
		return *refused
	}
	m, refused := c.decode(ruleFields...)
	if refused != nil {
		return *refused
	}
	name, _ := m["displayName"].(string)
	actions, _ := m["actions"].(map[string]any)
	if strings.TrimSpace(name) == "" || len(actions) == 0 {
		return fail(http.StatusBadRequest, "ErrorInvalidArgument", "A rule needs a display name and at least one action.")
	}
	r := tenant.AddRule(u, tenant.Rule{Name: name, Actions: actions})
	if refused := change(r, m); refused != nil {
		tenant.RemoveRule(u.Mailbox, r)
		return *refused
	}
	c.effect("rule.create", r.ID, u.UPN+": "+r.Name)
	return reply{status: http.StatusCreated, body: c.created(ruleObject(r), "users('"+u.ID+"')/mailFolders('inbox')/messageRules")}
}

// patchRule: https://learn.microsoft.com/graph/api/messagerule-update
func (c *call) patchRule() reply {
	u, refused := c.inbox()
	if refused != nil {
		return *refused
	}
	m, refused := c.decode(ruleFields...)
	if refused != nil {
		return *refused
	}
	r, refused := c.visibleRule(u)
	if refused != nil {
		return *refused
	}
	if r.ReadOnly {
		return fail(http.StatusForbidden, "ErrorAccessDenied", "The rule is read-only and cannot be changed by this API.")
	}
	was := r.Enabled
	if refused := change(r, m); refused != nil {
		return *refused
	}
	switch {
	case was && !r.Enabled:
		c.effect("rule.disable", r.ID, u.UPN+": "+r.Name)
	case !was && r.Enabled:
		c.effect("rule.enable", r.ID, u.UPN+": "+r.Name)
	}
	return reply{status: http.StatusOK, body: c.created(ruleObject(r), "users('"+u.ID+"')/mailFolders('inbox')/messageRules")}
}

// change applies a body to a rule, all of it or nothing.
func change(r *tenant.Rule, m map[string]any) *reply {
	fresh := *r
	for k, v := range m {
		ok := true
		switch k {
		case "isEnabled":
			fresh.Enabled, ok = v.(bool)
		case "displayName":
			fresh.Name, ok = v.(string)
		case "sequence":
			var n float64
			n, ok = v.(float64)
			fresh.Sequence = int(n)
		case "conditions":
			if v != nil {
				fresh.Conditions, ok = v.(map[string]any)
			}
		case "actions":
			fresh.Actions, ok = v.(map[string]any)
		}
		if !ok {
			out := fail(http.StatusBadRequest, "ErrorInvalidArgument", "The value of '%s' is not valid.", k)
			return &out
		}
	}
	*r = fresh
	return nil
}

// deleteRule: https://learn.microsoft.com/graph/api/messagerule-delete
func (c *call) deleteRule() reply {
	u, refused := c.inbox()
	if refused != nil {
		return *refused
	}
	r, refused := c.visibleRule(u)
	if refused != nil {
		return *refused
	}
	if r.ReadOnly {
		return fail(http.StatusForbidden, "ErrorAccessDenied", "The rule is read-only and cannot be changed by this API.")
	}
	tenant.RemoveRule(u.Mailbox, r)
	c.effect("rule.delete", r.ID, u.UPN+": "+r.Name)
	return reply{status: http.StatusNoContent}
}
