package api

import (
	"context"
	"net/http"
	"time"

	"responsehub"
	"responsehub/hook"
)

// Destinations looks after the outgoing webhooks and Slack webhooks of tenants.
type Destinations interface {
	List(ctx context.Context, actor responsehub.Actor, tenant string) ([]hook.Standing, error)
	Add(ctx context.Context, actor responsehub.Actor, tenant, address string) (hook.Standing, responsehub.Secret, error)
	Rotate(ctx context.Context, actor responsehub.Actor, tenant, id string) (hook.Standing, responsehub.Secret, error)
	Remove(ctx context.Context, actor responsehub.Actor, tenant, id string) error
	Test(ctx context.Context, actor responsehub.Actor, tenant, id string) (taken bool, sentence string, err error)
	Retry(ctx context.Context, actor responsehub.Actor, tenant, id string) (int, error)
}

var _ Destinations = (*hook.Destinations)(nil)

// Destination is an address that a tenant's incidents are told to, and how it does.
type Destination struct {
	ID          string    `json:"id" doc:"made of the address, which is a secret and in no answer"`
	Host        string    `json:"host"`
	Kind        string    `json:"kind" doc:"webhook: every event, signed; slack: what people should notice"`
	DeliveredAt time.Time `json:"delivered_at,omitzero" doc:"when it last took something"`
	FailingFrom time.Time `json:"failing_since,omitzero" doc:"left out while it takes what it is sent"`
	Failure     string    `json:"failure,omitempty" doc:"why, once it failed three times in a row"`
	Waiting     int       `json:"waiting" doc:"of how many of the newest 100 incidents it has not been told something yet"`
	Dead        int       `json:"dead" doc:"how many of those were given up; a retry starts them again"`
	RotatedAt   time.Time `json:"rotated_at,omitzero"`
	Overlapping bool      `json:"overlapping,omitempty" doc:"deliveries carry the signature of the secret before too"`
}

// DestinationBody names a new outgoing webhook.
type DestinationBody struct {
	Address string `json:"address" need:"true" doc:"https, public"`
}

// SignedDestination is a destination with its secret, which is shown this once.
type SignedDestination struct {
	Destination
	Secret   string `json:"secret,omitempty" doc:"whsec_..., for https://www.standardwebhooks.com; left out where another tenant has the same address, which is signed with the secret it has"`
	Sentence string `json:"sentence"`
}

// Tested is what a destination answered to a test event.
type Tested struct {
	Taken    bool   `json:"taken"`
	Sentence string `json:"sentence"`
}

// Again says on how many incidents a destination is tried again.
type Again struct {
	Incidents int    `json:"incidents"`
	Sentence  string `json:"sentence"`
}

func (a *API) destinationRoutes() []route {
	const all, one = "/v1/tenants/:id/destinations", "/v1/tenants/:id/destinations/:destination"
	return []route{
		on("GET", all, "listDestinations", http.StatusOK, a.listDestinations, "The outgoing webhooks of a tenant, and how they do"),
		on("POST", all, "addDestination", http.StatusCreated, a.addDestination, "Add an outgoing webhook; the answer is the only place where its secret is shown"),
		on("DELETE", one, "removeDestination", http.StatusOK, a.removeDestination, "Remove a destination: it hears nothing more"),
		on("POST", one+"/rotate", "rotateDestination", http.StatusOK, a.rotateDestination, "Make a new secret; for 24 hours deliveries carry both signatures"),
		on("POST", one+"/test", "testDestination", http.StatusOK, a.testDestination, "Send an event of the type test now"),
		on("POST", one+"/retry", "retryDestination", http.StatusAccepted, a.retryDestination, "Try a destination again that refuses or was given up: what it missed comes in order"),
	}
}

func (a *API) destinationIDs(r call) (tenant, destination string, err error) {
	if a.hooks == nil {
		return "", "", &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub has no outgoing webhooks."}
	}
	if tenant, err = r.id("id"); err == nil {
		destination, err = r.id("destination")
	}
	return tenant, destination, err
}

func destinationView(s *hook.Standing) Destination {
	kind := "webhook"
	if s.Chat {
		kind = "slack"
	}
	return Destination{
		ID: s.ID, Host: s.Host, Kind: kind, DeliveredAt: s.Delivered, FailingFrom: s.Failing, Failure: s.Failure,
		Waiting: s.Waiting, Dead: s.Dead, RotatedAt: s.Signed, Overlapping: s.Overlapping,
	}
}

func (a *API) listDestinations(r call, _ none) (List[Destination], error) {
	tenant, _, err := a.destinationIDs(r)
	if err != nil {
		return List[Destination]{}, err
	}
	all, err := a.hooks.List(r, r.actor, tenant)
	out := List[Destination]{Items: []Destination{}}
	for i := range all {
		out.Items = append(out.Items, destinationView(&all[i]))
	}
	return out, err
}

func (a *API) addDestination(r call, in DestinationBody) (SignedDestination, error) {
	tenant, _, err := a.destinationIDs(r)
	if err != nil {
		return SignedDestination{}, err
	}
	made, secret, err := a.hooks.Add(r, r.actor, tenant, in.Address)
	if err != nil {
		return SignedDestination{}, err
	}
	a.log.Warn("outgoing webhook added", "tenant", tenant, "host", made.Host, "actor", r.actor.ID, "name", r.actor.Name)
	sentence := "Copy the secret now: it is shown this once. The receiver verifies with it."
	if secret == "" {
		sentence = "Another tenant has this address. It is signed with the secret it has; rotate it to see a new one."
	}
	return SignedDestination{destinationView(&made), string(secret), sentence}, nil
}

func (a *API) rotateDestination(r call, _ none) (SignedDestination, error) {
	tenant, id, err := a.destinationIDs(r)
	if err != nil {
		return SignedDestination{}, err
	}
	made, secret, err := a.hooks.Rotate(r, r.actor, tenant, id)
	if err != nil {
		return SignedDestination{}, err
	}
	a.log.Warn("secret of an outgoing webhook rotated", "tenant", tenant, "host", made.Host, "actor", r.actor.ID, "name", r.actor.Name)
	return SignedDestination{destinationView(&made), string(secret), "Copy the secret now: it is shown this once. For 24 hours deliveries carry the signature of the old one too."}, nil
}

func (a *API) removeDestination(r call, _ none) (Removed, error) {
	tenant, id, err := a.destinationIDs(r)
	if err == nil {
		err = a.hooks.Remove(r, r.actor, tenant, id)
	}
	if err != nil {
		return Removed{}, err
	}
	return Removed{ID: id, Sentence: "It is removed and hears nothing more."}, nil
}

func (a *API) testDestination(r call, _ none) (Tested, error) {
	tenant, id, err := a.destinationIDs(r)
	if err != nil {
		return Tested{}, err
	}
	taken, sentence, err := a.hooks.Test(r, r.actor, tenant, id)
	return Tested{Taken: taken, Sentence: sentence}, err
}

func (a *API) retryDestination(r call, _ none) (Again, error) {
	tenant, id, err := a.destinationIDs(r)
	if err != nil {
		return Again{}, err
	}
	n, err := a.hooks.Retry(r, r.actor, tenant, id)
	return Again{Incidents: n, Sentence: hook.Retried(n)}, err
}
