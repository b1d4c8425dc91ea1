package twilio

import "responsehub/oncall"

// class says what a code of Twilio's means for whoever has to be reached. The codes are
// listed at https://www.twilio.com/docs/api/errors; what to do about each is our own
// judgement. Twilio warns that the code of a message may change, so the status of a call
// or message decides first and the code only says what to do next.
type class string

// The classes.
const (
	retry           class = "retry"            // certainly not done; the same request later
	unknownOutcome  class = "unknown-outcome"  // may have been done
	retryLater      class = "retry-later"      // handset or carrier trouble: the other way now
	numberPermanent class = "number-permanent" // the number is wrong
	blocked         class = "blocked"          // a network does not let it through
	optedOut        class = "opted-out"        // the person wrote STOP
	filtered        class = "filtered"         // the carrier dropped it for its words
	late            class = "late"             // held back until it was no use any more
	configPermanent class = "config-permanent" // somebody has to change the account
	webhook         class = "webhook"          // Twilio could not use what the hub answered
	ourBug          class = "our-bug"          // the request is wrong
	unlisted        class = ""                 // a code that the table does not have
)

// code is what is known of one of Twilio's codes.
type code struct {
	class  class
	reason string // for people, as the end of "The call failed: ..."
}

var codes = map[int]code{
	10004: {retry, "the account makes too many calls at once"},
	11100: {configPermanent, "Twilio cannot read the hub's address (server.public_url)"},
	11200: {webhook, "Twilio could not get an answer from the hub"},
	11205: {webhook, "Twilio could not connect to the hub"},
	11750: {webhook, "the hub's answer was too long for Twilio"},
	12100: {webhook, "Twilio could not read the hub's answer"},
	12200: {webhook, "Twilio did not understand the hub's answer"},
	12300: {webhook, "Twilio did not take the type of the hub's answer"},
	13223: {numberPermanent, "the number is not written as a number"},
	13224: {numberPermanent, "Twilio cannot call this number"},
	13225: {blocked, "Twilio blocks calls to this number"},
	13227: {configPermanent, "the account may not call this country (Voice Geo Permissions)"},
	14107: {retry, "the account sends too fast"},
	20001: {ourBug, "Twilio did not know a parameter"},
	20003: {configPermanent, "Twilio refuses the API key"},
	20004: {ourBug, "Twilio did not take the method"},
	20005: {configPermanent, "the account is not active"},
	20006: {configPermanent, "the API key may not do this"},
	20404: {configPermanent, "Twilio does not know the account or what was asked for"},
	20429: {retry, "Twilio asks for a pause"},
	20500: {unknownOutcome, "Twilio had an error of its own"},
	20503: {unknownOutcome, "Twilio was not available"},
	21201: {numberPermanent, "there is no number to call"},
	21205: {configPermanent, "Twilio cannot use the hub's address (server.public_url)"},
	21206: {ourBug, "Twilio did not take the digits"},
	21208: {ourBug, "Twilio did not take the ring time"},
	21209: {ourBug, "Twilio did not take the method"},
	21210: {configPermanent, "twilio.from is not a number of the account"},
	21211: {numberPermanent, "the number is not valid"},
	21212: {configPermanent, "twilio.from is not valid"},
	21213: {configPermanent, "twilio.from is missing"},
	21214: {numberPermanent, "the number cannot be reached"},
	21215: {configPermanent, "the account may not call this country (Voice Geo Permissions)"},
	21216: {blocked, "Twilio blocks calls to this number"},
	21217: {numberPermanent, "the number does not appear to be valid"},
	21218: {ourBug, "Twilio did not take the application"},
	21219: {configPermanent, "a trial account calls verified numbers only"},
	21220: {ourBug, "the call is in another state"},
	21408: {configPermanent, "the account may not text this country (Messaging Geo Permissions)"},
	21601: {configPermanent, "the account's number takes no texts"},
	21602: {ourBug, "the text is empty"},
	21603: {configPermanent, "neither twilio.from nor a messaging service is there"},
	21604: {numberPermanent, "there is no number to text"},
	21605: {ourBug, "the text is too long"},
	21606: {configPermanent, "twilio.from cannot send texts to this number"},
	21607: {configPermanent, "a trial account sends from its own number only"},
	21608: {configPermanent, "a trial account texts verified numbers only"},
	21609: {configPermanent, "Twilio cannot use the hub's address (server.public_url)"},
	21610: {optedOut, "the person wrote STOP to this sender"},
	21611: {retry, "the sender's queue at Twilio is full"},
	21612: {numberPermanent, "this number cannot be reached by text"},
	21614: {numberPermanent, "the number is not a mobile number"},
	21617: {ourBug, "the text is too long"},
	21618: {ourBug, "Twilio did not take the text"},
	21619: {ourBug, "Twilio could not make the message"},
	21701: {configPermanent, "the messaging service does not exist"},
	21702: {configPermanent, "the messaging service cannot send"},
	21703: {configPermanent, "the messaging service has no number that fits"},
	21704: {configPermanent, "the messaging service has no numbers"},
	21705: {configPermanent, "the messaging service is not valid"},
	22005: {retry, "the account's queue of calls is full"},
	30001: {retry, "it waited in Twilio's queue for too long"},
	30002: {configPermanent, "the account is suspended"},
	30003: {retryLater, "the phone is off or out of reach"},
	30004: {blocked, "the number or its carrier blocks the sender"},
	30005: {retryLater, "the number is unknown or not in use any more"},
	30006: {numberPermanent, "it is a landline, or the carrier cannot be reached"},
	30007: {filtered, "the carrier took it for unwanted"},
	30008: {retryLater, "the carrier did not say why"},
	30017: {retryLater, "the carrier is congested"},
	30018: {configPermanent, "the destination asks for a registered sender"},
	30022: {retry, "the sender goes beyond its carrier's rate"},
	30023: {configPermanent, "the sender's daily limit is used up"},
	30024: {configPermanent, "the sender is not ready yet"},
	30027: {configPermanent, "the sender's daily limit at the carrier is used up"},
	30032: {configPermanent, "the toll-free number is not verified"},
	30034: {configPermanent, "the number is not registered for A2P 10DLC"},
	30035: {configPermanent, "the number's registration is still under way"},
	30036: {late, "it became too old while it waited"},
	30410: {retryLater, "the carrier did not answer in time"},
	30450: {retryLater, "Twilio holds messages to this range of numbers for a while"},
	30610: {late, "it was held back for quiet hours"},
	32017: {blocked, "the carrier blocked the call"},
	63016: {configPermanent, "the messaging channel asks for an approved template"},
}

// refusals say for each class whose fault it is when something is over.
var refusals = map[class]oncall.Refusal{
	retry: oncall.NotNow, unknownOutcome: oncall.NotNow, retryLater: oncall.NotNow, late: oncall.NotNow,
	numberPermanent: oncall.BadNumber, blocked: oncall.Filtered, optedOut: oncall.OptedOut, filtered: oncall.Filtered,
	configPermanent: oncall.BadAccount, webhook: oncall.OurFault, ourBug: oncall.OurFault,
	unlisted: oncall.NotNow, // the safe guess: another way now, and nobody is struck off
}
