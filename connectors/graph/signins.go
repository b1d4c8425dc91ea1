package graph

import (
	"context"
	"net/url"
	"time"

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
	switch ClassOf(err) {
	case NotFound: // no log is not an empty one
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: words(BadRequest, k), Err: err}
	case Licence:
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: signInsLicensed, Err: err}
	}
	if err != nil {
		return nil, err
	}
	var ins []responsehub.Session
	for _, e := range entries {
		if e.Status.Code == 0 && !e.At.IsZero() {
			ins = append(ins, responsehub.Session{At: e.At.UTC(), App: clip(e.App), IP: clip(e.IP)})
		}
	}
	return ins, nil
}
