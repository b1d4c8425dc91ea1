package twilio

import (
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxBody is the longest text, in characters.
const maxBody = 1600

// createMessage answers POST Messages.json.
// https://www.twilio.com/docs/messaging/api/message-resource#create-a-message
func (s *Service) createMessage(r *http.Request) (int, any, *refusal) {
	f := s.form(r, newMessageFields)
	callback := f.address("StatusCallback", 21609)
	f.integer("ValidityPeriod", 1, 36000, 0, 20001)
	f.one("RiskCheck", "", 20001, "enable", "disable")
	for _, name := range []string{"SmartEncoded", "ProvideFeedback", "ForceDelivery", "ShortenUrls", "SendAsMms"} {
		f.one(name, "", 20001, "true", "false")
	}
	to, from, service, body := f.Get("To"), f.Get("From"), f.Get("MessagingServiceSid"), f.Get("Body")
	switch {
	case f.bad != nil:
	case to == "":
		f.fail(21604, "")
	case from == "" && service == "":
		f.fail(21603, "")
	case service != "" && service != s.cfg.ServiceSID:
		f.fail(21701, "")
	case body == "":
		f.fail(21602, "")
	case utf8.RuneCountInString(body) > maxBody:
		f.fail(21617, "")
	}
	if f.bad == nil {
		f.bad = s.textable(to, from, service)
	}
	if f.bad != nil {
		return 0, nil, f.bad
	}
	now := time.Now().UTC()
	t := &text{Text: Text{
		SID: newSID("SM"), To: to, From: from, Service: service, Direction: "outbound-api", Status: "queued", Body: body,
		Segments: segments(body), Created: now, Updated: now,
	}, callback: callback}
	if service != "" {
		t.Status = "accepted"
	}
	s.mu.Lock()
	s.texts = append(s.texts, t)
	answer := s.messageAnswer(t)
	s.mu.Unlock()
	s.spawn(func() { s.carry(t) })
	return http.StatusCreated, answer, nil
}

// textable judges the numbers. +1500555000x are Twilio's magic ones, with which mistakes are tried.
// https://www.twilio.com/docs/iam/test-credentials
func (s *Service) textable(to, from, service string) *refusal {
	magicFrom := map[string]int{"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
	magicTo := map[string]int{"+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408, "+15005550004": 21610, "+15005550009": 21614}
	switch {
	case magicFrom[from] != 0:
		return refuse(magicFrom[from], "")
	case from != "" && !numberShape.MatchString(from):
		return refuse(21212, "")
	case from != "" && !s.owns(from):
		return refuse(21606, "")
	case magicTo[to] != 0:
		return refuse(magicTo[to], "")
	case !numberShape.MatchString(to):
		return refuse(21211, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.optedOut[sender(from, service)+" "+to] {
		return refuse(21610, "")
	}
	return nil
}

// sender is what people opt out of: a whole messaging service, or a number.
func sender(from, service string) string {
	if service != "" {
		return service
	}
	return from
}

// oneMessage answers for one text: fetch, change, delete.
func (s *Service) oneMessage(r *http.Request, sid string) (int, any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.texts, func(t *text) bool { return t.SID == sid })
	if i < 0 {
		return 0, nil, refuse(20404, "The requested message was not found")
	}
	t := s.texts[i]
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		f := s.form(r, messageChanges)
		cancel := f.one("Status", "", 20001, "canceled") != ""
		_, redact := f.Values["Body"]
		switch {
		case f.bad != nil:
			return 0, nil, f.bad
		case cancel && t.Status != "scheduled":
			return 0, nil, refuse(20001, "Only a scheduled message can be canceled")
		case redact && f.Get("Body") != "":
			return 0, nil, refuse(20001, "A body can only be made empty")
		case redact && t.unsettled():
			return 0, nil, refuse(20001, "A message that is under way cannot be changed")
		case cancel:
			t.Status = "canceled"
		case redact:
			t.Body = ""
		}
		t.Updated = time.Now().UTC()
	case http.MethodDelete:
		s.texts = slices.Delete(s.texts, i, i+1)
		return http.StatusNoContent, nil, nil
	default:
		return 0, nil, refuse(20004, "")
	}
	return http.StatusOK, s.messageAnswer(t), nil
}

// messageAnswer is a text as the API shows it. s.mu must be held.
func (s *Service) messageAnswer(t *text) map[string]any {
	uri := s.uri() + "/Messages/" + t.SID
	count, code, message := t.Segments, any(nil), any(nil)
	if t.Status == "accepted" {
		count = 0 // not known before a sender is chosen
	}
	if t.Code != 0 {
		code, message = t.Code, deliveryErrors[t.Code]
	}
	return map[string]any{
		"sid": t.SID, "account_sid": s.cfg.AccountSID, "api_version": version, "to": t.To, "from": orNull(t.From), "body": t.Body,
		"messaging_service_sid": orNull(t.Service), "num_segments": strconv.Itoa(count), "num_media": "0", "direction": t.Direction,
		"status": t.Status, "error_code": code, "error_message": message, "price": nil, "price_unit": "USD",
		"date_created": rfc2822(t.Created), "date_updated": rfc2822(t.Updated), "date_sent": rfc2822(t.Sent), "uri": uri + ".json",
		"subresource_uris": map[string]any{"media": uri + "/Media.json"},
	}
}

// deliveryErrors are why texts do not arrive. Others are null, as with Twilio.
var deliveryErrors = map[int]any{
	30003: "Unreachable destination handset", 30005: "Unknown destination handset", 30006: "Landline or unreachable carrier",
	30007: "Message filtered", 30008: "Unknown error",
}
