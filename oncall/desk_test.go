package oncall_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/oncall"
	"responsehub/store"
	"responsehub/store/storetest"
)

// desk is a hub with a telephone network.
type desk struct {
	t     *testing.T
	net   *network
	book  oncall.Book
	dir   directory
	hub   *lanes
	pager *oncall.Pager
	start time.Time
}

const contoso = "11111111-1111-4111-8111-111111111111"

// bubble runs a story in a bubble.
func bubble(t *testing.T, sequence []string, story func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		ctx, cancel := context.WithCancel(t.Context())
		d := &desk{t: t, book: store.NewPhones(rdb), net: &network{t: t, ctx: ctx, does: map[string][]string{}, said: map[string][]string{}}, start: time.Now()}
		d.dir.tenants = []responsehub.Tenant{{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: contoso, Notify: responsehub.Notify{
			Phone: &responsehub.OnCall{Sequence: sequence, Wait: 3 * time.Minute, Rounds: 3},
		}}}
		for i := range 50 {
			d.dir.tenants = append(d.dir.tenants, responsehub.Tenant{V: 1, ID: fmt.Sprintf("t%02d", i), Name: fmt.Sprintf("Tenant %02d", i), MicrosoftTenantID: tenantID(i), Notify: d.dir.tenants[0].Notify})
		}
		d.hub = newLanes(t, d.dir)
		d.up()
		story(d)
		d.hub.stop()
		cancel()
		d.net.wg.Wait()
	})
}

func tenantID(i int) string { return fmt.Sprintf("22222222-2222-4222-8222-2222222222%02d", i) }

func config(net *network, book oncall.Book, incs oncall.Incidents, dir directory) oncall.Config {
	alarm := func(_ context.Context, a responsehub.Alarm) {
		net.mu.Lock()
		defer net.mu.Unlock()
		net.tells = append(net.tells, a.Words)
	}
	return oncall.Config{Alarm: alarm, Phone: net, Book: book, Incidents: incs, Directory: dir, Fallback: []string{"boss"}, Own: []string{"+15005550000"}}
}

// up starts a hub; after stop it is a restart.
func (d *desk) up() {
	d.pager = oncall.New(config(d.net, d.book, d.hub, d.dir), slog.New(slog.DiscardHandler))
	d.net.board = d.pager
	d.hub.start(d.pager)
}

func alertOf(id, tenant string, s responsehub.Severity) *responsehub.Alert {
	return &responsehub.Alert{
		Version: "1", ID: id, DetectedAt: time.Now(), Tenant: responsehub.AlertTenant{MicrosoftTenantID: tenant},
		Account: responsehub.Account{UserPrincipalName: id + "@contoso.example"}, Severity: s, Title: "Account takeover",
	}
}

func (d *desk) alert(id, tenant string, s responsehub.Severity) *responsehub.Incident {
	return d.hub.open(alertOf(id, tenant, s))
}

func (d *desk) look(inc *responsehub.Incident) *responsehub.Incident {
	d.t.Helper()
	now, err := d.hub.Incident(d.t.Context(), responsehub.Hub, inc.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return now
}

// edit is what somebody does by another surface.
func (d *desk) edit(inc *responsehub.Incident, edit func(inc *responsehub.Incident)) {
	d.t.Helper()
	if err := d.hub.Amend(d.t.Context(), inc.ID, func(inc *responsehub.Incident) error { edit(inc); return nil }); err != nil {
		d.t.Fatal(err)
	}
}

// record is the incident's record, as far as it is about phones.
func (d *desk) record(inc *responsehub.Incident) []string {
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	return texts(d.hub.events[inc.ID])
}

func texts(events []responsehub.Event) []string {
	var out []string
	for _, e := range events {
		switch e.Kind {
		case responsehub.EventPageBegun, responsehub.EventPageAttempt, responsehub.EventPagePassed, responsehub.EventPageNobody, responsehub.EventPageAgain, responsehub.EventPhoneFault, responsehub.EventAcknowledged:
			out = append(out, e.Text)
		}
	}
	return out
}

// text is a text from a person.
func (d *desk) text(from, sid, body string) string {
	d.t.Helper()
	reply, err := d.pager.Texted(d.t.Context(), oncall.Incoming{SID: sid, From: numbers[from], To: "+15005550000", Body: body})
	if err != nil {
		d.t.Fatal(err)
	}
	return reply
}

// code is the code in the last text that somebody got about an incident.
func (d *desk) code(who string, inc *responsehub.Incident) string {
	d.t.Helper()
	d.net.mu.Lock()
	defer d.net.mu.Unlock()
	for _, t := range slices.Backward(d.net.texts) {
		if _, code, ok := strings.Cut(t.Body, "code "); ok && t.To == numbers[who] && strings.HasPrefix(t.Body, inc.Ref) {
			return code[:4]
		}
	}
	d.t.Fatalf("%s got no code", who)
	return ""
}

func refused(r oncall.Refusal) error { return &oncall.Refused{Refusal: r, Reason: "refused"} }

func progress(sid string, s responsehub.AttemptState) oncall.Progress {
	return oncall.Progress{SID: sid, State: s}
}

func incoming(sid, from, body string) oncall.Incoming {
	return oncall.Incoming{SID: sid, From: from, To: "+15005550000", Body: body}
}

func incID(n int) string { return fmt.Sprintf("01INC%03d", n) }

// pass lets time pass, and what was done meanwhile be seen.
func (d *desk) pass(t time.Duration) {
	d.net.mu.Lock()
	d.net.mu.Unlock() //nolint:staticcheck // what the story changed is seen by the phones
	time.Sleep(t)
	d.net.mu.Lock()
	d.net.mu.Unlock() //nolint:staticcheck // what the phones did is seen by the story
}
