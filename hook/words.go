package hook

// What chats and records say, beside the events' own words.
const (
	headline    = "%s: %s at %s"    // ref, account, tenant
	opening     = "Severity %s: %s" // severity, title
	unpublished = "*Act now:* Response is off there, nothing runs by itself. Somebody has to publish the incident."
	earlier     = "(and %d earlier)"
	openLink    = "Open the incident"
	failed      = "A notice to %s could not be delivered: %s" // host, why
	gaveUp      = "given up for this incident. %s"            // why
)
