package teams

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"responsehub/sim/wire"
)

// refusal is an error as the connector words it.
type refusal struct {
	status  int
	code    string
	message string
	after   time.Duration // Retry-After
}

// refusals are the errors of the connector by their code.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes-from-bot-conversational-apis
var refusals = map[string]refusal{
	"BadArgument":                    {status: 400, message: "Bad request format."},
	"BotNotRegistered":               {status: 401, message: "No registration found for this bot."},
	"BotNotInConversationRoster":     {status: 403, message: "The bot is not part of the conversation roster."},
	"BotDisabledByAdmin":             {status: 403, message: "The tenant admin disabled this bot."},
	"ConversationBlockedByUser":      {status: 403, message: "User blocked the conversation with the bot."},
	"InvalidBotApiHost":              {status: 403, message: "Invalid bot API host. For GCC tenants, call https://smba.infra.gcc.teams.microsoft.com."},
	"NotEnoughPermissions":           {status: 403, message: "The bot doesn't have the required permissions to perform this action."},
	"ActivityNotFoundInConversation": {status: 404, message: "The message was not found in the conversation."},
	"ConversationNotFound":           {status: 404, message: "The conversation was not found."},
	"PreconditionFailed":             {status: 412, message: "Precondition failed, please try again."},
	"MessageSizeTooBig":              {status: 413, message: "Message size too large."},
	"Throttled":                      {status: 429, message: "Too many requests."},
	"ServiceError":                   {status: 500, message: "Internal server error."},
}

// RefusalCodes lists the codes that Refusal knows.
func RefusalCodes() []string {
	codes := make([]string, 0, len(refusals))
	for code := range refusals {
		codes = append(codes, code)
	}
	return codes
}

// Refusal makes a scripted fault that answers as the connector does for a code of its table, once.
// Status may be changed, for ServiceError also to 502, 503 or 504.
func Refusal(code string) (wire.Fault, error) {
	r, ok := refusals[code]
	if !ok {
		return wire.Fault{}, fmt.Errorf("sim/teams: the connector has no error %q", code)
	}
	f := wire.Fault{
		Vendor: "teams", Match: "/v3/", Times: 1, Status: r.status, Answer: errorBody(code, r.message),
		Header: map[string]string{"Content-Type": "application/json; charset=utf-8"},
	}
	if code == "Throttled" {
		f.Header["Retry-After"] = "2"
	}
	return f, nil
}

func errorBody(code, message string) string {
	b, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": message, "innerHttpError": nil}})
	return string(b)
}

// refuse is the error of a code with a more exact message, "" for the table's own.
func refuse(code, message string) *refusal {
	r := refusals[code]
	r.code = code
	if message != "" {
		r.message = message
	}
	return &r
}

func (r *refusal) write(w http.ResponseWriter) {
	if r.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(r.after.Seconds()))))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(r.status)
	fmt.Fprint(w, errorBody(r.code, r.message))
}

// tooLarge answers as the gateway in front of the connector does: with a page, not with JSON.
func tooLarge(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	fmt.Fprint(w, "<!DOCTYPE html>\n<html><head><title>413 Request Entity Too Large</title></head>\n"+
		"<body><h1>Request Entity Too Large</h1></body></html>\n")
}

// unauthorized is the answer to a missing or unusable token. It is not shaped like the other errors.
func unauthorized(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("WWW-Authenticate", "Bearer")
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprint(w, `{"message":"Authorization has been denied for this request."}`)
}
