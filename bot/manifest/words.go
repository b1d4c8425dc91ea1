package manifest

// Every sentence of the app in Teams stands here.

const (
	defaultName   = "responsehub"
	wordsFullName = " - incidents of taken-over accounts"
	wordsShort    = "One card per taken-over Microsoft 365 account, with the buttons that end it."
	wordsFull     = "When a detector reports a taken-over Microsoft 365 account, responsehub posts one card in the channel of its tenant. " +
		"The card always shows what was done, by whom and when, and has the buttons for what is left: lock the account, take back the phishing mail, " +
		"disable what the attacker left behind, reset the password, open the account again. Only people on the hub's list can press them. " +
		"In chat the bot answers a few questions; write help."
)

// commands are what Teams offers when somebody begins to write to the bot. A command that
// needs a ref is offered without one: Teams puts the title into the message.
var commands = []entry{
	{"incidents", "The open incidents that you may see"},
	{"incident", "The card of one incident, to read: incident RH-7K2M"},
	{"ack", "Say that you have taken an incident: ack RH-7K2M"},
	{"on call", "Who is called, in which order"},
	{"whoami", "Who the hub takes you for, and your Entra object id"},
	{"help", "What the bot knows"},
}
