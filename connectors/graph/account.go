package graph

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"responsehub"
	"responsehub/remediation/steps"
)

var accountFields = []string{
	"id", "userPrincipalName", "displayName", "mail", "accountEnabled", "onPremisesSyncEnabled", "userType",
	"onPremisesSamAccountName", "isManagementRestricted", "signInSessionsValidFromDateTime", "lastPasswordChangeDateTime",
}

// Account reads the user by object id or principal name.
// https://learn.microsoft.com/en-us/graph/api/user-get
func (c *Client) Account(ctx context.Context, tenant, user string) (steps.Account, error) {
	k := call{op: "read the account", tenant: tenant, about: anAccount, needs: []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}}
	var u models.Userable
	answer, err := c.do(ctx, k, func(ctx context.Context) (err error) {
		u, err = c.user(user).Get(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: accountFields},
		})
		return present(u, err)
	})
	if err != nil {
		return steps.Account{}, err
	}
	return steps.Account{
		ObjectID: deref(u.GetId()), UPN: deref(u.GetUserPrincipalName()), DisplayName: deref(u.GetDisplayName()), Mail: deref(u.GetMail()),
		Enabled: deref(u.GetAccountEnabled()), Synced: deref(u.GetOnPremisesSyncEnabled()), Guest: guest(u),
		SAM:               deref(u.GetOnPremisesSamAccountName()),
		Restricted:        deref(u.GetIsManagementRestricted()),
		SessionsValidFrom: deref(u.GetSignInSessionsValidFromDateTime()), PasswordChangedAt: deref(u.GetLastPasswordChangeDateTime()),
		RequestID: answer.RequestID,
	}, nil
}

// SetEnabled blocks or allows sign-in.
// https://learn.microsoft.com/en-us/graph/api/user-update
func (c *Client) SetEnabled(ctx context.Context, tenant, user string, enabled bool) (steps.Receipt, error) {
	k := call{op: "block sign-in for the account", tenant: tenant, about: anAccount, write: true, admin: true,
		needs: []string{"User.EnableDisableAccount.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}}
	if enabled {
		k.op = "allow sign-in for the account again"
	}
	u := models.NewUser()
	u.SetAccountEnabled(&enabled)
	return c.patchUser(ctx, k, user, u)
}

// SetPassword sets a password that has to be changed at the next sign-in. An Invalid
// error says that the tenant's policy refuses the password: make another one. It may be
// repeated with the same password.
func (c *Client) SetPassword(ctx context.Context, tenant, user string, password responsehub.Secret) (steps.Receipt, error) {
	k := call{op: "set a new password for the account", tenant: tenant, about: anAccount, write: true, admin: true,
		needs: []string{"User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}}
	profile := models.NewPasswordProfile()
	profile.SetPassword(new(string(password)))
	profile.SetForceChangePasswordNextSignIn(new(true))
	u := models.NewUser()
	u.SetPasswordProfile(profile)
	return c.patchUser(ctx, k, user, u)
}

func (c *Client) patchUser(ctx context.Context, k call, user string, body models.Userable) (steps.Receipt, error) {
	answer, err := c.do(ctx, k, func(ctx context.Context) error {
		_, err := c.user(user).Patch(ctx, body, nil)
		return err
	})
	if ClassOf(err) == ProtectedTarget || ClassOf(err) == Permission {
		err = c.whyRefused(ctx, k, user, err)
	}
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

// RevokeSessions ends the user's sessions: refresh tokens and browser sessions die within
// minutes, access tokens already out live on for up to an hour. It has no effect on
// guests, who sign in at home.
// https://learn.microsoft.com/en-us/graph/api/user-revokesigninsessions
func (c *Client) RevokeSessions(ctx context.Context, tenant, user string) (steps.Receipt, error) {
	k := call{op: "revoke the account's sessions", tenant: tenant, about: anAccount, write: true,
		needs: []string{"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}}
	answer, err := c.do(ctx, k, func(ctx context.Context) error {
		// The documented answer is 200 with true; 204 gives nil without an error.
		_, err := c.user(user).RevokeSignInSessions().PostAsRevokeSignInSessionsPostResponse(ctx, nil)
		return err
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}
