package autotask

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Autotask signs with nothing else
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"responsehub"
	"responsehub/ticket"
)

// payload is a webhook's body. Its fields are not read: the ticket is asked for.
type payload struct {
	Action   string      `json:"Action"`
	GUID     string      `json:"Guid"`
	Entity   string      `json:"EntityType"`
	ID       json.Number `json:"Id"`
	Time     string      `json:"EventTime"`
	Sequence json.Number `json:"SequenceNumber"`
	Person   json.Number `json:"PersonID"`
}

const signatureHeader = "X-Hook-Signature"

func forged(why string) error {
	return &responsehub.Error{Kind: responsehub.Unauthorized, Message: "The event is not Autotask's: " + why}
}

// ParseEvent verifies a webhook's post and returns its hint. The signature is "sha1=" and
// base64(HMAC-SHA1(secret key, body)) over the bytes as they came: Autotask escapes them
// as .NET does, so that a body read and written again has another. That a webhook was
// deactivated is told without a signature, and makes the hub look at it and no more.
// https://www.autotask.net/help/developerhelp/Content/APIs/Webhooks/SecretKeyPayloadVerification.htm
func (d *Desk) ParseEvent(r *http.Request, body []byte) (ticket.Event, error) {
	verr := d.verify(r.Header.Get(signatureHeader), body)
	var p payload
	readable := json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &p) == nil
	if readable && strings.EqualFold(p.Action, "Deactivated") {
		return ticket.Event{Off: true}, nil
	}
	if verr != nil {
		return ticket.Event{}, verr
	}
	if !readable {
		return ticket.Event{}, &responsehub.Error{Kind: responsehub.Invalid, Message: "The event is no JSON as Autotask sends it."}
	}
	id, err := p.ID.Int64()
	if !strings.EqualFold(p.Entity, "Ticket") || err != nil || id <= 0 {
		return ticket.Event{}, nil // verified, and about nothing of ours
	}
	ev := ticket.Event{
		ID: strings.Join([]string{p.GUID, p.Sequence.String(), p.ID.String(), p.Action, p.Time}, "/"), Ticket: strconv.FormatInt(id, 10),
		Deleted: strings.EqualFold(p.Action, "Delete"),
	}
	if person, err := p.Person.Int64(); err == nil && person != 0 {
		ev.By, ev.Own = "resource "+p.Person.String(), person == int64(d.own())
	}
	return ev, nil
}

// verify checks the signature. Without a key nothing passes.
func (d *Desk) verify(header string, body []byte) error {
	text, ok := strings.CutPrefix(strings.TrimSpace(header), "sha1=")
	if !ok {
		return forged("it has no signature.")
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(signature) != sha1.Size {
		return forged("it has no signature.")
	}
	if d.cfg.EventKey == "" {
		return forged("the hub knows no key for it.")
	}
	mac := hmac.New(sha1.New, []byte(d.cfg.EventKey))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), signature) {
		return forged("its signature is wrong.")
	}
	return nil
}
