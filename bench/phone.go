package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/twilio"
	"responsehub/sim/wire"
)

const (
	mostPage  = 25  // ms from an alert to the first request at Twilio
	atOnce    = 200 // incidents, each with a phone of its own to be called
	fast      = 10  // calls a second while they wait; real accounts begin with one
	mostRate  = 1.05
	mostAhead = 0.02 // share of the calls that went before a more severe one that was waiting
)

// phone measures how soon an idle hub asks Twilio for the first call or text, and whether
// many incidents at once keep to the rate of the number, the most severe first.
func phone(ctx context.Context, o options, t *table) error {
	if err := firstPage(ctx, o, t); err != nil {
		return err
	}
	return manyPages(ctx, t)
}

// firstPage posts alerts at the customer with Response off, one after the other; each is
// acknowledged before the next, so that the phone is free again.
func firstPage(ctx context.Context, o options, t *table) error {
	s, err := raise(ctx, 2, true, setting{twilio: "  calls_per_second: 1000\n  texts_per_second: 1000\n"})
	defer s.stop()
	if err != nil {
		return err
	}
	var first spread
	for n := range o.samples + warm {
		d, err := s.pageSample(ctx, n)
		if err != nil {
			return fmt.Errorf("alert %d: %w", n, err)
		}
		if n >= warm {
			first = append(first, d)
		}
	}
	t.most("phone", "alert to Twilio, p50", first.at(.5), mostPage, "ms")
	t.note("phone", "  beyond", "%s", first.tail())
	return nil
}

// pageSample posts an alert at the customer with Response off and acknowledges it once
// the call was asked for.
func (s *stage) pageSample(ctx context.Context, n int) (time.Duration, error) {
	alert, _ := s.victim(1, n)
	start := time.Now()
	id, _, err := s.post(ctx, alert)
	if err != nil {
		return 0, err
	}
	at, err := s.reached(ctx, "twilio", func(r wire.Request) bool { return r.Method == http.MethodPost })
	if err != nil {
		return 0, err
	}
	if _, err := s.reached(ctx, "twilio", placesCall); err != nil {
		return 0, fmt.Errorf("the call: %w", err)
	}
	return at.Sub(start), s.taken(ctx, id)
}

// taken acknowledges an incident and waits until its call is ended.
func (s *stage) taken(ctx context.Context, id string) error {
	var answer any
	if err := s.do(ctx, "/v1/incidents/"+id+"/acknowledge", http.Header{"Authorization": {"Bearer " + apiKey}}, []byte("{}"), &answer); err != nil {
		return err
	}
	err := s.until(ctx, id, func(inc *responsehub.Incident) bool {
		return inc.Page != nil && inc.Page.Settled && !slices.ContainsFunc(inc.Page.Attempts, func(a responsehub.Attempt) bool { return a.Way == responsehub.ByCall && !a.State.Over() })
	})
	if err != nil {
		return err
	}
	return s.idle(ctx)
}

func placesCall(r wire.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/Calls.json")
}

// waiter is one of the incidents that come at once.
type waiter struct {
	severity responsehub.Severity
	opened   time.Time // when the alert was answered
	called   time.Time // when the call was asked for
}

// manyPages posts alerts of two severities in random order at as many customers, each
// with a person of its own.
func manyPages(ctx context.Context, t *table) error {
	more := setting{twilio: fmt.Sprintf("  calls_per_second: %d\n  texts_per_second: 1000\n", fast)}
	for i := range atOnce {
		more.phones = append(more.phones, twilio.Person{Key: fmt.Sprint("p", i), Name: fmt.Sprint("Person ", i), Number: number(i), Script: "sleeps"})
	}
	s, err := raise(ctx, atOnce, true, more)
	defer s.stop()
	if err != nil {
		return err
	}
	if err := s.sequences(ctx, more.phones); err != nil {
		return err
	}
	all := map[string]*waiter{} // by number
	errs := make([]error, atOnce)
	var wg sync.WaitGroup
	for _, i := range rand.Perm(atOnce) {
		w := &waiter{severity: []responsehub.Severity{responsehub.Critical, responsehub.High}[i%2]}
		all[number(i)] = w
		alert, _ := s.victim(i, i)
		alert["severity"] = string(w.severity)
		wg.Go(func() {
			_, _, errs[i] = s.post(ctx, alert)
			w.opened = time.Now()
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := s.called(ctx, all); err != nil {
		return err
	}
	inOrder(t, all)
	return nil
}

func number(i int) string { return fmt.Sprintf("+1206556%04d", i) }

// sequences gives each customer its person, and turns Response off.
func (s *stage) sequences(ctx context.Context, phones []twilio.Person) error {
	var roster api.Roster
	off := false
	for i, scene := range s.world.Scenes {
		p := phones[i]
		roster.People = append(roster.People, api.Person{ID: p.Key, Name: p.Name, Phone: p.Number, Role: responsehub.Responder, Tenants: []string{"*"}})
		roster.Tenants = append(roster.Tenants, api.RosterTenant{
			Name: scene.Tenant.Name, MicrosoftTenantID: scene.Tenant.ID, Response: &off, Notify: api.Notify{Phone: &api.Phone{Sequence: []string{p.Key}}},
		})
	}
	body, err := json.Marshal(roster)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.url+"/v1/tenants", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header = http.Header{"Authorization": {"Bearer " + apiKey}, "Content-Type": {"application/json"}}
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the customers were not taken over: %s", resp.Status)
	}
	return nil
}

// called waits until everybody's call was asked for.
func (s *stage) called(ctx context.Context, all map[string]*waiter) error {
	for range 1200 {
		left := len(all)
		for _, w := range all {
			w.called = time.Time{}
		}
		for _, r := range s.world.Wire.Requests() {
			if r.Vendor != "twilio" || !placesCall(r) {
				continue
			}
			form, err := url.ParseQuery(r.Body)
			if err != nil {
				return err
			}
			if w := all[form.Get("To")]; w != nil && w.called.IsZero() {
				w.called = r.At
				left--
			}
		}
		if left == 0 {
			return nil
		}
		if !wait(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	return errors.New("not everybody was called within two minutes")
}

// inOrder judges rate and order. A call is out of order when a more severe incident had
// been waiting for a second.
func inOrder(t *table, all map[string]*waiter) {
	var order []*waiter
	for _, w := range all {
		order = append(order, w)
	}
	slices.SortFunc(order, func(a, b *waiter) int { return cmp.Compare(a.called.UnixNano(), b.called.UnixNano()) })
	ahead := 0
	for i, w := range order {
		if w.severity == responsehub.High && slices.ContainsFunc(order[i+1:], func(o *waiter) bool {
			return o.severity == responsehub.Critical && w.called.Sub(o.opened) > time.Second
		}) {
			ahead++
		}
	}
	last := order[len(order)-1].called.Sub(order[0].called)
	rate := float64(len(order)-fast) / last.Seconds() / fast // a second's worth may go at once
	t.most("phone", fmt.Sprintf("%d incidents at once, calls to the rate of %d/s", len(order), fast), rate, mostRate, "x")
	t.most("phone", "  calls before a more severe one that waited", float64(ahead)/float64(len(order)), mostAhead, "of all")
	t.note("phone", "  the last call after", "%.3g s", last.Seconds())
}
