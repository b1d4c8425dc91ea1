package graph

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/applications"
	"github.com/microsoftgraph/msgraph-sdk-go/applicationswithappid"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// Registrations are the apps registered in the tenant. An item's Object is the object id
// or the app id. An app that is registered elsewhere has only an enterprise app here,
// which is then read and disabled in its place.
type Registrations struct{ c *Client }

// registrationFields are asked for by name: isDisabled and keyCredentials come no other way.
var registrationFields = []string{
	"id", "appId", "displayName", "isDisabled", "createdDateTime", "signInAudience", "publisherDomain",
	"keyCredentials", "passwordCredentials", "requiredResourceAccess",
}

// application is a registration with its owners.
type application struct {
	models.Applicationable
	owners   []string // object ids
	snapshot json.RawMessage
	answer   *transport.Answer
}

// Read returns the registration; Active is false when it is deactivated. The snapshot
// holds the owners too: they are taken off.
func (r *Registrations) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	app, err := r.find(ctx, t.Tenant, item.Object)
	if ClassOf(err) == NotFound {
		return r.elsewhere(ctx, t, item, err)
	}
	if err != nil {
		return steps.Reading{}, err
	}
	reading := steps.Reading{Name: deref(app.GetDisplayName()), Active: !disabled(app), Snapshot: app.snapshot, RequestID: app.answer.RequestID}
	if r.c.isOwn(deref(app.GetAppId())) {
		reading.Guard = guardOwn
	}
	return reading, nil
}

// Neutralise takes the owners off the registration, who could switch it on again, and
// deactivates it, whatever the action: nothing is deleted, so that it can be undone.
// Tokens already out live on for up to an hour.
// https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/deactivate-app-registration
func (r *Registrations) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	app, err := r.find(ctx, t.Tenant, item.Object)
	if ClassOf(err) == NotFound {
		sp, _, spErr := r.c.principal(ctx, t.Tenant, item.Object)
		if spErr != nil {
			return steps.Receipt{}, spErr
		}
		return r.c.disablePrincipal(ctx, t.Tenant, sp)
	}
	if err != nil {
		return steps.Receipt{}, err
	}
	if r.c.isOwn(deref(app.GetAppId())) {
		return steps.Receipt{}, responsehub.Refuse(guardOwn)
	}
	id := deref(app.GetId())
	ownersErr := r.dropOwners(ctx, t.Tenant, id, app.owners)
	k := call{op: "deactivate the app registration", tenant: t.Tenant, about: anApp, write: true, needs: writesApps}
	body := models.NewApplication()
	body.SetAdditionalData(map[string]any{"isDisabled": true}) // this version of the SDK does not know the property
	answer, err := r.c.do(ctx, k, func(ctx context.Context) error {
		_, err := r.c.applications().ByApplicationId(id).Patch(ctx, body, nil)
		return err
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), ownersErr
}

// dropOwners takes the owners off; the registration is deactivated even when that fails.
func (r *Registrations) dropOwners(ctx context.Context, tenant, id string, owners []string) error {
	var first error
	k := call{op: "take the owners off the app registration", tenant: tenant, about: anApp, write: true, needs: writesApps}
	for _, owner := range owners {
		_, err := r.c.do(ctx, k, func(ctx context.Context) error {
			return r.c.applications().ByApplicationId(id).Owners().ByDirectoryObjectId(owner).Ref().Delete(ctx, nil)
		})
		if err != nil && ClassOf(err) != NotFound && first == nil {
			first = err
			r.c.log.WarnContext(ctx, ownerStays, "tenant", tenant, "app", id, "owner", owner, "error", err)
		}
	}
	return first
}

// find reads a registration by object id or app id, and its owners.
func (r *Registrations) find(ctx context.Context, tenant, object string) (application, error) {
	k := call{op: "read the app registration", tenant: tenant, about: anApp, needs: readsApps}
	var app models.Applicationable
	answer, err := r.c.do(ctx, k, func(ctx context.Context) (err error) {
		app, err = r.c.applications().ByApplicationId(object).Get(ctx, &applications.ApplicationItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &applications.ApplicationItemRequestBuilderGetQueryParameters{Select: registrationFields},
		})
		return present(app, err)
	})
	if class := ClassOf(err); (class == NotFound || class == BadRequest) && uuid.Validate(object) == nil {
		answer, err = r.c.do(ctx, k, func(ctx context.Context) (err error) {
			app, err = applicationswithappid.NewApplicationsWithAppIdRequestBuilderInternal(r.c.params(), r.c.adapter, &object).Get(ctx, &applicationswithappid.ApplicationsWithAppIdRequestBuilderGetRequestConfiguration{
				QueryParameters: &applicationswithappid.ApplicationsWithAppIdRequestBuilderGetQueryParameters{Select: registrationFields},
			})
			return present(app, err)
		})
	}
	if err != nil {
		return application{}, err
	}
	found := application{Applicationable: app, answer: answer}
	k.op = "read the owners of the app registration"
	var owners models.DirectoryObjectCollectionResponseable
	if _, err := r.c.do(ctx, k, func(ctx context.Context) (err error) {
		owners, err = r.c.applications().ByApplicationId(deref(app.GetId())).Owners().Get(ctx, nil)
		return present(owners, err)
	}); err != nil {
		return application{}, err
	}
	for _, o := range owners.GetValue() {
		if id := deref(o.GetId()); id != "" {
			found.owners = append(found.owners, id)
		}
	}
	found.snapshot, err = json.Marshal(map[string]any{"application": snapshot(answer), "owners": found.owners})
	return found, err
}

// elsewhere reads the enterprise app of an app that is registered in another tenant.
func (r *Registrations) elsewhere(ctx context.Context, t steps.Target, item *responsehub.Item, notFound error) (steps.Reading, error) {
	sp, answer, err := r.c.principal(ctx, t.Tenant, item.Object)
	if ClassOf(err) == NotFound {
		return steps.Reading{}, &responsehub.Error{Kind: responsehub.NotFound, Message: appNotHere, Err: notFound}
	}
	if err != nil {
		return steps.Reading{}, err
	}
	return r.c.principalReading(sp, answer), nil
}

// disabled reads a property that this version of the SDK does not know.
func disabled(app models.Applicationable) bool {
	switch v := app.GetAdditionalData()["isDisabled"].(type) {
	case *bool:
		return deref(v)
	case bool:
		return v
	}
	return false
}
