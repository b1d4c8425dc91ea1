package graph

import (
	"context"
	"net/url"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub"
	"responsehub/remediation/steps"
)

var _ steps.SignIns = (*Client)(nil)

// signInsMost bounds how many sign-ins of an account are read at once, newest first.
const signInsMost = "50"

// SignIns lists the account's sign-ins since the given time that Microsoft let through. The
// log of Graph v1.0 has those at which a person or a program presented itself, not silent
// renewals of a token, and it runs minutes behind. The tenant needs Entra ID P1 for it.
// https://learn.microsoft.com/en-us/graph/api/signin-list
func (c *Client) SignIns(ctx context.Context, tenant, user string, since time.Time) ([]responsehub.Session, error) {
	k := call{op: "read the account's sign-ins", tenant: tenant, about: anAccount, needs: readsAudits}
	filter := "userId eq " + quote(user) + " and createdDateTime ge " + stamp(since)
	entries, err := objects[struct {
		At     time.Time `json:"createdDateTime"`
		App    string    `json:"appDisplayName"`
		IP     string    `json:"ipAddress"`
		Status struct {
			Code int `json:"errorCode"`
		} `json:"status"`
	}](ctx, c, k, c.address(url.Values{"$filter": {filter + " and status/errorCode eq 0"}, "$top": {signInsMost}}, "auditLogs", "signIns"))
	if err != nil {
		return nil, unlogged(k, err)
	}
	var ins []responsehub.Session
	for _, e := range entries {
		if e.Status.Code == 0 && !e.At.IsZero() {
			ins = append(ins, responsehub.Session{At: e.At.UTC(), App: clip(e.App), IP: clip(e.IP)})
		}
	}
	return ins, nil
}

// SignInsAnswer reads one sign-in of the tenant, to see whether it has the log.
func (c *Client) SignInsAnswer(ctx context.Context, tenant string) error {
	k := call{op: "read the sign-ins", tenant: tenant, needs: readsAudits}
	if _, err := c.send(ctx, k, abs.GET, c.address(url.Values{"$top": {"1"}}, "auditLogs", "signIns"), nil); err != nil {
		return unlogged(k, err)
	}
	return nil
}

// unlogged says why there is no log. None is not an empty one.
func unlogged(k call, err error) error {
	switch ClassOf(err) {
	case NotFound:
		return &responsehub.Error{Kind: responsehub.Permanent, Message: words(BadRequest, k), Err: err}
	case Licence:
		return &responsehub.Error{Kind: responsehub.Permanent, Message: signInsLicensed, Err: err}
	}
	return err
}
