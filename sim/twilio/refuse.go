package twilio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"responsehub/sim/wire"
)

// refusal is an error as the API answers it.
type refusal struct {
	status, code int
	message      string
}

// refusals are the errors that the simulator gives, by code. The titles are those of the error
// dictionary, https://www.twilio.com/docs/api/errors.
var refusals = map[int]refusal{
	20001: {status: 400, message: "Unknown parameters"},
	20003: {status: 401, message: "Authenticate"},
	20004: {status: 405, message: "Method not allowed"},
	20404: {status: 404, message: "The requested resource was not found"},
	20429: {status: 429, message: "Too Many Requests"},
	20500: {status: 500, message: "Internal Server Error"},
	20503: {status: 503, message: "Service unavailable"},
	10004: {status: 429, message: "Call concurrency limit exceeded"},
	20005: {status: 403, message: "Account not active"},
	21201: {status: 400, message: "No 'To' number is specified"},
	21205: {status: 400, message: "Url parameter is required, and has to be an absolute address"},
	21206: {status: 400, message: "Invalid SendDigits"},
	21208: {status: 400, message: "Invalid Timeout"},
	21209: {status: 400, message: "Invalid Method"},
	21210: {status: 400, message: "The source phone number provided is not yet verified for your account"},
	21211: {status: 400, message: "Invalid 'To' Phone Number"},
	21212: {status: 400, message: "Invalid From Number (caller ID)"},
	21213: {status: 400, message: "Caller phone number is required"},
	21214: {status: 400, message: "'To' phone number cannot be reached"},
	21215: {status: 400, message: "Geo Permission configuration is not permitting call"},
	21216: {status: 400, message: "Call blocked by Twilio blocklist"},
	21217: {status: 400, message: "Phone number does not appear to be valid"},
	21218: {status: 400, message: "Invalid ApplicationSid"},
	21220: {status: 400, message: "Invalid call state"},
	21408: {status: 400, message: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"},
	21602: {status: 400, message: "Message body is required."},
	21603: {status: 400, message: "A 'From' or 'MessagingServiceSid' parameter is required"},
	21604: {status: 400, message: "A 'To' phone number is required."},
	21606: {status: 400, message: "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination."},
	21609: {status: 400, message: "Invalid 'StatusCallback'"},
	21610: {status: 400, message: "Attempt to send to unsubscribed recipient"},
	21611: {status: 429, message: "This 'From' number has exceeded the maximum number of queued messages"},
	21612: {status: 400, message: "The 'To' phone number is not currently reachable via SMS"},
	21614: {status: 400, message: "'To' number is not a valid mobile number"},
	21617: {status: 400, message: "The concatenated message body exceeds the 1600 character limit"},
	21701: {status: 400, message: "The Messaging Service does not exist"},
}

// Refusal makes a scripted fault that answers a creation with an error of this code, once.
func Refusal(code int) (wire.Fault, error) {
	r, ok := refusals[code]
	if !ok {
		return wire.Fault{}, fmt.Errorf("sim/twilio: the simulator has no error %d", code)
	}
	r.code = code
	f := wire.Fault{Vendor: "twilio", Method: http.MethodPost, Times: 1, Status: r.status, Answer: string(r.body())}
	if r.status == http.StatusTooManyRequests {
		f.Header = map[string]string{"Retry-After": "1"}
	}
	return f, nil
}

// refuse is the error of a code with a more exact message, "" for the table's own.
func refuse(code int, message string) *refusal {
	r := refusals[code]
	r.code = code
	if message != "" {
		r.message = message
	}
	return &r
}

func (r refusal) body() []byte {
	raw, _ := json.Marshal(map[string]any{ // strings and numbers always encode
		"code": r.code, "message": r.message, "status": r.status,
		"more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(r.code),
	})
	return raw
}

func (r refusal) write(w http.ResponseWriter) {
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body()) // the client is gone: nobody to tell
}
