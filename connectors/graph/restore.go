package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"responsehub"
	"responsehub/remediation/steps"
)

var (
	_ steps.Restorer = (*Rules)(nil)
	_ steps.Restorer = (*EnterpriseApps)(nil)
	_ steps.Restorer = (*Registrations)(nil)
	_ steps.Restorer = (*Grants)(nil)
)

// unreadable is the error for a snapshot that cannot be used.
func unreadable(err error) error {
	return &responsehub.Error{Kind: responsehub.Permanent, Message: noSnapshot, Err: err}
}

// notOurs makes the error for something that is not there and that the hub did not delete.
func notOurs(err error) error {
	return &responsehub.Error{Kind: responsehub.NotFound, Message: goneByOthers, Err: err}
}

// deleted reports whether the hub deleted the item, and did not only switch it off.
func deleted(item *responsehub.Item) bool {
	return item.Action == responsehub.Delete || item.Action == responsehub.Remove
}

// Restore switches the enterprise app on again, if it was on.
func (e *EnterpriseApps) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	return e.c.restorePrincipal(ctx, t.Tenant, item)
}

// Restored compares whether people can sign in to the app.
func (e *EnterpriseApps) Restored(before, now json.RawMessage) bool {
	return samePrincipal(before, now)
}

func samePrincipal(before, now json.RawMessage) bool {
	was, err := enabledIn(before)
	is, err2 := enabledIn(now)
	return err == nil && err2 == nil && was == is
}

// enabledIn reads accountEnabled, which is on where nothing is said.
func enabledIn(snapshot json.RawMessage) (bool, error) {
	var sp struct{ AccountEnabled *bool }
	err := json.Unmarshal(snapshot, &sp)
	return sp.AccountEnabled == nil || *sp.AccountEnabled, err
}

func (c *Client) restorePrincipal(ctx context.Context, tenant string, item *responsehub.Item) (steps.Receipt, error) {
	enabled, err := enabledIn(item.Snapshot)
	if err != nil {
		return steps.Receipt{}, unreadable(err)
	}
	sp, answer, err := c.principal(ctx, tenant, item.Object)
	if err != nil {
		return steps.Receipt{}, err
	}
	if !enabled || sp.GetAccountEnabled() == nil || *sp.GetAccountEnabled() {
		return receipt(answer), nil
	}
	k := call{op: "switch the enterprise app on again", tenant: tenant, about: anApp, write: true, needs: writesApps}
	body := models.NewServicePrincipal()
	body.SetAccountEnabled(new(true))
	answer, err = c.do(ctx, k, func(ctx context.Context) error {
		_, err := c.servicePrincipals().ByServicePrincipalId(deref(sp.GetId())).Patch(ctx, body, nil)
		return err
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

// registered is the snapshot of a registration.
type registered struct {
	Application *struct{ IsDisabled *bool } `json:"application"`
	Owners      []string                    `json:"owners"`
}

func (r registered) active() bool {
	return r.Application != nil && (r.Application.IsDisabled == nil || !*r.Application.IsDisabled)
}

// Restore puts the owners back and activates the registration again, if it was active.
// Of an app that is registered elsewhere it is the enterprise app that is switched on.
func (r *Registrations) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	var was registered
	if err := json.Unmarshal(item.Snapshot, &was); err != nil {
		return steps.Receipt{}, unreadable(err)
	}
	if was.Application == nil {
		return r.c.restorePrincipal(ctx, t.Tenant, item)
	}
	app, err := r.find(ctx, t.Tenant, item.Object)
	if err != nil {
		return steps.Receipt{}, err
	}
	id := deref(app.GetId())
	for _, owner := range was.Owners {
		if slices.Contains(app.owners, owner) {
			continue
		}
		if err := r.addOwner(ctx, t.Tenant, id, owner); err != nil {
			return steps.Receipt{}, err
		}
	}
	if !was.active() || !disabled(app) {
		return receipt(app.answer), nil
	}
	k := call{op: "activate the app registration again", tenant: t.Tenant, about: anApp, write: true, needs: writesApps}
	body := models.NewApplication()
	body.SetAdditionalData(map[string]any{"isDisabled": false})
	answer, err := r.c.do(ctx, k, func(ctx context.Context) error {
		_, err := r.c.applications().ByApplicationId(id).Patch(ctx, body, nil)
		return err
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

// addOwner puts one owner back. It was looked up a moment before, so that a refusal
// because it is there already means that an earlier attempt did it.
// https://learn.microsoft.com/en-us/graph/api/application-post-owners
func (r *Registrations) addOwner(ctx context.Context, tenant, id, owner string) error {
	k := call{op: "put the owners of the app registration back", tenant: tenant, about: anApp, write: true, needs: writesApps}
	ref := models.NewReferenceCreate()
	ref.SetOdataId(new(r.c.base.JoinPath("directoryObjects", owner).String()))
	_, err := r.c.do(ctx, k, func(ctx context.Context) error {
		return r.c.applications().ByApplicationId(id).Owners().Ref().Post(ctx, ref, nil)
	})
	return err
}

// Restored compares whether the registration is active and has its owners.
func (r *Registrations) Restored(before, now json.RawMessage) bool {
	var was, is registered
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(now, &is) != nil {
		return false
	}
	if was.Application == nil {
		return samePrincipal(before, now)
	}
	missing := slices.ContainsFunc(was.Owners, func(o string) bool { return !slices.Contains(is.Owners, o) })
	return was.active() == is.active() && !missing
}

// plain drops from a value what Graph may or may not say: null, false, empty lists and
// objects, and OData's own names.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if x = plain(x); x != nil && k[:min(1, len(k))] != "@" {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		var out []any
		for _, x := range v {
			out = append(out, plain(x))
		}
		return out
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// sameFields compares fields of two objects, whatever stands for nothing in them.
func sameFields(before, now json.RawMessage, fields ...string) bool {
	var was, is map[string]any
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(now, &is) != nil {
		return false
	}
	return !slices.ContainsFunc(fields, func(f string) bool { return !reflect.DeepEqual(plain(was[f]), plain(is[f])) })
}

// conflict reports whether Graph refused because the same thing is there already.
func conflict(status int) bool { return status == http.StatusConflict }
