package hook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// Directory is what is asked of the list of tenants and the hub's settings.
type Directory interface {
	Tenants() []responsehub.Tenant
	Tenant(id string) (responsehub.Tenant, bool) // hub id or Microsoft tenant id
	ChangeTenant(ctx context.Context, by responsehub.By, what, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error)
	Settings() responsehub.Settings
	// Sign changes how an address is signed; text says so in the record.
	Sign(ctx context.Context, by responsehub.By, text, id string, edit func(responsehub.Signing) responsehub.Signing) (responsehub.Signing, error)
}

// Office says what [Destinations] works with.
type Office struct {
	Directory Directory
	Sender    Sender
	// Secret is the whsec_ secret of an address in a generation.
	Secret func(address string, generation int) responsehub.Secret
	// Incidents returns the newest incidents of a tenant that the actor may see.
	Incidents func(ctx context.Context, actor responsehub.Actor, tenant string, n int) ([]*responsehub.Incident, error)
	// Amend edits an incident.
	Amend func(ctx context.Context, incident string, edit responsehub.Edit) error
}

// Destinations is where people look after the addresses that a tenant's incidents are
// told to. An address is a secret: it goes in and never comes out.
type Destinations struct{ office Office }

// NewDestinations returns the destinations of all tenants.
func NewDestinations(office Office) *Destinations { return &Destinations{office} }

// looked is over how many of a tenant's newest incidents the standing of its destinations
// is put together, and on how many a retry works.
const looked = 100

// Standing is one destination and how it does.
type Standing struct {
	ID          string // made of the address
	Host        string
	Chat        bool
	Delivered   time.Time // when it last took something; zero: not yet
	Failing     time.Time // since when it has been refusing; zero: it does not
	Failure     string    // why, in a sentence
	Waiting     int       // incidents of which it has not been told something yet
	Dead        int       // those of them that were given up
	Signed      time.Time // when its secret was last rotated; zero: never
	Overlapping bool      // deliveries carry the signature of the secret before too
}

// List returns a tenant's destinations. The standing is that of its newest incidents.
func (d *Destinations) List(ctx context.Context, actor responsehub.Actor, tenant string) ([]Standing, error) {
	t, err := d.tenant(actor, responsehub.See, tenant)
	if err != nil {
		return nil, err
	}
	var all []Standing
	signing, now := d.office.Directory.Settings().Signing, time.Now()
	for _, a := range t.Notify.Webhooks {
		s := signing[responsehub.AddressID(a)]
		all = append(all, Standing{ID: responsehub.AddressID(a), Host: host(a), Signed: s.Since, Overlapping: len(s.Generations(now)) > 1})
	}
	for _, a := range t.Notify.Slack {
		all = append(all, Standing{ID: responsehub.AddressID(a), Host: host(a), Chat: true})
	}
	if len(all) == 0 {
		return nil, nil
	}
	incs, err := d.office.Incidents(ctx, actor, t.ID, looked)
	if err != nil {
		return nil, err
	}
	for i := range all {
		for _, inc := range incs {
			all[i].add(inc.Hooks[all[i].ID])
		}
	}
	return all, nil
}

// add takes over what one incident knows of the destination.
func (s *Standing) add(ref responsehub.HookRef) {
	if ref.At.After(s.Delivered) {
		s.Delivered = ref.At
	}
	if !ref.Dead && ref.Tries == 0 {
		return
	}
	s.Waiting++
	if ref.Dead {
		s.Dead++
	}
	if s.Failing.IsZero() || !ref.Since.IsZero() && ref.Since.Before(s.Failing) {
		s.Failing = ref.Since
	}
	if s.Failure == "" {
		s.Failure = ref.Failure
	}
}

// Add makes an outgoing webhook of a tenant. The secret is returned this once; "" where
// another tenant has the same address, which then has its secret already.
func (d *Destinations) Add(ctx context.Context, actor responsehub.Actor, tenant, address string) (Standing, responsehub.Secret, error) {
	t, err := d.tenant(actor, responsehub.Manage, tenant)
	if err != nil {
		return Standing{}, "", err
	}
	address = strings.TrimSpace(address)
	made := Standing{ID: responsehub.AddressID(address), Host: host(address)}
	_, err = d.office.Directory.ChangeTenant(ctx, actor.By(), "outgoing webhook to "+made.Host+" added", t.ID, func(t *responsehub.Tenant) error {
		if slices.Contains(t.Notify.Webhooks, address) {
			return &responsehub.Error{Kind: responsehub.Conflict, Message: alreadyThere}
		}
		t.Notify.Webhooks = append(slices.Clone(t.Notify.Webhooks), address)
		return t.Check(func(string) bool { return true }) // its people are none of this change
	})
	if err != nil {
		return Standing{}, "", err
	}
	if len(d.users(address)) > 1 {
		return made, "", nil
	}
	secret, err := d.sign(ctx, actor, fmt.Sprintf(signedFirst, made.Host), address, responsehub.Signing.Fresh)
	return made, secret, err
}

// Rotate makes a new secret for an outgoing webhook and returns it this once. For
// [responsehub.SigningOverlap] deliveries carry the signature of the one before as well.
func (d *Destinations) Rotate(ctx context.Context, actor responsehub.Actor, tenant, id string) (Standing, responsehub.Secret, error) {
	_, dest, err := d.find(actor, responsehub.Manage, tenant, id)
	if err != nil {
		return Standing{}, "", err
	}
	if dest.chat {
		return Standing{}, "", &responsehub.Error{Kind: responsehub.Refused, Message: chatUnsigned}
	}
	for _, t := range d.users(dest.address) {
		if actor.May(responsehub.Manage, t.Ref()) != nil {
			return Standing{}, "", &responsehub.Error{Kind: responsehub.Forbidden, Message: sharedAddress}
		}
	}
	now := time.Now().UTC()
	secret, err := d.sign(ctx, actor, fmt.Sprintf(signedAnew, dest.host), dest.address, func(s responsehub.Signing) responsehub.Signing { return s.Rotated(now) })
	return Standing{ID: id, Host: dest.host, Signed: now, Overlapping: true}, secret, err
}

func (d *Destinations) sign(ctx context.Context, actor responsehub.Actor, text, address string, edit func(responsehub.Signing) responsehub.Signing) (responsehub.Secret, error) {
	s, err := d.office.Directory.Sign(ctx, actor.By(), text, responsehub.AddressID(address), edit)
	if err != nil {
		return "", err
	}
	return d.office.Secret(address, s.Generation), nil
}

// Remove takes a destination from a tenant.
func (d *Destinations) Remove(ctx context.Context, actor responsehub.Actor, tenant, id string) error {
	t, dest, err := d.find(actor, responsehub.Manage, tenant, id)
	if err != nil {
		return err
	}
	_, err = d.office.Directory.ChangeTenant(ctx, actor.By(), "webhook to "+dest.host+" removed", t.ID, func(t *responsehub.Tenant) error {
		other := func(a string) bool { return a == dest.address }
		t.Notify.Webhooks = slices.DeleteFunc(slices.Clone(t.Notify.Webhooks), other)
		t.Notify.Slack = slices.DeleteFunc(slices.Clone(t.Notify.Slack), other)
		return nil
	})
	return err
}

// Test sends a destination an event of the kind "test" and returns what it answered, in a
// sentence. The error is about the asking, not about the answer.
func (d *Destinations) Test(ctx context.Context, actor responsehub.Actor, tenant, id string) (taken bool, sentence string, err error) {
	t, dest, err := d.find(actor, responsehub.Manage, tenant, id)
	if err != nil {
		return false, "", err
	}
	now := time.Now()
	if dest.chat {
		var body []byte
		if body, err = testMessage(t.Name, actor.Name); err == nil {
			err = d.office.Sender.Chat(ctx, dest.address, body)
		}
	} else {
		var body []byte
		if body, err = testPayload(&t, actor, now); err == nil {
			err = d.office.Sender.Webhook(ctx, dest.address, fmt.Sprintf("evt_test_%d", now.UnixNano()), now, body)
		}
	}
	if err != nil {
		return false, fmt.Sprintf(testFailed, dest.host, responsehub.Sentence(err)), nil
	}
	return true, fmt.Sprintf(testTaken, dest.host, responsehub.Span(time.Since(now))), nil
}

// Retry has a destination that refuses, or was given up, tried again at once, on the
// tenant's newest incidents, and returns on how many.
func (d *Destinations) Retry(ctx context.Context, actor responsehub.Actor, tenant, id string) (int, error) {
	t, dest, err := d.find(actor, responsehub.Manage, tenant, id)
	if err != nil {
		return 0, err
	}
	incs, err := d.office.Incidents(ctx, actor, t.ID, looked)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, inc := range slices.Backward(incs) { // the oldest first
		if ref := inc.Hooks[id]; !ref.Dead && ref.Tries == 0 {
			continue
		}
		again := false
		err := d.office.Amend(ctx, inc.ID, func(inc *responsehub.Incident) error {
			if again = Retry(inc, id); again {
				inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventLaneRetried, By: actor.By(), Text: fmt.Sprintf(retried, dest.host, actor.Name)})
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		if again {
			n++
		}
	}
	return n, nil
}

// Retried says on how many incidents a destination is tried again.
func Retried(n int) string {
	switch n {
	case 0:
		return "Nothing waits for it."
	case 1:
		return "It is tried again now on one incident."
	}
	return fmt.Sprintf("It is tried again now on %d incidents.", n)
}

func (d *Destinations) tenant(actor responsehub.Actor, verb responsehub.Verb, id string) (responsehub.Tenant, error) {
	t, ok := d.office.Directory.Tenant(id)
	if !ok || !actor.Sees(t.Ref()) {
		return t, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such tenant among yours."}
	}
	return t, actor.May(verb, t.Ref())
}

// find returns one destination of a tenant.
func (d *Destinations) find(actor responsehub.Actor, verb responsehub.Verb, tenant, id string) (responsehub.Tenant, destination, error) {
	t, err := d.tenant(actor, verb, tenant)
	if err != nil {
		return t, destination{}, err
	}
	for _, list := range []struct {
		addresses []string
		chat      bool
	}{{t.Notify.Webhooks, false}, {t.Notify.Slack, true}} {
		for _, a := range list.addresses {
			if responsehub.AddressID(a) == id {
				return t, destination{key: id, address: a, host: host(a), chat: list.chat}, nil
			}
		}
	}
	return t, destination{}, &responsehub.Error{Kind: responsehub.NotFound, Message: noDestination}
}

// users are the tenants that have an address.
func (d *Destinations) users(address string) []responsehub.Tenant {
	var out []responsehub.Tenant
	for _, t := range d.office.Directory.Tenants() {
		if slices.Contains(t.Notify.Webhooks, address) {
			out = append(out, t)
		}
	}
	return out
}
