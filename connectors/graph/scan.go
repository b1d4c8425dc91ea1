package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"responsehub"
	"responsehub/remediation/steps"
)

// Scan returns the account's suspicious visible inbox rules and automatic replies that are
// on, its consents to apps that are not Microsoft's, and the apps it owns, the apps to
// which it or by it an owner was added, the sign-in methods and the devices that were made
// since the given time. Of rules and consents
// nobody tells when they were made. One part failing does not hide the others: what was
// found is returned together with the errors.
func (c *Client) Scan(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	parts := []func() ([]responsehub.Item, error){
		func() ([]responsehub.Item, error) { return c.scanRules(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanReplies(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanGrants(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanOwned(ctx, t, since) },
		func() ([]responsehub.Item, error) { return c.scanAudits(ctx, t, since) },
		func() ([]responsehub.Item, error) { return c.scanMethods(ctx, t, since) },
		func() ([]responsehub.Item, error) { return c.scanDevices(ctx, t, since) },
	}
	found, errs := make([][]responsehub.Item, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			found[i], errs[i] = part()
			if errs[i] != nil && responsehub.KindOf(errs[i]) == responsehub.NotFound {
				errs[i] = nil // no mailbox, no rules
			}
		})
	}
	wg.Wait()
	return slices.Concat(found...), errors.Join(errs...)
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
