package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// Methods are the ways in which a user can sign in. An item's Object is the method's id.
type Methods struct{ c *Client }

var (
	readsMethods  = []string{"UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All"}
	writesMethods = []string{"UserAuthenticationMethod.ReadWrite.All"}
)

// methodPaths says where methods of a type are deleted.
// https://learn.microsoft.com/en-us/graph/api/resources/authenticationmethods-overview
var methodPaths = map[string][2]string{
	"phoneAuthenticationMethod":                   {"phoneMethods", "phone number"},
	"emailAuthenticationMethod":                   {"emailMethods", "mail address"},
	"fido2AuthenticationMethod":                   {"fido2Methods", "passkey"},
	"microsoftAuthenticatorAuthenticationMethod":  {"microsoftAuthenticatorMethods", "Authenticator app"},
	"softwareOathAuthenticationMethod":            {"softwareOathMethods", "code app"},
	"temporaryAccessPassAuthenticationMethod":     {"temporaryAccessPassMethods", "temporary access pass"},
	"windowsHelloForBusinessAuthenticationMethod": {"windowsHelloForBusinessMethods", "Windows Hello"},
	"platformCredentialAuthenticationMethod":      {"platformCredentialMethods", "platform credential"},
}

const passwordMethod = "passwordAuthenticationMethod"

// method is a sign-in method. Microsoft does not tell of every one when it was added.
type method struct {
	Type    string    `json:"@odata.type"`
	ID      string    `json:"id"`
	Created time.Time `json:"createdDateTime"`
	Name    string    `json:"displayName"`
	Phone   string    `json:"phoneNumber"`
	Mail    string    `json:"emailAddress"`
	raw     json.RawMessage
}

// UnmarshalJSON keeps the whole method, for the snapshot.
func (m *method) UnmarshalJSON(b []byte) error {
	type plain method
	m.raw = append(json.RawMessage(nil), b...)
	return json.Unmarshal(b, (*plain)(m))
}

func (m method) kind() string { return strings.TrimPrefix(m.Type, "#microsoft.graph.") }

func (m method) title() string {
	return strings.TrimSpace(cmp.Or(methodPaths[m.kind()][1], "sign-in method") + " " + clip(cmp.Or(m.Phone, m.Mail, m.Name)))
}

func (ms *Methods) list(ctx context.Context, t steps.Target) ([]method, error) {
	k := call{op: "read the account's sign-in methods", tenant: t.Tenant, about: anAccount, needs: readsMethods, admin: true}
	return objects[method](ctx, ms.c, k, ms.c.address(nil, "users", t.User, "authentication", "methods"))
}

func (ms *Methods) find(ctx context.Context, t steps.Target, id string) (method, error) {
	all, err := ms.list(ctx, t)
	if err != nil {
		return method{}, err
	}
	for _, m := range all {
		if m.ID == id {
			return m, nil
		}
	}
	return method{}, &responsehub.Error{Kind: responsehub.NotFound, Message: methodGone, Err: &Fault{Class: NotFound, Op: "read the sign-in method"}}
}

// Read returns the method; NotFound when it is not registered any more.
// https://learn.microsoft.com/en-us/graph/api/authentication-list-methods
func (ms *Methods) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	m, err := ms.find(ctx, t, item.Object)
	if err != nil {
		return steps.Reading{}, err
	}
	reading := steps.Reading{Name: m.title(), Active: true, Snapshot: m.raw}
	if _, ok := methodPaths[m.kind()]; !ok {
		reading.Guard = guardMethod
	}
	return reading, nil
}

// Neutralise deletes the method, whatever the action: there is no disabling one. The
// default one goes last, says Microsoft.
func (ms *Methods) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	m, err := ms.find(ctx, t, item.Object)
	if err != nil {
		return steps.Receipt{}, err
	}
	path, ok := methodPaths[m.kind()]
	if !ok {
		return steps.Receipt{}, responsehub.Refuse(guardMethod)
	}
	k := call{op: "delete the sign-in method", tenant: t.Tenant, about: anAccount, write: true, admin: true, needs: writesMethods}
	answer, err := ms.c.send(ctx, k, abs.DELETE, ms.c.address(nil, "users", t.User, "authentication", path[0], m.ID), nil)
	if ClassOf(err) == BadRequest {
		err = &responsehub.Error{Kind: responsehub.Permanent, Message: methodStays, Err: err}
	}
	return receiptOf(answer, err)
}

// receiptOf ends a write; what is gone already is as asked for.
func receiptOf(answer *transport.Answer, err error) (steps.Receipt, error) {
	if err != nil && ClassOf(err) != NotFound {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

func (c *Client) scanMethods(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	all, err := c.Methods().list(ctx, t)
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, m := range all {
		if m.kind() == passwordMethod || m.ID == "" || !m.Created.IsZero() && m.Created.Before(since) {
			continue
		}
		it := responsehub.Item{ID: responsehub.ItemID(responsehub.AuthMethod, m.ID), Kind: responsehub.AuthMethod, Object: m.ID, Name: m.title(), Why: whyMethodUndated}
		if !m.Created.IsZero() {
			it.Why, it.MadeAt = fmt.Sprintf(whyMethod, m.Created.UTC().Format(shown)), m.Created.UTC()
		}
		items = append(items, it)
	}
	return items, nil
}
