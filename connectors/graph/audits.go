package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"responsehub"
	"responsehub/remediation/steps"
)

// readsAudits are the permissions that let the hub read the directory's audit log.
var readsAudits = []string{"AuditLog.Read.All"}

// audited is one entry of the directory's audit log, as far as the hub looks at it.
// https://learn.microsoft.com/en-us/graph/api/resources/directoryaudit
type audited struct {
	At        time.Time `json:"activityDateTime"`
	Result    string    `json:"result"`
	Initiator struct {
		User *struct {
			ID  string `json:"id"`
			UPN string `json:"userPrincipalName"`
		} `json:"user"`
		App *struct {
			AppID     string `json:"appId"`
			Name      string `json:"displayName"`
			Principal string `json:"servicePrincipalId"`
		} `json:"app"`
	} `json:"initiatedBy"`
	Targets []struct {
		ID         string `json:"id"`
		Type       string `json:"type"`
		Name       string `json:"displayName"`
		UPN        string `json:"userPrincipalName"`
		Properties []struct {
			Name string `json:"displayName"`
			Old  string `json:"oldValue"`
			New  string `json:"newValue"`
		} `json:"modifiedProperties"`
	} `json:"targetResources"`
}

// ownerAdded are the two activities that put an owner on an app, and what they put it on.
var ownerAdded = []struct {
	activity string
	kind     responsehub.ItemKind
	what     string // of its properties, and of its type
}{
	{"Add owner to application", responsehub.AppRegistration, "Application"},
	{"Add owner to service principal", responsehub.ServicePrincipal, "ServicePrincipal"},
}

// scanAudits finds the apps to which the account added an owner since the given time, and
// those to which somebody added the account: an owner makes secrets for an app, and
// switches it on again. The lists of owners do not tell when each was added, the audit
// log does. It runs some minutes behind; the hub looks again later.
// https://learn.microsoft.com/en-us/graph/api/directoryaudit-list
func (c *Client) scanAudits(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	var items []responsehub.Item
	for _, a := range ownerAdded {
		entries, err := c.audits(ctx, t, since, "activityDisplayName eq "+quote(a.activity))
		if err != nil {
			return items, err
		}
		for i := range entries {
			item, ok, err := c.ownerItem(ctx, t, &entries[i], a.kind, a.what)
			if err != nil {
				return items, err
			}
			if ok {
				items = append(items, item)
			}
		}
	}
	secrets, err := c.scanSecrets(ctx, t, since)
	return append(items, secrets...), err
}

// audits reads the entries since the given time that match.
func (c *Client) audits(ctx context.Context, t steps.Target, since time.Time, which string) ([]audited, error) {
	k := call{op: "read in the audit log what was changed at apps", tenant: t.Tenant, about: anApp, needs: readsAudits}
	filter := "activityDateTime ge " + stamp(since) + " and " + which
	entries, err := objects[audited](ctx, c, k, c.address(url.Values{"$filter": {filter}}, "auditLogs", "directoryAudits"))
	switch ClassOf(err) {
	case NotFound: // no audit log is not an empty one
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: words(BadRequest, k), Err: err}
	case Licence:
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: auditsLicensed, Err: err}
	}
	return entries, err
}

// ownerItem makes an item of an entry that the account had a part in. What the hub itself
// put back is none.
func (c *Client) ownerItem(ctx context.Context, t steps.Target, e *audited, kind responsehub.ItemKind, what string) (responsehub.Item, bool, error) {
	owner, ownerID, app, name := e.parties(what)
	if app == "" || e.Result != "" && !strings.EqualFold(e.Result, "success") {
		return responsehub.Item{}, false, nil
	}
	mine := func(id, upn string) bool {
		return id != "" && strings.EqualFold(id, t.User) || upn != "" && strings.EqualFold(upn, t.UPN)
	}
	by, byAccount := "", false
	switch {
	case e.Initiator.User != nil:
		by, byAccount = e.Initiator.User.UPN, mine(e.Initiator.User.ID, e.Initiator.User.UPN)
	case e.Initiator.App != nil:
		by = e.Initiator.App.Name
		if !mine(ownerID, owner) {
			break
		}
		own, err := c.actedItself(ctx, t.Tenant, e.Initiator.App.AppID, e.Initiator.App.Principal)
		if own || err != nil {
			return responsehub.Item{}, false, err
		}
	}
	if !byAccount && !mine(ownerID, owner) {
		return responsehub.Item{}, false, nil
	}
	if owner == "" {
		owner = ownerID
	}
	if by == "" {
		by = "somebody whom the audit log does not name"
	}
	return responsehub.Item{
		ID: responsehub.ItemID(kind, app), Kind: kind, Object: app, Name: name, MadeAt: e.At.UTC(), MadeBy: clip(by),
		Why: fmt.Sprintf(whyOwnerAdded, clip(owner), e.At.UTC().Format(shown), clip(by)),
	}, true, nil
}

// actedItself reports whether an app that acted is the hub's own.
func (c *Client) actedItself(ctx context.Context, tenant, appID, principal string) (bool, error) {
	if appID == "" && principal != "" { // the log often leaves the app's id out
		sp, _, err := c.principal(ctx, tenant, principal)
		if ClassOf(err) == NotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		appID = deref(sp.GetAppId())
	}
	return c.isOwn(appID), nil
}

// parties reads who was added to which app. The owner's entry carries the app among its
// changed properties; some entries name the app as a target of its own.
func (e *audited) parties(what string) (owner, ownerID, app, name string) {
	for _, target := range e.Targets {
		if strings.EqualFold(target.Type, what) && app == "" && len(target.Properties) == 0 {
			app, name = target.ID, target.Name
			continue
		}
		if ownerID == "" {
			owner, ownerID = target.UPN, target.ID
		}
		for _, p := range target.Properties {
			switch p.Name {
			case what + ".ObjectID":
				app = unquoted(p.New)
			case what + ".DisplayName":
				name = unquoted(p.New)
			}
		}
	}
	return owner, ownerID, app, name
}

// unquoted reads a value of the audit log, which is JSON inside of JSON.
func unquoted(s string) string {
	var plain string
	if json.Unmarshal([]byte(s), &plain) == nil {
		return plain
	}
	return s
}
