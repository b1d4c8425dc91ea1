package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/ticket"
)

// psaWithin bounds what is asked of one PSA.
const psaWithin = 60 * time.Second

// checkPSA looks at each ticket system, and sets up its events where they are missing or
// were switched off, unless it may only look; with a test ticket it also makes, notes and
// closes one.
func (a *App) checkPSA(ctx context.Context, trial Trial) []responsehub.Check {
	var out []responsehub.Check
	for _, name := range slices.Sorted(maps.Keys(a.psa.connections)) {
		conn := a.psa.connections[name]
		if conn.Desk == nil {
			out = append(out, responsehub.Check{Name: "psa " + name, Grade: responsehub.CheckWarning, Sentence: "This version does not speak " + conn.Product + " yet: no ticket is made."})
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, psaWithin)
		if !trial.LookOnly {
			out = append(out, a.listen(ctx, name, conn)...)
		}
		refused := false
		for _, c := range conn.Check(ctx) {
			refused = refused || c.Name == "sign in" && c.Grade != responsehub.CheckOK
			c.Name = "psa " + name + " " + c.Name
			out = append(out, c)
		}
		if !refused {
			out = append(out, a.tryAgain(ctx, name)...)
		}
		out = append(out, a.heard(ctx, name))
		if trial.TestTicket {
			out = append(out, a.testTicket(ctx, name, conn)...)
		}
		cancel()
	}
	return out
}

// tryAgain has the hub try at once what waits for a connection that works: whoever asks
// has just mended it. The next try would be minutes away.
func (a *App) tryAgain(ctx context.Context, name string) []responsehub.Check {
	waiting, err := a.psa.keeper.Again(ctx, name)
	switch {
	case err != nil:
		a.log.Warn("what waits for a psa is tried later", "connection", name, "error", err)
	case waiting == 1:
		return []responsehub.Check{{Name: "psa " + name + " waiting", Grade: responsehub.CheckOK, Sentence: "One incident waited for this connection; it is tried again now."}}
	case waiting > 0:
		return []responsehub.Check{{Name: "psa " + name + " waiting", Grade: responsehub.CheckOK, Sentence: fmt.Sprintf("%d incidents waited for this connection; they are tried again now.", waiting)}}
	}
	return nil
}

// listen sets up the events of a connection, if they are missing, and says what it did.
func (a *App) listen(ctx context.Context, name string, conn ticket.Connection) []responsehub.Check {
	address := a.psa.keeper.Address(name)
	if address == "" {
		return nil
	}
	c := responsehub.Check{Name: "psa " + name + " events set up", Grade: responsehub.CheckOK}
	var err error
	if c.Sentence, err = conn.Listen(ctx, address); err != nil {
		c.Grade = responsehub.CheckWarning
		c.Sentence = "Events cannot be set up: what people do to tickets is seen within ten minutes instead of at once. " + responsehub.Sentence(err)
	}
	return []responsehub.Check{c}
}

// heard tells when the last event of a connection came in, and was verified.
func (a *App) heard(ctx context.Context, name string) responsehub.Check {
	c := responsehub.Check{Name: "psa " + name + " last event", Grade: responsehub.CheckOK}
	switch at, err := a.psa.shared.Heard(ctx, name); {
	case err != nil:
		c.Grade, c.Sentence = responsehub.CheckUnknown, "When the last event came is not known: "+responsehub.Sentence(err)
	case at.IsZero():
		c.Sentence = "No event has come yet. If people work on the hub's tickets already, see whether the ticket system reaches " + a.cfg.Server.PublicURL + "/psa/" + name + "/events."
	default:
		c.Sentence = "The last event came at " + at.UTC().Format("2006-01-02 15:04 MST") + "."
	}
	return c
}

// testTicket makes a ticket of the catch-all company, notes it and closes it.
func (a *App) testTicket(ctx context.Context, name string, conn ticket.Connection) []responsehub.Check {
	check := func(what string, err error, good string) responsehub.Check {
		c := responsehub.Check{Name: "psa " + name + " " + what, Grade: responsehub.CheckOK, Sentence: good}
		if err != nil {
			c.Grade, c.Sentence = responsehub.CheckMissing, responsehub.Sentence(err)
		}
		return c
	}
	var out []responsehub.Check
	ref := "RH-TEST-" + time.Now().UTC().Format("20060102150405")
	t, err := conn.Create(ctx, ticket.Draft{
		Ref: ref, Title: "[Test] responsehub can make tickets", Severity: responsehub.Low,
		Description: "This is a test of responsehub. Nothing happened; it closes by itself. Reference: " + ref,
	})
	if out = append(out, check("test ticket", err, fmt.Sprintf("Ticket %s was made: %s", t.Number, t.URL))); err != nil {
		return out
	}
	note := "A test note. [" + ref + " test]"
	out = append(out, check("test note", conn.Note(ctx, t.ID, ticket.Note{Title: ref, Text: note}), "A note was added."))
	closing := conn.Note(ctx, t.ID, ticket.Note{Title: ref, Text: "The test is over. [" + ref + " resolution]", Resolution: true})
	if closing == nil {
		t, _, closing = conn.Move(ctx, t.ID, ticket.Closed, "The test is over.")
	}
	end := check("test close", closing, fmt.Sprintf("The ticket was closed (status %q).", t.Status))
	if closing == nil && !t.Closed {
		end.Grade, end.Sentence = responsehub.CheckWarning, fmt.Sprintf("The ticket is not closed (status %q). Check psa statuses.closed, then close it by hand.", t.Status)
	}
	return append(out, end)
}

// checkTicketsOf says where a tenant's tickets go and whether that leads anywhere.
func (a *App) checkTicketsOf(ctx context.Context, t responsehub.Tenant) []responsehub.Check {
	var out []responsehub.Check
	for _, d := range t.Notify.PSA {
		c := a.checkTicketsAt(ctx, d)
		if len(t.Notify.PSA) > 1 {
			c.Name += " " + d.Connection
		}
		out = append(out, c)
		out = append(out, a.psa.faults(ctx, d.Connection)...)
	}
	return out
}

const (
	// wellKept is how long a connection that nothing is wrong with is taken to be so for the
	// next tenant: a preflight of all of them must not use up what the PSA allows.
	wellKept = 15 * time.Minute
	// faultsKept is how long it is for what is wrong: whoever mends it looks again soon.
	faultsKept = 30 * time.Second
)

// looked is what was wrong with a connection.
type looked struct {
	at     time.Time
	checks []responsehub.Check
}

// holds reports whether the connection need not be asked again yet.
func (l looked) holds() bool {
	if len(l.checks) > 0 {
		return time.Since(l.at) < faultsKept
	}
	return time.Since(l.at) < wellKept
}

// faults are what keeps a connection's tickets from being made and closed as configured:
// rights, board or queue, statuses. Its events and its clock are no tenant's matter.
func (p *psa) faults(ctx context.Context, name string) []responsehub.Check {
	conn, ok := p.connections[name]
	if !ok || conn.Desk == nil || p.told {
		return nil
	}
	p.looking.Lock() // the others want the same
	defer p.looking.Unlock()
	if l, ok := p.looked[name]; ok && l.holds() {
		return slices.Clone(l.checks)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	l := looked{at: time.Now()}
	for _, c := range conn.Check(ctx) {
		if c.Grade == responsehub.CheckOK || strings.HasPrefix(c.Name, "events") || c.Name == "clock" {
			continue
		}
		c.Name = "tickets " + name + " " + c.Name
		l.checks = append(l.checks, c)
	}
	if ctx.Err() != nil {
		return l.checks // half a look is not kept
	}
	if p.looked == nil {
		p.looked = map[string]looked{}
	}
	p.looked[name] = l
	return slices.Clone(l.checks)
}

func (a *App) checkTicketsAt(ctx context.Context, d responsehub.Desk) responsehub.Check {
	c := responsehub.Check{Name: "tickets", Grade: responsehub.CheckOK, Sentence: fmt.Sprintf("Tickets go to %s, company %s.", d.Connection, d.Company)}
	conn, ok := a.psa.connections[d.Connection]
	switch {
	case !ok || conn.Desk == nil:
		c.Grade, c.Sentence = responsehub.CheckMissing, fmt.Sprintf("No ticket can be made: the configuration has no working connection %q under psa.", d.Connection)
	case d.Company == "":
		c.Grade, c.Sentence = responsehub.CheckWarning, "The tenant is not mapped to a company: its tickets go to the catch-all company. Fill in its notify.psa.company."
	default:
		if m, ok := conn.Desk.(ticket.Mapper); ok {
			ctx, cancel := context.WithTimeout(ctx, askWithin)
			defer cancel()
			switch err := m.Mapped(ctx, d.Company); {
			case err != nil && responsehub.KindOf(err) == responsehub.NotFound:
				c.Grade, c.Sentence = responsehub.CheckWarning, responsehub.Sentence(err)+" The tenant's tickets go to the catch-all company. Correct its notify.psa.company."
			case err != nil && slices.Contains([]responsehub.Kind{responsehub.Unauthorized, responsehub.Forbidden, responsehub.Permanent}, responsehub.KindOf(err)):
				c.Grade, c.Sentence = responsehub.CheckMissing, responsehub.Sentence(err)
			case err != nil:
				c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
			default:
				a.tryAgain(ctx, d.Connection)
			}
		}
	}
	return c
}
