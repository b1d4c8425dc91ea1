package receiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub/sim/wire"
)

// tolerance is how old or new a delivery may be, as the specification's libraries have it.
const tolerance = 5 * time.Minute

// payload is what is read of a delivery.
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      *struct {
		Incident struct {
			Ref string `json:"ref"`
		} `json:"incident"`
		Event struct {
			Seq  int64  `json:"seq"`
			Text string `json:"text"`
		} `json:"event"`
	} `json:"data"`
}

// hook takes or refuses a delivery.
func (s *Service) hook(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		say(rw, http.StatusBadRequest, "the body cannot be read")
		return
	}
	id, now := r.Header.Get("webhook-id"), time.Now().UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(r.PathValue("name"))
	refuse := func(status int, why string) {
		e.Refused = append(e.Refused, Refused{At: now, ID: id, Why: why})
		say(rw, status, why)
	}
	if err := verify(e.Secrets, r.Header, body, now); err != nil {
		refuse(http.StatusUnauthorized, err.Error())
		return
	}
	if i := slices.IndexFunc(e.Events, func(k Event) bool { return k.ID == id }); i >= 0 {
		known := &e.Events[i]
		known.Copies++
		// The incident in a body is as it is when the body is sent; the event never changes.
		if p, err := read(r.Header, body); err != nil || p.Type != known.Type || p.Data.Event.Seq != known.Seq || p.Data.Event.Text != known.Text {
			s.cfg.Log.Unexpected("receiver", "the id "+id+" came again with another event")
			refuse(http.StatusConflict, "the id was used for another event")
			return
		}
		say(rw, http.StatusOK, "known")
		return
	}
	p, err := read(r.Header, body)
	if err != nil {
		s.cfg.Log.Unexpected("receiver", err.Error())
		refuse(http.StatusBadRequest, err.Error())
		return
	}
	e.Events = append(e.Events, Event{ID: id, At: now, Type: p.Type, Ref: p.Data.Incident.Ref, Seq: p.Data.Event.Seq, Text: p.Data.Event.Text, Body: string(body)})
	s.cfg.Log.Effect(wire.Effect{Vendor: "receiver", Kind: "event", Target: e.Name + " " + id})
	say(rw, http.StatusOK, "taken")
}

// read decodes a body of the shape that the specification advises.
func read(h http.Header, body []byte) (payload, error) {
	var p payload
	if media, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || media != "application/json" {
		return p, fmt.Errorf("the body is of type %q", h.Get("Content-Type"))
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return p, fmt.Errorf("the body is no JSON: %w", err)
	}
	if p.Type == "" || p.Timestamp.IsZero() || p.Data == nil {
		return p, errors.New("the body lacks type, timestamp or data")
	}
	return p, nil
}

// verify checks a delivery by the specification: HMAC-SHA-256 over "id.timestamp.body" with the
// decoded secret, in base64 after "v1,"; several signatures are parted by spaces, one has to be good.
func verify(secrets []string, h http.Header, body []byte, now time.Time) error {
	id, stamp, given := h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get("webhook-signature")
	if id == "" || stamp == "" || given == "" {
		return errors.New("not signed")
	}
	if strings.Contains(id, ".") {
		return errors.New("the id holds a full stop")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("the timestamp is no number")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return errors.New("too old or too new")
	}
	if len(secrets) == 0 {
		return errors.New("no secret is known for this endpoint")
	}
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			return errors.New("the endpoint's own secret cannot be read")
		}
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for one := range strings.FieldsSeq(given) {
			if hmac.Equal([]byte(one), []byte(want)) {
				return nil
			}
		}
	}
	return errors.New("the signature is not good")
}
