package ticket

import (
	"context"
	"crypto/subtle"
	"io"
	"log/slog"
	"net/http"
	"time"

	"responsehub"
)

const (
	eventMost  = 1 << 20        // bytes of an event
	eventsKept = 48 * time.Hour // how long an event's id is remembered: longer than any PSA retries
)

// Hub is what events are passed on to.
type Hub interface {
	// Amend writes an edit of the hub's own, which wakes the lanes that have work then.
	Amend(ctx context.Context, incident string, edit responsehub.Edit) error
}

// Once knows names that came before, across all processes.
type Once interface {
	// Once reports whether a name is new to the list within the period, and counts it.
	Once(ctx context.Context, list, name string, period time.Duration) (bool, error)
	// Again takes the name off the list.
	Again(ctx context.Context, list, name string) error
}

// Door is where a connection's events come in.
type Door struct {
	Inbox
	Token string // stands in the address; empty: none is asked for
}

// Inbound takes events of PSAs. An event changes nothing but that the ticket is read: it
// may be forged, late, doubled or out of order.
type Inbound struct {
	Doors map[string]Door
	Index Index
	Once  Once
	Hub   Hub
	// Heard is called after each event that was verified; nil: nobody wants to know. That
	// events were switched off may come unsigned and does not count.
	Heard func(ctx context.Context, connection string) error
	// Off is called when a PSA says that it switched its events off; it must not block.
	Off func(connection string)
	Log *slog.Logger
}

// ServeHTTP answers POST /psa/{connection}/events at once; nothing is asked of the PSA but
// the key that verifies the event.
func (in *Inbound) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.Serve(w, r, r.PathValue("connection"))
}

// Serve answers an event for the connection.
func (in *Inbound) Serve(w http.ResponseWriter, r *http.Request, connection string) {
	door, ok := in.Doors[connection]
	switch {
	case !ok:
		http.Error(w, "no such connection", http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "post events here", http.StatusMethodNotAllowed)
		return
	case subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("token")), []byte(door.Token)) != 1:
		in.Log.Warn("psa event without the address's token", "connection", connection)
		http.Error(w, "not verified", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, eventMost))
	if err != nil {
		http.Error(w, "too large, or cut off", http.StatusRequestEntityTooLarge)
		return
	}
	ev, err := door.ParseEvent(r, body)
	if err != nil {
		in.Log.Warn("psa event not taken", "connection", connection, "kind", string(responsehub.KindOf(err)), "error", err)
		http.Error(w, "not verified", refusal(err))
		return
	}
	if in.Heard != nil && !ev.Off {
		if err := in.Heard(r.Context(), connection); err != nil {
			in.Log.Warn("when the last event came is not kept", "connection", connection, "error", err)
		}
	}
	if err := in.take(r.Context(), connection, ev); err != nil {
		in.Log.Error("psa event could not be kept; the poll finds what it told", "connection", connection, "error", err)
		w.Header().Set("Retry-After", "2")
		http.Error(w, "try again", http.StatusTooManyRequests) // the one answer that ConnectWise tries again after
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func refusal(err error) int {
	switch responsehub.KindOf(err) {
	case responsehub.Invalid:
		return http.StatusBadRequest
	case responsehub.Unavailable, responsehub.Throttled:
		return http.StatusTooManyRequests
	}
	return http.StatusUnauthorized
}

// take passes an event on, once.
func (in *Inbound) take(ctx context.Context, connection string, ev Event) error {
	if ev.Off && in.Off != nil {
		in.Off(connection)
	}
	if ev.Own || ev.Ticket == "" {
		return nil
	}
	incident, err := in.Index.TicketOf(ctx, connection, ev.Ticket)
	if err != nil || incident == "" {
		return err // most tickets of a PSA are not the hub's
	}
	list := "events:" + connection
	if ev.ID != "" {
		fresh, err := in.Once.Once(ctx, list, ev.ID, eventsKept)
		if err != nil || !fresh {
			return err
		}
	}
	err = in.Hub.Amend(ctx, incident, Hint(connection, ev.Ticket))
	if err != nil && ev.ID != "" {
		if aerr := in.Once.Again(context.WithoutCancel(ctx), list, ev.ID); aerr != nil {
			in.Log.Warn("psa event is lost until the poll", "connection", connection, "error", aerr)
		}
	}
	if responsehub.KindOf(err) == responsehub.NotFound && err != nil {
		return nil
	}
	return err
}

// Hint is the edit by which an incident's ticket is read anew.
func Hint(connection, id string) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		ref, ok := inc.Tickets[connection]
		if !ok || ref.ID != id || ref.Hints > ref.Heard {
			return nil // another ticket has taken its place, or it is about to be read
		}
		ref.Hints++
		inc.Tickets[connection] = ref
		return nil
	}
}
