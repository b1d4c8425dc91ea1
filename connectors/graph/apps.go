package graph

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/serviceprincipals"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

var (
	readsApps  = []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	writesApps = []string{"Application.ReadWrite.All", "Directory.ReadWrite.All"}
)

// microsoftOwner is the tenant that owns Microsoft's first-party apps. The second one is
// Microsoft's corporate tenant, home of tools such as Graph Explorer.
// https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
var microsoftOwners = []string{"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"}

// Tails of the app ids that Microsoft's oldest services have, of which some carry no owner.
var microsoftTails = []string{"-0000-0000-c000-000000000000", "-0000-0ff1-ce00-000000000000"}

// EnterpriseApps are the tenant's service principals. An item's Object is the object id
// or the app id.
type EnterpriseApps struct{ c *Client }

// Read returns the enterprise app; Active is false when nobody can sign in to it.
// https://learn.microsoft.com/en-us/graph/api/serviceprincipal-get
func (e *EnterpriseApps) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	sp, answer, err := e.c.principal(ctx, t.Tenant, item.Object)
	if err != nil {
		return steps.Reading{}, err
	}
	return e.c.principalReading(sp, answer), nil
}

// Neutralise disables the enterprise app whatever the action: nobody can sign in to it
// and it gets no new tokens in this tenant. Nothing is deleted, so that it can be undone.
func (e *EnterpriseApps) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	sp, _, err := e.c.principal(ctx, t.Tenant, item.Object)
	if err != nil {
		return steps.Receipt{}, err
	}
	return e.c.disablePrincipal(ctx, t.Tenant, sp)
}

func (c *Client) disablePrincipal(ctx context.Context, tenant string, sp models.ServicePrincipalable) (steps.Receipt, error) {
	if guard := c.guard(sp); guard != "" {
		return steps.Receipt{}, responsehub.Refuse(guard)
	}
	k := call{op: "disable the enterprise app", tenant: tenant, about: anApp, write: true, needs: writesApps}
	body := models.NewServicePrincipal()
	body.SetAccountEnabled(new(false))
	answer, err := c.do(ctx, k, func(ctx context.Context) error {
		_, err := c.servicePrincipals().ByServicePrincipalId(deref(sp.GetId())).Patch(ctx, body, nil)
		return err
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

func (c *Client) principalReading(sp models.ServicePrincipalable, answer *transport.Answer) steps.Reading {
	return steps.Reading{
		Name: deref(sp.GetDisplayName()), Active: sp.GetAccountEnabled() == nil || *sp.GetAccountEnabled(),
		Guard: c.guard(sp), Snapshot: principalSnapshot(answer), RequestID: answer.RequestID,
	}
}

// principal finds a service principal by object id, or else by app id: detectors give
// either.
func (c *Client) principal(ctx context.Context, tenant, id string) (models.ServicePrincipalable, *transport.Answer, error) {
	k := call{op: "read the enterprise app", tenant: tenant, about: anApp, needs: readsApps}
	var sp models.ServicePrincipalable
	answer, err := c.do(ctx, k, func(ctx context.Context) (err error) {
		sp, err = c.servicePrincipals().ByServicePrincipalId(id).Get(ctx, nil)
		return present(sp, err)
	})
	if class := ClassOf(err); class != NotFound && class != BadRequest || uuid.Validate(id) != nil {
		return sp, answer, err
	}
	filter := "appId eq " + quote(id)
	var list models.ServicePrincipalCollectionResponseable
	answer, listErr := c.do(ctx, k, func(ctx context.Context) (err error) {
		list, err = c.servicePrincipals().Get(ctx, &serviceprincipals.ServicePrincipalsRequestBuilderGetRequestConfiguration{
			QueryParameters: &serviceprincipals.ServicePrincipalsRequestBuilderGetQueryParameters{Filter: &filter},
		})
		return present(list, err)
	})
	if listErr != nil {
		return nil, nil, listErr
	}
	for _, sp := range list.GetValue() {
		if strings.EqualFold(deref(sp.GetAppId()), id) {
			return sp, answer, nil
		}
	}
	return nil, nil, err
}

// guard says why the hub must not touch a service principal; "" when it may.
func (c *Client) guard(sp models.ServicePrincipalable) string {
	owner := ""
	if id := sp.GetAppOwnerOrganizationId(); id != nil {
		owner = id.String()
	}
	return c.spared(deref(sp.GetAppId()), owner)
}

// spared says why the hub must not touch an app; "" when it may.
func (c *Client) spared(appID, owner string) string {
	if c.isOwn(appID) {
		return guardOwn
	}
	appID = strings.ToLower(appID)
	if slices.Contains(microsoftOwners, strings.ToLower(owner)) || slices.ContainsFunc(microsoftTails, func(t string) bool { return strings.HasSuffix(appID, t) }) {
		return guardMicrosoft
	}
	return ""
}

func (c *Client) isOwn(appID string) bool {
	return slices.ContainsFunc(c.ownApps, func(own string) bool { return strings.EqualFold(own, appID) })
}

// principalSnapshot keeps the one object, also when it came in a list.
func principalSnapshot(answer *transport.Answer) json.RawMessage {
	var list struct {
		Value []json.RawMessage `json:"value"`
	}
	if json.Unmarshal(answer.Body, &list) == nil && len(list.Value) == 1 {
		return list.Value[0]
	}
	return snapshot(answer)
}
