package app

import (
	"context"
	"fmt"
	"slices"

	"responsehub"
	"responsehub/config"
)

// SignedIn is a sign-in that was made, for people to read.
type SignedIn struct {
	Tenant responsehub.TenantRef `json:"tenant"`
	Who    string                `json:"who"`
	Roles  []string              `json:"roles"` // of those that matter
	Lacks  string                `json:"lacks,omitempty"`
}

// SignIn lets a person sign in for a tenant, named by name or id, for what Microsoft lets
// no app do by itself. show is given what the person has to type in where. The sign-in is
// sealed and kept in Redis, where a running hub finds it at once.
func SignIn(ctx context.Context, cfg *config.Config, opts Options, tenant string, show func(responsehub.TenantRef, responsehub.DeviceCode)) (SignedIn, error) {
	a, err := New(cfg, opts)
	if err != nil {
		return SignedIn{}, err
	}
	defer a.rdb.Close()
	if err := within(ctx, a.directory.Refresh); err != nil {
		return SignedIn{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "Redis cannot be reached, where the sign-in is to be kept.", Err: err}
	}
	tenants, err := a.tenantsFor(tenant)
	if err != nil {
		return SignedIn{}, err
	}
	t := tenants[0]
	s, err := a.signIns.SignIn(ctx, t.MicrosoftTenantID, func(c responsehub.DeviceCode) { show(t.Ref(), c) })
	if err != nil {
		return SignedIn{}, err
	}
	out := SignedIn{Tenant: t.Ref(), Who: s.Who}
	token, _, err := a.signIns.Token(ctx, t.MicrosoftTenantID)
	if err != nil {
		return out, err
	}
	out.Roles = token.Rights.DirectoryRoles()
	switch {
	case !token.Rights.Known:
	case !slices.ContainsFunc(out.Roles, resetsPasswords):
		out.Lacks = fmt.Sprintf("%s lacks the role Authentication Administrator in %s, so no password can be reset. Give the role, or sign in as somebody who has it.", s.Who, t.Name)
	case t.PasswordMode != responsehub.PasswordWriteback:
		out.Lacks = fmt.Sprintf("The password_mode of %s is not writeback, so the sign-in is not used yet.", t.Name)
	}
	return out, nil
}

func resetsPasswords(role string) bool {
	return slices.Contains([]string{"Authentication Administrator", "Privileged Authentication Administrator", "Global Administrator"}, role)
}

// SignOut forgets the sign-in of a tenant.
func SignOut(ctx context.Context, cfg *config.Config, opts Options, tenant string) (responsehub.TenantRef, error) {
	a, err := New(cfg, opts)
	if err != nil {
		return responsehub.TenantRef{}, err
	}
	defer a.rdb.Close()
	if err := within(ctx, a.directory.Refresh); err != nil {
		return responsehub.TenantRef{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "Redis cannot be reached, where the sign-in is kept.", Err: err}
	}
	tenants, err := a.tenantsFor(tenant)
	if err != nil {
		return responsehub.TenantRef{}, err
	}
	return tenants[0].Ref(), a.signIns.Forget(ctx, tenants[0].MicrosoftTenantID)
}
