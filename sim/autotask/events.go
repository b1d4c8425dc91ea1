package autotask

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // Autotask's signature is HMAC-SHA1
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"responsehub/sim/desk"
)

// escape writes JSON as .NET does: quotes, <, >, &, ', ` and + inside strings and everything beyond ASCII
// as \uXXXX. Whoever parses and writes it again before checking the signature fails on names.
func escape(in []byte) []byte {
	var out bytes.Buffer
	unit := func(u uint16) { fmt.Fprintf(&out, `\u%04X`, u) }
	inside := false
	for len(in) > 0 {
		r, size := utf8.DecodeRune(in)
		switch {
		case r == '\\' && len(in) > 1:
			if in[1] == '"' {
				unit('"')
			} else {
				out.Write(in[:2])
			}
			size = 2
		case r == '"':
			inside = !inside
			out.WriteByte('"')
		case inside && bytes.ContainsRune([]byte("<>&'`+"), r):
			unit(uint16(r))
		case r > 0xffff:
			a, b := utf16.EncodeRune(r)
			unit(uint16(a))
			unit(uint16(b))
		case r > 0x7e:
			unit(uint16(r))
		default:
			out.WriteByte(byte(r))
		}
		in = in[size:]
	}
	return out.Bytes()
}

// sign is the value of X-Hook-Signature.
// https://www.autotask.net/help/developerhelp/Content/APIs/Webhooks/SecretKeyPayloadVerification.htm
func sign(secret string, body []byte) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	return "sha1=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// happened tells the webhooks that cover a change. s.mu is held.
func (s *Service) happened(action string, was, t desk.Record, by int) {
	for _, h := range s.tables["TicketWebhooks"] {
		if !h.Flag("isActive") || !h.Flag("isReady") || !h.Flag("isSubscribedTo"+action+"Events") || s.excluded(h, by) {
			continue
		}
		fields, touched := desk.Record{}, action != "Update"
		for _, f := range s.tables["TicketWebhookFields"] {
			i := f.Int("fieldID") - 1
			if f.Int("webhookID") != h.Int("id") || i < 0 || i >= len(hookable) {
				continue
			}
			name := hookable[i]
			changed := fmt.Sprint(was[name]) != fmt.Sprint(t[name])
			if f.Flag("isSubscribedField") && changed {
				touched = true
			}
			if f.Flag("isDisplayAlwaysField") || f.Flag("isSubscribedField") && (changed || action != "Update") {
				fields[name] = s.spoken(name, t[name])
			}
		}
		if touched {
			s.sequence++
			s.sender.Send(signed(h, s.body(action, t, fields, by, s.sequence)))
		}
	}
}

func (s *Service) excluded(h desk.Record, by int) bool {
	return slices.ContainsFunc(s.tables["TicketWebhookExcludedResources"], func(r desk.Record) bool {
		return r.Int("webhookID") == h.Int("id") && r.Int("resourceID") == by
	})
}

// spoken is a field's value as webhooks carry it: picklists by label.
func (s *Service) spoken(name string, v any) any {
	if n, ok := desk.Number(v); ok && s.lists[name] != nil {
		return s.label(name, int(n))
	}
	return v
}

// body is an event in the vendor's own escapes.
func (s *Service) body(action string, t, fields desk.Record, by, sequence int) []byte {
	guid := make([]byte, 16)
	rand.Read(guid)
	return escape(desk.Compact(desk.Record{
		"Action": action, "Guid": fmt.Sprintf("%x-%x-%x-%x-%x", guid[:4], guid[4:6], guid[6:8], guid[8:10], guid[10:]), "EntityType": "Ticket", "Id": t.Int("id"),
		"Fields": fields, "EventTime": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "SequenceNumber": sequence, "PersonID": by,
	}))
}

func signed(h desk.Record, body []byte) desk.Post {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	header.Set("X-Hook-Signature", sign(h.Text("secretKey"), body))
	return desk.Post{Queue: strconv.Itoa(h.Int("id")), URL: h.Text("webhookUrl"), Header: header, Body: body}
}

// retry is the vendor's rule: five attempts, 30 s apart, whatever the answer.
func retry(attempt, _ int) (time.Duration, bool) { return hookWait, attempt < hookAttempts }

// settled counts failed events and switches a webhook off after 25 in a row.
func (s *Service) settled(p desk.Post, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.Atoi(p.Queue) // queues are named after webhooks
	h := find(s.tables["TicketWebhooks"], id)
	switch {
	case h == nil:
		return
	case ok:
		delete(s.failures, id)
		return
	}
	s.tables["WebhookEventErrorLogs"] = append(s.tables["WebhookEventErrorLogs"], desk.Record{
		"id": s.id(), "createDateTime": desk.Now(), "errorMessage": "The event was not taken.", "payload": string(p.Body[:min(len(p.Body), 8000)]), "sequenceNumber": s.sequence,
	})
	if s.failures[id]++; s.failures[id] >= maxFailures && h.Flag("isActive") {
		s.deactivate(h)
	}
}

// deactivate switches a webhook off and says so without a signature.
func (s *Service) deactivate(h desk.Record) {
	h["isActive"] = false
	s.sender.Send(s.deactivated(h))
}

func (s *Service) deactivated(h desk.Record) desk.Post {
	s.sequence++
	body := s.body("Deactivated", desk.Record{}, desk.Record{}, 0, s.sequence)
	return desk.Post{Queue: "off" + strconv.Itoa(h.Int("id")), URL: h.Text("deactivationUrl"), Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: body}
}

// hostile posts an event that the hub must not believe, or must not count twice, and returns its answer.
func (s *Service) hostile(ctx context.Context, kind string, ticket int) (string, error) {
	p, err := s.disguise(kind, ticket)
	if err != nil {
		return "", err
	}
	status, err := s.sender.Once(ctx, p)
	if err != nil {
		return "", fmt.Errorf("sim/autotask: %w", err)
	}
	return fmt.Sprintf("The hub answered %d.", status), nil
}

func (s *Service) disguise(kind string, ticket int) (desk.Post, error) {
	if kind == "replay" || kind == "duplicate" {
		p, ok := s.sender.Last()
		if !ok {
			return p, fmt.Errorf("sim/autotask: nothing was posted yet")
		}
		return p, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, hooks := find(s.tables["Tickets"], ticket), s.tables["TicketWebhooks"]
	if t == nil || len(hooks) == 0 {
		return desk.Post{}, fmt.Errorf("sim/autotask: there is no ticket %d, or no webhook", ticket)
	}
	h := hooks[len(hooks)-1]
	switch kind {
	case "forged":
		other := h.Clone()
		other["secretKey"] = "guessed"
		return signed(other, s.body("Update", t, desk.Record{"status": "Complete"}, clerks, s.sequence+1)), nil
	case "unsigned":
		return s.deactivated(h), nil
	case "gap":
		s.sequence += 7
		return signed(h, s.body("Update", t, desk.Record{}, clerks, s.sequence)), nil
	}
	return desk.Post{}, fmt.Errorf("sim/autotask: an event is forged, unsigned, a gap, a duplicate or a replay, not %q", kind)
}
