package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"responsehub"
	"responsehub/remediation/steps"
)

// Scan returns the account's suspicious visible inbox rules that are enabled, and its
// consents to apps that are not Microsoft's. Neither tells when it was made, so that the
// time does not narrow it. One half failing does not hide the other: what was found is
// returned together with the error.
func (c *Client) Scan(ctx context.Context, t steps.Target, _ time.Time) ([]responsehub.Item, error) {
	rules, rulesErr := c.scanRules(ctx, t)
	grants, grantsErr := c.scanGrants(ctx, t)
	if responsehub.KindOf(rulesErr) == responsehub.NotFound && rulesErr != nil {
		rulesErr = nil // no mailbox, no rules
	}
	return append(rules, grants...), errors.Join(rulesErr, grantsErr)
}

func (c *Client) scanRules(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	rules, err := c.Rules().list(ctx, t)
	if err != nil {
		return nil, err
	}
	var home []string
	if _, domain, ok := strings.Cut(t.UPN, "@"); ok {
		home = append(home, domain)
	}
	names := map[string]string{}
	folder := func(id string) string {
		if _, ok := names[id]; !ok {
			names[id] = c.folderName(ctx, t, id)
		}
		return names[id]
	}
	var items []responsehub.Item
	for _, rule := range rules {
		id := deref(rule.GetId())
		if id == "" || rule.GetIsEnabled() != nil && !*rule.GetIsEnabled() {
			continue
		}
		if why := suspicion(rule, home, folder); why != nil {
			items = append(items, responsehub.Item{
				ID: responsehub.ItemID(responsehub.InboxRule, id), Kind: responsehub.InboxRule, Object: id,
				Name: deref(rule.GetDisplayName()), Mailbox: t.User, Why: sentence(why),
			})
		}
	}
	return items, nil
}

// folderName reads a folder's name; a folder that cannot be read has none.
func (c *Client) folderName(ctx context.Context, t steps.Target, id string) string {
	k := call{op: "read the folder of the rule", tenant: t.Tenant, mailbox: t.User, about: aMailbox, needs: readsMail}
	var f models.MailFolderable
	_, err := c.do(ctx, k, func(ctx context.Context) (err error) {
		f, err = c.user(t.User).MailFolders().ByMailFolderId(id).Get(ctx, &users.ItemMailFoldersMailFolderItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMailFoldersMailFolderItemRequestBuilderGetQueryParameters{Select: []string{"id", "displayName"}},
		})
		return present(f, err)
	})
	if err != nil {
		return ""
	}
	return deref(f.GetDisplayName())
}

func (c *Client) scanGrants(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	k := call{op: "list the account's consents", tenant: t.Tenant, about: anAccount,
		needs: []string{"Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}}
	var items []responsehub.Item
	apps := map[string]models.ServicePrincipalable{}
	for g, err := range pages(ctx, c, k, func(ctx context.Context, next string) ([]models.OAuth2PermissionGrantable, *string, error) {
		r, err := c.userGrants(t.User, next)(ctx)
		if err := present(r, err); err != nil {
			return nil, nil, err
		}
		return r.GetValue(), r.GetOdataNextLink(), nil
	}) {
		if err != nil {
			return items, err
		}
		id, client := deref(g.GetId()), deref(g.GetClientId())
		if id == "" || client == "" {
			continue
		}
		if _, ok := apps[client]; !ok {
			sp, _, err := c.principal(ctx, t.Tenant, client)
			if err != nil && ClassOf(err) != NotFound {
				return items, err
			}
			apps[client] = sp
		}
		sp := apps[client]
		if isNil(sp) || c.guard(sp) != "" {
			continue
		}
		why := whyAppFromGrant
		if scope := strings.TrimSpace(deref(g.GetScope())); scope != "" {
			why = fmt.Sprintf(whyGrant, clip(strings.Join(strings.Fields(scope), ", ")))
		}
		items = append(items, responsehub.Item{
			ID: responsehub.ItemID(responsehub.OAuthGrant, id), Kind: responsehub.OAuthGrant, Object: id,
			Name: deref(sp.GetDisplayName()), Why: why,
		})
	}
	return items, nil
}
