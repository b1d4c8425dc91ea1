package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// passwordID is the id of every account's password among its sign-in methods.
const passwordID = "28c10230-6103-485e-b985-444c60001490" //nolint:gosec // an id that is the same everywhere

// Tokens are those of a person who signed in for a tenant.
type Tokens interface {
	Token(ctx context.Context, tenant string) (entra.Token, responsehub.SignIn, error)
}

var _ steps.Writeback = (*Writeback)(nil)

// Writeback resets passwords in the name of a person: Microsoft lets no app do it whose
// effect is written back to on-premises AD.
type Writeback struct {
	c      *Client
	tokens Tokens
}

// Writeback returns what resets passwords in people's names.
func (c *Client) Writeback(tokens Tokens) *Writeback { return &Writeback{c, tokens} }

// Reset asks for a new password, which has to be changed at the next sign-in. Microsoft
// answers at once and goes on by itself: what it returns is the address at which that can
// be followed. An Invalid error says that the policy refuses the password.
// https://learn.microsoft.com/en-us/graph/api/authenticationmethod-resetpassword
func (w *Writeback) Reset(ctx context.Context, tenant, user string, password responsehub.Secret) (string, steps.Receipt, error) {
	k := call{op: "write a new password back to on-premises AD", tenant: tenant, about: anAccount, write: true, once: true, admin: true, needs: []string{entra.DelegatedScope}}
	body, err := json.Marshal(map[string]string{"newPassword": string(password)})
	if err != nil {
		return "", steps.Receipt{}, err
	}
	answer, err := w.send(ctx, k, abs.POST, w.c.address(nil, "users", user, "authentication", "methods", passwordID, "resetPassword"), body)
	if err != nil {
		return "", steps.Receipt{}, err
	}
	at, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || !w.c.pinned(at) {
		return "", receipt(answer), &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: words(UnknownOutcome, k), RequestID: answer.RequestID, Err: &Fault{Class: UnknownOutcome, Op: k.op, Err: errors.New("no operation was named")}}
	}
	return at.String(), receipt(answer), nil
}

// Follow reads how a reset stands. An Invalid error says that the policy on-premises
// refused the password, a Permanent one that it was not written back.
// https://learn.microsoft.com/en-us/graph/api/longrunningoperation-get
func (w *Writeback) Follow(ctx context.Context, tenant, operation string) (done bool, r steps.Receipt, err error) {
	k := call{op: "read whether the password was written back", tenant: tenant, about: anAccount, admin: true, needs: []string{entra.DelegatedScope}}
	at, err := url.Parse(operation)
	if err != nil || !w.c.pinned(at) {
		return false, r, &responsehub.Error{Kind: responsehub.Permanent, Message: words(BadRequest, k)}
	}
	answer, err := w.send(ctx, k, abs.GET, at, nil)
	if err != nil {
		return false, r, err
	}
	var op struct {
		Status string `json:"status"`
		Detail string `json:"statusDetail"`
	}
	if json.Unmarshal(answer.Body, &op) != nil || op.Status == "" {
		return false, r, astray(k, errEmpty)
	}
	switch strings.ToLower(op.Status) {
	case "succeeded":
		return true, receipt(answer), nil
	case "failed", "skipped":
		return false, receipt(answer), unwritten(op.Detail, answer.RequestID)
	}
	return false, receipt(answer), nil // not started, running, or a word of a newer Microsoft
}

// unwritten is the error for a reset that failed. Microsoft's text is looked at and not
// repeated: it is a stranger's.
func unwritten(detail, requestID string) error {
	detail = strings.ToLower(detail)
	for _, word := range []string{"policy", "complexity", "comply", "history", "banned", "weak"} {
		if strings.Contains(detail, word) {
			return &responsehub.Error{Kind: responsehub.Invalid, Message: refusedOnPremises, RequestID: requestID, Err: &Fault{Class: PolicyRejected, Op: "write the password back"}}
		}
	}
	return &responsehub.Error{Kind: responsehub.Permanent, Message: notWrittenBack, RequestID: requestID, Err: &Fault{Class: OnPremMastered, Op: "write the password back"}}
}

const (
	refusedOnPremises = "The password policy of on-premises AD refused the password."
	notWrittenBack    = "Microsoft could not write the password back to on-premises AD. Look in Entra Connect whether password writeback is on and its server is up; an account of a protected group of AD cannot be written back. Or reset the password in AD, twice, by hand."
	writesNot         = ": the person who signed in for this tenant may not. It takes the role Authentication Administrator, and Privileged Authentication Administrator for the account of an administrator. Give it, or sign in as somebody who has it with: responsehub tenant sign-in."
	signInRefused     = ": Microsoft did not accept the sign-in that the hub keeps for this tenant. Sign in anew with: responsehub tenant sign-in."
)

// send makes one request as the person. It is not tried again with a fresh token by
// itself: a reset must not be sent twice.
func (w *Writeback) send(ctx context.Context, k call, method abs.HttpMethod, at *url.URL, body []byte) (*transport.Answer, error) {
	token, _, err := w.tokens.Token(ctx, k.tenant)
	if err != nil {
		return nil, err
	}
	answer, err := w.c.once(ctx, k, token, func(ctx context.Context) error {
		r := abs.NewRequestInformation()
		r.Method = method
		r.SetUri(*at)
		r.Headers.TryAdd("Accept", "application/json")
		if method == abs.GET {
			_, err := w.c.adapter.SendPrimitive(ctx, r, "[]byte", nil)
			return err
		}
		r.SetStreamContentAndContentType(body, "application/json")
		return w.c.adapter.SendNoContent(ctx, r, nil)
	})
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		// The common words speak of the hub's app, which is not who was refused here.
		switch ClassOf(err) {
		case Permission, Missing, ProtectedTarget:
			e.Message = "The hub could not " + k.op + writesNot
		case Auth:
			e.Message = "The hub could not " + k.op + signInRefused
		}
	}
	return answer, err
}
