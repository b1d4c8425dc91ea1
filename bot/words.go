package bot

import (
	"fmt"
	"strings"
	"time"

	"responsehub"
	"responsehub/bot/card"
)

// Every sentence that the bot says or records stands here.

const (
	saySignIn      = "The bot cannot sign in at Microsoft. Check teams.app_id, teams.tenant_id and teams.client_secret, and that the secret has not expired."
	saySignInLater = "The bot could not get a token from Microsoft; it tries again."
	sayNotThere    = "The card or its channel does not exist any more in Teams."
	sayThrottled   = "Teams asks the bot to wait; the card follows then."
	sayTeamsAway   = "Teams could not be reached; it is tried again."
	sayNoID        = "Teams took the message but gave no id for it; it may show twice."
	sayOddHost     = "The channel's service address is not one of Teams, so nothing was sent there. Install the app in the channel again."
	sayOddID       = "The channel's id is not one of Teams. Check notify.teams of the tenant."

	sayNotInstalled = "The bot is not installed in this channel. Add the app to the team in Teams."
	sayRemoved      = "The bot was removed from this channel. Add the app to the team in Teams again."

	sayNoIncident = "This incident is not known to the hub any more."
	sayNotOurCard = "This is not the live card of the incident. Use the newest card in the incident's channel."
	sayCardYoung  = "The card is just being posted. Press again in a moment."
	sayLate       = "The hub did not answer in time. Your click may have been taken; the card will show it. Press again if it does not."
	sayLateReveal = "The hub did not answer in time. Press Show password again; if it is gone, ask for a new one with a reason."
	sayChoose     = "Choose at least one item first."
	sayNoButton   = "This button is not known to the hub. Use the newest card in the incident's channel."
	sayNobody     = "Teams did not say who you are, so nothing was done."
	sayPassword   = "One-time password"
	sayAgain      = "This card was older than the incident. Look at it again, then press."

	sayHelp          = "I know: incidents, incident <ref>, ack, ack <ref>, who is on call, whoami, help. Steps are run with the buttons on an incident's card."
	sayUnknown       = "I do not know that. Write help for what I know."
	sayNoneFree      = "There is no open incident that nobody has taken."
	sayWhichAck      = "Several are open. Write ack and one of these numbers"
	sayNone          = "No open incidents."
	sayOpen          = "Open incidents"
	sayOnCall        = "On call, in the order in which people are called"
	sayNoTenant      = "You have no tenants in this hub. Ask your administrator."
	sayWhichRef      = "Which one? Write for instance: incident RH-7K2M"
	sayNobodyReached = "Nobody could be reached by phone. Whoever reads this: take the incident with a button on its card, or write ack and its number to the bot."
	sayPagedAgain    = "This was acknowledged, but nothing was started; people are called again."
	sayNewClient     = "This cannot be taken back, and your client cannot ask whether you mean it. Use a current Teams client, or the console."
	sayMaybe         = "The post of the Teams card was not confirmed; it is posted again and may show twice."
)

func sayTeamsRefused(status int, code string) string {
	return fmt.Sprintf("Teams refused the message (%s).", reason(status, code))
}

func sayTeamsDown(status int) string {
	return fmt.Sprintf("Teams has trouble of its own (%d); it is tried again.", status)
}

func reason(status int, code string) string {
	if code == "" {
		return fmt.Sprint(status)
	}
	return fmt.Sprintf("%d, %s", status, code)
}

// sayForbidden tells what to do about a 403.
func sayForbidden(code string) string {
	switch code {
	case "BotNotInConversationRoster":
		return "The bot is not in this channel any more. Add the app to the team in Teams again."
	case "BotDisabledByAdmin":
		return "An administrator has disabled the bot in Teams. Allow the app in the Teams admin center."
	case "ConversationBlockedByUser":
		return "The conversation is blocked for the bot. Unblock it in Teams."
	case "NotEnoughPermissions":
		return "The bot may not post in this channel. Let apps post there in the channel's settings."
	}
	return "Teams does not let the bot post in this channel (" + reason(403, code) + ")."
}

func sayPosted(ch responsehub.Channel) string { return "Teams card posted in " + place(ch) }

func sayFailed(channel responsehub.Channel, why string) string {
	return "Teams card in " + place(channel) + " failed: " + why
}

func sayLost(ch responsehub.Channel) string {
	return "The bot was removed from " + place(ch) + ": the card there stays as it is"
}

func sayRefused(name, why string) string { return "Refused to " + name + ": " + why }

// place names a channel for people.
func place(ch responsehub.Channel) string {
	name := card.Clean(ch.Name, 60)
	switch {
	case ch.TeamName != "" && name != "":
		return card.Clean(ch.TeamName, 60) + " / " + name
	case ch.TeamName != "":
		return card.Clean(ch.TeamName, 60)
	case name != "":
		return name
	}
	return ch.ID
}

func sayWho(a responsehub.Actor, objectID string) string {
	if a.Role == "" {
		return "You are not on this hub's list of people. Give your administrator this Entra object id: " + objectID
	}
	tenants := strings.Join(a.Tenants, ", ")
	if tenants == "*" {
		tenants = "all tenants"
	}
	return fmt.Sprintf("You are %s, role %s, for %s. Your Entra object id is %s.", a.Name, a.Role, tenants, objectID)
}

func sayLine(inc *responsehub.Incident) string {
	return fmt.Sprintf("%s · %s · %s · %s (%s) · %s", inc.Ref, inc.State.Words(), inc.Severity, card.Clean(inc.Title, 80), card.Clean(inc.Tenant.Name, 60), card.Clean(inc.Account.Label(), 80))
}

func sayMore(n int) string {
	return fmt.Sprintf("Only the newest %d are listed; the console shows all.", n)
}

// saySequence tells who is on call, and whom the phone rings in which order.
func saySequence(tenant, now string, names []string) string {
	called := strings.Join(names, ", then ")
	switch {
	case now != "" && called == "":
		return tenant + ": " + now + " is on call; nobody is called by phone."
	case called == "":
		return tenant + ": nobody is called; the tenant has no phone sequence."
	case now != "" && now != names[0]:
		return tenant + ": " + now + " is on call; called are " + called
	}
	return tenant + ": " + called
}

// unasked tells the user of an old client, who cannot be asked back, what to do.
func unasked(q *asked) string {
	if q.Reason {
		return q.Text + " Type it on the card, then press again."
	}
	return sayNewClient
}

// The replies in a card's thread. What strangers had a hand in is made harmless.

func sayLocked(inc *responsehub.Incident, s *responsehub.Step) string {
	text := harmless(inc.Account.Label(), 120) + " is locked, read back at " + hour(s.VerifiedAt)
	if d := s.VerifiedAt.Sub(inc.ReceivedAt); d > 0 && d < time.Hour && s.Round <= 1 {
		text += ", " + responsehub.Span(d) + " after the alert came in"
	}
	return text + "."
}

func sayRelocked(r responsehub.Reversal, times int) string {
	text := fmt.Sprintf("%s at %s; the hub locked it again at %s", harmless(r.Why, 200), hour(r.SeenAt), hour(r.LockedAt))
	if times > 1 {
		text += fmt.Sprintf(", %d times so far", times)
	}
	return text + "."
}

func sayUnlocked(r *responsehub.Relock) string {
	return fmt.Sprintf("%s at %s, and locking it again did not work: %s", harmless(r.Why, 200), hour(r.SeenAt), harmless(r.Failed, 300))
}

func sayNeedsHuman(s *responsehub.Step) string {
	return strings.TrimSpace(stepName(s.ID) + " needs a person. " + harmless(s.Reason, 300))
}

func sayStepFailed(s *responsehub.Step) string {
	return strings.TrimSpace(stepName(s.ID) + " failed. " + harmless(s.Reason, 300))
}

func stepName(id responsehub.StepID) string {
	if id.Number() == 0 {
		return id.Title()
	}
	return fmt.Sprintf("Step %d, %s,", id.Number(), id.Title())
}

func sayReturned(n int) string {
	if n == 1 {
		return "Something that was disabled in step 3 came back; the card says what."
	}
	return fmt.Sprintf("What was disabled in step 3 came back, %d times so far; the card says what.", n)
}

func sayEvidence(alerts int) string {
	return fmt.Sprintf("New evidence came in: %d alerts for this account so far.", alerts)
}

// sayEscalated tells whose turn it is, and who passed it on where somebody did.
func sayEscalated(names, passed string) string {
	is := " is"
	if strings.Contains(names, ", ") {
		is = " are"
	}
	if passed != "" {
		return harmless(passed, 80) + " cannot take it; " + harmless(names, 200) + is + " called now."
	}
	return "Nobody has answered the phone yet; " + harmless(names, 200) + is + " called now."
}

func sayClosed(inc *responsehub.Incident) string {
	how := "Marked as remediated"
	if inc.State == responsehub.FalseAlarm {
		how = "Closed as a false alarm"
	}
	if s := inc.Step(responsehub.Close); s.RequestedBy.Name != "" {
		how += " by " + harmless(s.RequestedBy.Name, 80)
	}
	return how + " at " + hour(inc.ClosedAt) + "."
}

func sayMaybeReply(ch responsehub.Channel) string {
	return "A reply in the Teams thread in " + place(ch) + " was not confirmed; it is said once more and may show twice."
}

func sayReplyFailed(ch responsehub.Channel, why string) string {
	return "A reply in the Teams thread in " + place(ch) + " failed: " + why
}

func hour(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }
