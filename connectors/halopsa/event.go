package halopsa

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"responsehub"
	"responsehub/ticket"
)

// signIn is the name with which webhooks sign in.
const signIn = "responsehub"

func forged(why string) error {
	return &responsehub.Error{Kind: responsehub.Unauthorized, Message: "The event is not HaloPSA's: " + why}
}

// payload is a webhook's body. Only which ticket it is about is read; the ticket is asked
// for.
type payload struct {
	ID     json.RawMessage `json:"id"` // a text is the event's, a number is not
	Event  string          `json:"event"`
	Object json.Number     `json:"object_id"`
	Of     json.Number     `json:"ticket_id"`
	Ticket struct {
		ID json.Number `json:"id"`
	} `json:"ticket"`
}

// ParseEvent checks the sign-in of a webhook, which is Basic authentication with a
// password of this connection, the one kind that HaloPSA's guide documents, and returns its
// hint. See https://haloitsm.com/guides/article/?kbid=838. Signatures are not documented and
// are not asked for.
func (d *Desk) ParseEvent(r *http.Request, body []byte) (ticket.Event, error) {
	user, password, ok := r.BasicAuth()
	switch {
	case !ok:
		return ticket.Event{}, forged("it does not sign in.")
	case d.cfg.EventKey == "":
		return ticket.Event{}, forged("the hub knows no password for it.")
	case !equal(user, signIn) || !equal(password, d.cfg.EventKey):
		return ticket.Event{}, forged("its password is wrong.")
	}
	var p payload
	if trimmed := strings.TrimSpace(string(body)); strings.HasPrefix(trimmed, "[") {
		var all []json.RawMessage // of a webhook that collects events: the others come with the poll
		if err := json.Unmarshal(body, &all); err != nil || len(all) == 0 {
			return ticket.Event{}, unreadable()
		}
		body = all[0]
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return ticket.Event{}, unreadable()
	}
	var event string
	_ = json.Unmarshal(p.ID, &event)
	for _, n := range []json.Number{p.Ticket.ID, p.Of, p.Object} {
		if id, err := n.Int64(); err == nil && id > 0 {
			return ticket.Event{ID: ticket.Short(event, 100), Ticket: strconv.FormatInt(id, 10), Deleted: strings.Contains(strings.ToLower(p.Event), "deleted")}, nil
		}
	}
	return ticket.Event{}, nil // verified, and about nothing of ours
}

func unreadable() error {
	return &responsehub.Error{Kind: responsehub.Invalid, Message: "The event is no JSON as HaloPSA sends it."}
}

// equal compares texts of any length without telling by its time where they differ.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
