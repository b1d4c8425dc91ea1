package responsehub

import (
	"fmt"
	"time"
)

// Product is what a tenant bought of the hub. The values are stored.
type Product string

// The products. Empty is [ProductResponse].
const (
	ProductResponse Product = "response" // everything: steps may run by themselves
	ProductNotify   Product = "notify"   // people are told and press the steps; nothing runs by itself
)

// Products lists the products, the full one first.
var Products = []Product{ProductResponse, ProductNotify}

// Bought is the tenant's product.
func (t *Tenant) Bought() Product {
	if t.Product == "" {
		return ProductResponse
	}
	return t.Product
}

// Automatic reports whether the tenant's policy asks for steps by itself: Response is on
// and part of what was bought. A pause holds the steps back later, see [Tenant.Holds].
func (t *Tenant) Automatic() bool { return t.Response && t.Bought() == ProductResponse }

// Switch gives the tenant another product. Response, which is not part of every product,
// goes off where it is not; switching back does not turn it on.
func (t *Tenant) Switch(to Product) {
	t.Product = to
	t.Response = t.Automatic()
}

// Pause pauses the tenant or resumes it. Who paused it first stays on record.
func (t *Tenant) Pause(on bool, by By, now time.Time) {
	switch {
	case !on:
		t.Paused = nil
	case t.Paused == nil:
		t.Paused = &Stop{By: by, At: now.UTC().Truncate(time.Second)}
	}
}

// Holds returns what a pause of the tenant holds back.
func (t *Tenant) Holds() []Hold {
	if t.Paused == nil {
		return nil
	}
	why := fmt.Sprintf("%s is paused since %s at %s", t.Name, t.Paused.At.UTC().Format("2006-01-02"), clock(t.Paused.At))
	if t.Paused.By.Name != "" {
		why += " (" + t.Paused.By.Name + ")"
	}
	return []Hold{{Steps: []StepID{Lock, Retract, Persistence}, Why: why + "."}}
}

// Subscription is what the hub's operator bought. Its end costs comfort and never safety:
// only what grows the hub waits, and no rule of remediation asks it. The same holds for a
// tenant's own trial.
type Subscription struct {
	TrialEnds time.Time // of the hub; zero: there is no trial
}

const goesOn = " Remediation goes on as before, for every tenant."

// MayOnboard returns nil while new tenants can be taken in, and otherwise a Refused error
// with a sentence.
func (s Subscription) MayOnboard(now time.Time) error {
	if !over(s.TrialEnds, now) {
		return nil
	}
	return Refuse("The trial of this hub ended on " + day(s.TrialEnds) + ", so no tenant can be added until there is a subscription (subscription.trial_ends)." + goesOn)
}

// MaySwitch returns nil when the tenant's product can be switched, and otherwise a Refused
// error with a sentence. Staying at the same product is always possible.
func (s Subscription) MaySwitch(t *Tenant, to Product, now time.Time) error {
	switch {
	case to == t.Bought() || to == "" && t.Bought() == ProductResponse:
		return nil
	case over(s.TrialEnds, now):
		return Refuse("The trial of this hub ended on " + day(s.TrialEnds) + ", so products cannot be switched until there is a subscription (subscription.trial_ends)." + goesOn)
	case over(t.TrialEnds, now):
		return Refuse("The trial of " + t.Name + " ended on " + day(t.TrialEnds) + ", so its product cannot be switched until it has a subscription." + goesOn)
	}
	return nil
}

func over(ends, now time.Time) bool { return !ends.IsZero() && !now.Before(ends) }

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }
