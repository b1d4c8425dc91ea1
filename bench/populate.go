package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
)

const (
	customers = 2_000
	incidents = 100_000
	openOnes  = 100
	writers   = 64
)

// populate stores customers, what the last look at each found, and incidents of the last
// year, nearly all of them over. It returns the id of one that is open.
func populate(ctx context.Context, r *server) (string, error) {
	rdb, err := r.client()
	if err != nil {
		return "", err
	}
	defer rdb.Close()
	if err := rdb.ConfigSet(ctx, "appendfsync", "no").Err(); err != nil { // nothing is measured yet
		return "", err
	}
	s, dir := store.New(rdb), store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
	tenants := make([]responsehub.Tenant, customers)
	for n := range tenants {
		t := &tenants[n]
		*t = responsehub.Tenant{
			V: 1, ID: fmt.Sprintf("customer-%04d", n), Name: fmt.Sprintf("Customer %04d Ltd.", n), MicrosoftTenantID: fmt.Sprintf("11111111-1111-4111-8111-%012d", n), Response: n%3 != 0,
			Notify: responsehub.Notify{Mail: []string{fmt.Sprintf("soc@customer%d.example", n)}, Phone: &responsehub.OnCall{Sequence: []string{"ann", "bob"}, Wait: 3 * time.Minute, Rounds: 3}},
		}
	}
	var people []responsehub.Person
	for _, id := range []string{"ann", "bob"} {
		people = append(people, responsehub.Person{V: 1, ID: id, Name: id, Phone: "+15005550006", Role: responsehub.Responder, Tenants: []string{"*"}})
	}
	if err := dir.Apply(ctx, responsehub.Hub.By(), tenants, people); err != nil {
		return "", err
	}
	for _, t := range tenants {
		kept := responsehub.Readiness{V: 1, Tenant: t.Ref(), At: time.Now().UTC(), Checks: checks()}
		if err := s.KeepReadiness(ctx, kept); err != nil {
			return "", err
		}
	}
	numbers, faults := make(chan int), make([]error, writers)
	var wg sync.WaitGroup
	var open string
	for w := range writers {
		wg.Go(func() {
			for n := range numbers {
				id, err := keep(ctx, s, tenants[n%customers].Ref(), n)
				if err != nil {
					faults[w] = err
				}
				if n == 0 {
					open = id // read after all writers ended
				}
			}
		})
	}
	for n := range incidents {
		numbers <- n
	}
	close(numbers)
	wg.Wait()
	return open, errors.Join(append(faults, rdb.ConfigSet(ctx, "appendfsync", "always").Err())...)
}

// checks are as many as a look at a tenant finds.
func checks() []responsehub.Check {
	var all []responsehub.Check
	for n := range 20 {
		c := responsehub.Check{Name: fmt.Sprintf("Right.ReadWrite.%d", n), Grade: responsehub.CheckOK, Sentence: "The application permission is granted, so that the step that needs it will work."}
		if n == 0 {
			c.Grade, c.Sentence = responsehub.CheckWarning, "The message trace does not answer: retraction searches all mailboxes."
		}
		all = append(all, c)
	}
	return all
}

// keep stores the n-th incident; the first ones are open.
func keep(ctx context.Context, s *store.Store, t responsehub.TenantRef, n int) (string, error) {
	var a responsehub.Alert
	if err := json.Unmarshal(alert("pages", n), &a); err != nil {
		return "", err
	}
	at := time.Now().UTC().Add(-time.Duration(n) * 5 * time.Minute)
	inc := responsehub.NewIncident("", fmt.Sprintf("RH-%06d", n), at, "detector", &a, t, true)
	inc.ID = remediation.NewID(inc.Key, at)
	if n >= openOnes {
		inc.State, inc.ClosedAt = responsehub.Remediated, at.Add(time.Hour)
	}
	for i := range inc.Steps {
		st := &inc.Steps[i]
		if n < openOnes && i > 2 {
			break
		}
		st.State, st.VerifiedAt = responsehub.Done, at.Add(time.Duration(i+1)*time.Second)
		st.Proof = &responsehub.Proof{Value: "accountEnabled: false", At: st.VerifiedAt}
		inc.Record(responsehub.Event{At: st.VerifiedAt, Kind: responsehub.EventDone, By: responsehub.Hub.By(), Step: st.ID, Text: "Read back: done."})
	}
	events, head, err := responsehub.Chain(0, "", inc.TakeEvents())
	if err != nil {
		return "", err
	}
	doc, err := remediation.Encode(inc)
	if err != nil {
		return "", err
	}
	_, err = s.Commit(ctx, remediation.Commit{
		ID: inc.ID, Doc: doc, Events: events, Seq: int64(len(events)), Head: head,
		Index: remediation.Index{Tenant: t.ID, State: inc.State, OpenedAt: inc.OpenedAt, Account: inc.Key, Closed: inc.State.Closed()},
	})
	return inc.ID, err
}
