package oncall_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"responsehub"
	"responsehub/oncall"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
)

// TestAnyOrderOfReports sends the reports of calls and texts in any order, as often as it
// comes or not at all, to whoever was called: no order makes an acknowledgement, no
// attempt goes back, and what was reported in full ends in the same state however it was
// ordered.
func TestAnyOrderOfReports(t *testing.T) {
	states := responsehub.AttemptStates[:slices.Index(responsehub.AttemptStates, responsehub.AttemptAcknowledged)]
	orders := 0
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		d.net.mute = true
		d.alert("a", contoso, responsehub.Critical)
		time.Sleep(10 * time.Second)
		inc := d.look(&responsehub.Incident{ID: incID(1)})
		attempts := inc.Page.Attempts
		d.hub.stop() // the lane would go on by what it is told here, while the phone still rings
		d.pager.Book = remembered{d.pager.Book, map[string]oncall.Binding{}}
		r := rand.New(rand.NewPCG(1, 2))
		for range 10_000 {
			orders++
			a := attempts[r.IntN(len(attempts))]
			d.edit(inc, func(inc *responsehub.Incident) {
				at := inc.Page.Attempt(a.ID)
				at.State, at.Ended = responsehub.AttemptRequested, time.Time{}
			})
			var sent []responsehub.AttemptState
			for range 1 + r.IntN(6) {
				sent = append(sent, states[r.IntN(len(states))])
			}
			if r.IntN(3) == 0 {
				sent = append(sent, sent...)
			}
			r.Shuffle(len(sent), func(i, k int) { sent[i], sent[k] = sent[k], sent[i] })
			rank := func(s responsehub.AttemptState) int { return slices.Index(responsehub.AttemptStates, s) }
			highest := responsehub.AttemptRequested
			for _, s := range sent {
				if rank(s) > rank(highest) {
					highest = s
				}
				if err := d.pager.Reported(d.t.Context(), a.ID, oncall.Progress{SID: a.SID, State: s}); err != nil {
					d.t.Fatal(err)
				}
			}
			now := d.look(inc)
			if at := now.Page.Attempt(a.ID).State; at != highest {
				d.t.Fatalf("%v ended in %s, not %s", sent, at, highest)
			}
			if now.Acknowledged != nil {
				d.t.Fatalf("%v acknowledged the incident", sent)
			}
		}
	})
	t.Logf("%d orders, none acknowledged", orders)
}

// remembered is a book that asks Redis once for what does not change in the test.
type remembered struct {
	oncall.Book
	bindings map[string]oncall.Binding
}

func (r remembered) Binding(ctx context.Context, attempt string) (oncall.Binding, bool, error) {
	if b, ok := r.bindings[attempt]; ok {
		return b, true, nil
	}
	b, ok, err := r.Book.Binding(ctx, attempt)
	r.bindings[attempt] = b
	return b, ok, err
}

func (r remembered) Rung(context.Context, string, string) error { return nil }

func (r remembered) Entries(context.Context, string) ([]oncall.Entry, error) { return nil, nil }

// TestNothingButAKeyOrACodeAcknowledges lets everything happen that may come from the
// network but a 4 or the right code.
func TestNothingButAKeyOrACodeAcknowledges(t *testing.T) {
	bubble(t, []string{"ann", "bob"}, func(d *desk) {
		inc := d.alert("a", contoso, responsehub.Critical)
		time.Sleep(time.Second)
		code := d.code("ann", inc)
		attempts := d.look(inc).Page.Attempts
		d.hub.stop()
		odd := []string{"yes", "YES 1234", "stop", "start", "status", "next", "ack " + code + " " + code, "4", "no " + code, code + "1", "do not ack " + code, "RE: " + code, "code", ""}
		for i, body := range odd { // from the very phone that was asked
			d.text("ann", fmt.Sprint("odd", i), body)
			if a := d.look(inc).Acknowledged; a != nil {
				t.Fatalf("%q acknowledged it", body)
			}
		}
		n := 0
		rapid.Check(struct{ rapid.TB }{d.t}, func(rt *rapid.T) {
			for range rapid.IntRange(1, 10).Draw(rt, "n") {
				n++
				a := attempts[rapid.IntRange(0, len(attempts)-1).Draw(rt, "attempt")]
				id := rapid.SampledFrom([]string{a.ID, "NOBODY", ""}).Draw(rt, "id")
				var err error
				switch rapid.IntRange(0, 3).Draw(rt, "kind") {
				case 0:
					_, err = d.pager.Pressed(d.t.Context(), id, "CA1", rapid.SampledFrom([]string{"", "0", "1", "2", "3", "6", "7", "8", "*", "#", "44", "4 ", "٤"}).Draw(rt, "key"), 0)
				case 1:
					_, err = d.pager.Answered(d.t.Context(), id)
				case 2:
					err = d.pager.Reported(d.t.Context(), id, oncall.Progress{SID: rapid.SampledFrom([]string{"", a.SID, "CA99"}).Draw(rt, "sid"), State: rapid.SampledFrom(responsehub.AttemptStates[:13]).Draw(rt, "state"), Machine: rapid.Bool().Draw(rt, "machine")})
				case 3:
					body := rapid.OneOf(rapid.StringN(0, 20, 40), rapid.SampledFrom([]string{"yes", "YES 1234", "stop", "start", "status", "next", "ack " + code + " " + code, "4", "no " + code, code + "1"})).Draw(rt, "body")
					if strings.Contains(body, code) && len(strings.Fields(body)) == 1 && len(body) == 4 {
						body = ""
					}
					from := rapid.SampledFrom([]string{numbers["ann"], numbers["bob"], "+15559990000", ""}).Draw(rt, "from")
					if from == numbers["ann"] && strings.HasPrefix(strings.ToLower(strings.TrimSpace(body)), "ack") && !strings.Contains(body, code) {
						body = "not ack" // a bare one from the phone that was asked is an answer
					}
					_, err = d.pager.Texted(d.t.Context(), incoming(fmt.Sprint("SM", n), from, body))
				}
				if err != nil {
					rt.Fatal(err)
				}
				if a := d.look(inc).Acknowledged; a != nil {
					rt.Fatalf("acknowledged by %s", a.By.Name)
				}
			}
		})
		t.Logf("%d things happened", n)
	})
}

// TestTwoReplicas runs two hubs over one Redis, with the real engine: everybody is called
// once.
func TestTwoReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		ctx, cancel := context.WithCancel(t.Context())
		net := &network{t: t, ctx: ctx, does: map[string][]string{numbers["bob"]: {"4"}}, said: map[string][]string{}}
		dir := directory{tenants: []responsehub.Tenant{{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: contoso, Notify: responsehub.Notify{
			Phone: &responsehub.OnCall{Sequence: []string{"ann", "bob"}, Wait: time.Minute, Rounds: 1, Redial: 40 * time.Second},
		}}}}
		start := time.Now()
		var hubs []*remediation.Engine
		var done []chan struct{}
		for range 2 {
			s := store.New(rdb)
			e, err := remediation.New(s, s, remediation.Config{Key: bytes.Repeat([]byte{1}, remediation.KeySize), Tenants: dir}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			p := oncall.New(config(net, store.NewPhones(rdb), e, dir), slog.New(slog.DiscardHandler))
			e.Follow(p)
			net.board = p
			ended := make(chan struct{})
			go func() { defer close(ended); e.Run(ctx) }()
			hubs, done = append(hubs, e), append(done, ended)
		}
		inc, _, err := hubs[0].Open(ctx, responsehub.Delivery{Source: "petra", ID: "a", BodyHash: "a"}, alertOf("a", contoso, responsehub.Critical))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Second)
		want := []string{"0s call ann", "0s text ann", "40s call ann", "1m0s call bob", "1m0s text bob", "1m8s tell ann"}
		if got := net.timeline(start); !slices.Equal(got, want) {
			t.Errorf("went out %q", got)
		}
		if now, err := hubs[1].Incident(ctx, responsehub.Hub, inc.ID); err != nil || now.Acknowledged == nil || now.Acknowledged.By.Name != "Bob" {
			t.Errorf("%+v, %v", now, err)
		}
		cancel()
		for _, ended := range done {
			<-ended
		}
		net.wg.Wait()
	})
}
