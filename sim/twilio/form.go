package twilio

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxForm is the largest body of a request, in bytes.
const maxForm = 64 << 10

// Fields of the requests.
// https://github.com/twilio/twilio-oai/blob/main/spec/json/twilio_api_v2010.json
const (
	newMessageFields = "To StatusCallback ApplicationSid MaxPrice ProvideFeedback Attempt ValidityPeriod ForceDelivery ContentRetention " +
		"AddressRetention SmartEncoded PersistentAction TrafficType ShortenUrls ScheduleType SendAt SendAsMms ContentVariables RiskCheck " +
		"From FallbackFrom MessagingServiceSid Body MediaUrl ContentSid"
	newCallFields = "To From Method FallbackUrl FallbackMethod StatusCallback StatusCallbackEvent StatusCallbackMethod SendDigits Timeout " +
		"Record RecordingChannels RecordingStatusCallback RecordingStatusCallbackMethod SipAuthUsername SipAuthPassword MachineDetection " +
		"MachineDetectionTimeout RecordingStatusCallbackEvent Trim CallerId MachineDetectionSpeechThreshold " +
		"MachineDetectionSpeechEndThreshold MachineDetectionSilenceTimeout AsyncAmd AsyncAmdStatusCallback AsyncAmdStatusCallbackMethod " +
		"Byoc CallReason CallToken RecordingTrack TimeLimit ClientNotificationUrl Url Twiml ApplicationSid"
	messageChanges   = "Body Status"
	callChanges      = "Url Method Status FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod Twiml TimeLimit"
	messageFilters   = "To From DateSent DateSent< DateSent> PageSize Page PageToken"
	callFilters      = "To From ParentCallSid Status StartTime StartTime< StartTime> EndTime EndTime< EndTime> PageSize Page PageToken"
	repeatedFields   = "PersistentAction MediaUrl StatusCallbackEvent RecordingStatusCallbackEvent"
	unplayedFields   = "ApplicationSid MediaUrl ContentSid ContentVariables ScheduleType SendAt Record SendDigits SipAuthUsername SipAuthPassword Byoc Attempt"
	formContentType  = "application/x-www-form-urlencoded"
	twilioUnexpected = "twilio"
)

// fields is a decoded form or query in which every name is known.
type fields struct {
	url.Values
	bad *refusal // the first thing that is wrong
}

// fail notes the first thing that is wrong.
func (f *fields) fail(code int, message string) {
	if f.bad == nil {
		f.bad = refuse(code, message)
	}
}

// form reads the body of a request. A body of another type counts as no form at all, as with Twilio.
func (s *Service) form(r *http.Request, allowed string) *fields {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(raw) > maxForm {
		return &fields{bad: refuse(20001, "The body cannot be read or is too large")}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if len(raw) > 0 && (err != nil || kind != formContentType) {
		s.cfg.Log.Unexpected(twilioUnexpected, "a body of type "+kind+" to "+lastPart(r.URL.Path))
		return &fields{Values: url.Values{}}
	}
	return s.decode(string(raw), allowed)
}

// decode reads a form or query strictly.
func (s *Service) decode(raw, allowed string) *fields {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return &fields{Values: url.Values{}, bad: refuse(20001, "The form cannot be decoded")}
	}
	f := &fields{Values: values}
	known, repeated, unplayed := strings.Fields(allowed), strings.Fields(repeatedFields), strings.Fields(unplayedFields)
	for name, v := range values {
		switch {
		case !slices.Contains(known, name):
			s.cfg.Log.Unexpected(twilioUnexpected, "unknown field "+name)
			f.fail(20001, "Unknown parameter "+name)
		case len(v) > 1 && !slices.Contains(repeated, name):
			s.cfg.Log.Unexpected(twilioUnexpected, "field "+name+" more than once")
			f.fail(20001, name+" is there more than once")
		case slices.Contains(unplayed, name):
			s.cfg.Log.Unexpected(twilioUnexpected, "field "+name+", which is not simulated")
			f.fail(20001, name+" is not simulated")
		}
	}
	return f
}

// integer reads a whole number between two bounds, "" is otherwise.
func (f *fields) integer(name string, least, most, otherwise, code int) int {
	v := f.Get(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		f.fail(code, "Invalid "+name)
		return otherwise
	}
	return n
}

// one reads a field with known values, "" is otherwise. Upper and lower case are the same.
func (f *fields) one(name, otherwise string, code int, allowed ...string) string {
	v := f.Get(name)
	if v == "" {
		return otherwise
	}
	for _, a := range allowed {
		if strings.EqualFold(a, v) {
			return a
		}
	}
	f.fail(code, "Invalid "+name)
	return otherwise
}

// address reads an absolute http address.
func (f *fields) address(name string, code int) string {
	v := f.Get(name)
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		f.fail(code, name+" is not an absolute address")
		return ""
	}
	return v
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
