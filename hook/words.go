package hook

// What chats, records and those who look after destinations read, beside the events' own
// words.
const (
	headline    = "%s: %s at %s"    // ref, account, tenant
	opening     = "Severity %s: %s" // severity, title
	unpublished = "*Act now:* Response is off there, nothing runs by itself. Somebody has to publish the incident."
	responds    = "Response is on there: the hub locks the account, takes back the phish and disables persistence by itself. What it did and what is left follows here."
	earlier     = "(and %d earlier)"
	openLink    = "Open the incident"
	failed      = "A notice to %s could not be delivered: %s" // host, why
	gaveUp      = "given up for this incident. %s"            // why
	noHost      = "an address that is none"

	alreadyThere  = "The tenant has this address already."
	noDestination = "The tenant has no such destination; it may have been removed."
	chatUnsigned  = "A Slack webhook is not signed; its address is the secret. Remove it and add the new address."
	sharedAddress = "Other tenants have the same address. Only somebody who may manage all of them may make a new secret."
	signedFirst   = "Secret of the outgoing webhook to %s made"                            // host
	signedAnew    = "Secret of the outgoing webhook to %s rotated"                         // host
	retried       = "Notices to %s are tried again, asked for by %s"                       // host, who
	testTaken     = "%s took the test event within %s."                                    // host, span
	testFailed    = "%s did not take the test event: %s"                                   // host, why
	testText      = "A test from ResponseHub for %s, sent by %s. Nothing happened."        // tenant, who
	testEvent     = "A test sent by %s. No incident is behind it; nothing has to be done." // who
)
