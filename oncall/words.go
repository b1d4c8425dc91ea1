package oncall

import (
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// Everything that is said or sent stands in this file. Texts are one GSM-7 segment and
// name no victim: they are read on locked screens.

// segment is the length of a text that fits into one message, in GSM-7 characters.
// https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/
const segment = 160

// language is the language that is spoken to a person. Sentences are there in English;
// whoever adds another language adds its sentences here and its tag to this function.
func language(p responsehub.Person) string { return "en-US" }

func pageText(inc *responsehub.Incident, code string) string {
	do := "Act now: nothing is done by itself."
	if inc.Response {
		do = "A step needs you."
	}
	return fit(inc.Tenant.Name, func(tenant string) string {
		return fmt.Sprintf("%s %s: account takeover, %s. %s To acknowledge reply with code %s", inc.Ref, tenant, inc.Severity, do, code)
	})
}

// severalText is that of an incident beside which others are open at the phone: as many
// of them as fit, two at most, and the code for all.
func severalText(inc *responsehub.Incident, code string, others []*responsehub.Incident, codes map[string]string, all string) string {
	also := ""
	for _, o := range others[:min(len(others), 2)] {
		also += fmt.Sprintf(", %s %s", o.Ref, codes[o.ID])
	}
	return fit(inc.Tenant.Name, func(tenant string) string {
		return fmt.Sprintf("%s %s: account takeover, %s. Reply with code %s. Also open: %s. Reply %s to take all %d", inc.Ref, tenant, inc.Severity, code, also[2:], all, len(others)+1)
	})
}

func replyAll(next bool, done, asked int) string {
	switch {
	case done == 0:
		return "responsehub: none of these is open for you any more. Reply STATUS for what is."
	case next:
		return fmt.Sprintf("responsehub: the next person is called now for %d.", done)
	case done < asked:
		return fmt.Sprintf("responsehub: %d of %d are yours, the others were not open any more. Now act in Teams or the console.", done, asked)
	}
	return fmt.Sprintf("responsehub: all %d acknowledged, nobody else is called. Now act in Teams or the console.", done)
}

func tellText(inc *responsehub.Incident) string {
	what := "Nobody is needed any more."
	switch a := inc.Acknowledged; {
	case inc.State == responsehub.FalseAlarm:
		what = "It was a false alarm."
	case a != nil:
		what = firstName(a.By.Name) + " has it."
	case inc.State.Closed():
		what = "It is closed."
	}
	return fit(inc.Tenant.Name, func(tenant string) string { return fmt.Sprintf("%s %s: %s", inc.Ref, tenant, what) })
}

func shareText(inc *responsehub.Incident) string {
	return fit(inc.Tenant.Name, func(tenant string) string {
		return fmt.Sprintf("%s %s: account takeover. The account is locked, steps 1 to 3 are done. Steps 4 to 6 wait for you.", inc.Ref, tenant)
	})
}

// firstName bounds a name in a text.
func firstName(name string) string { return cut(gsm(name), 40) }

func spokenPage(incs []*responsehub.Incident) []string {
	keys := "Press 4 to acknowledge. Press 5 for the next person. Press star to repeat."
	if len(incs) == 1 {
		inc := incs[0]
		return []string{fmt.Sprintf("This is responsehub. %s has an account takeover. Severity %s.", spoken(inc.Tenant.Name), inc.Severity), keys}
	}
	names := make([]string, 0, len(incs))
	for _, inc := range incs {
		if name := spoken(inc.Tenant.Name); !contains(names, name) {
			names = append(names, name)
		}
	}
	return []string{
		fmt.Sprintf("This is responsehub. %d incidents need you: %s.", len(incs), someOf(names, 5)),
		"Press 4 to take all. Press 1 to hear them one by one. Press 5 for the next person. Press star to repeat.",
	}
}

func spokenList(incs []*responsehub.Incident) []string {
	var out []string
	for i, inc := range incs {
		if i == 20 {
			out = append(out, fmt.Sprintf("And %d more.", len(incs)-i))
			break
		}
		out = append(out, fmt.Sprintf("%d. %s, %s, severity %s.", i+1, spoken(inc.Tenant.Name), spelt(inc.Ref), inc.Severity))
	}
	return append(out, "Press 4 to take all. Press 5 for the next person. Press star to repeat.")
}

const (
	sayWrongKey   = "That key does nothing."
	sayNothing    = "No key was pressed, so this is not acknowledged. Goodbye."
	sayGoodbye    = "Goodbye."
	sayPassed     = "The next person is called now. Goodbye."
	sayNotYours   = "If this is not the number of a person on call, press 9 once more. Press star to repeat."
	sayRemoved    = "This number is not called any more. Goodbye."
	sayNotStored  = "This could not be saved. You are not noted as having acknowledged. Please use Teams, or answer the text."
	sayOver       = "There is nothing open for you any more. Goodbye."
	sayNoIncident = "This is responsehub. There is nothing open for you. Goodbye."
	sayUnknown    = "This number takes no calls. Goodbye."
)

func sayTaken(n int) string {
	if n == 1 {
		return "You have acknowledged it. Nobody else is called. Now act in Teams or the console. Goodbye."
	}
	return fmt.Sprintf("You have acknowledged all %d. Nobody else is called. Now act in Teams or the console. Goodbye.", n)
}

func sayFirst(inc *responsehub.Incident, by responsehub.By, at time.Time, me string) string {
	if by.ID == me {
		return fmt.Sprintf("%s is yours already.", spoken(inc.Tenant.Name))
	}
	return fmt.Sprintf("%s acknowledged %s first, %s ago.", spoken(by.Name), spoken(inc.Tenant.Name), ago(time.Since(at)))
}

func ago(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d seconds", max(1, int(d/time.Second)))
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}

func sayOpen(incs []*responsehub.Incident) []string {
	var out []string
	if len(incs) == 1 {
		out = append(out, "This is responsehub. One incident is open for you.")
	} else {
		out = append(out, fmt.Sprintf("This is responsehub. %d incidents are open for you.", len(incs)))
	}
	for i, inc := range incs[:min(len(incs), 10)] {
		out = append(out, fmt.Sprintf("%d. %s, severity %s.", i+1, spoken(inc.Tenant.Name), inc.Severity))
	}
	return append(out, "To acknowledge, answer the text with its code.")
}

func wrongNumberWords(name, number string) string {
	return fmt.Sprintf("Whoever answered the number of %s (%s) says that it is not theirs. It gets no more calls or texts. Correct it in the list of people.", name, number)
}

func guessedWords(name, number string) string {
	return fmt.Sprintf("Five wrong codes came from the number of %s (%s). Texts from there are ignored for an hour: somebody may be guessing.", name, number)
}

func stopWords(name, number string) string {
	return fmt.Sprintf("%s (%s) wrote STOP: no texts go there, only calls. START from that phone turns them on again.", name, number)
}

func startWords(name, number string) string {
	return fmt.Sprintf("%s (%s) wrote START: texts go there again.", name, number)
}

// Replies to texts.

const (
	replyHelp     = "responsehub: reply with the 4-digit code to acknowledge, NEXT and the code for the next person, STATUS for what is open. Steps are run in Teams."
	replyNothing  = "responsehub: nothing is open for you."
	replyOn       = "responsehub: texts are on again."
	replyWrong    = "responsehub: that code is not open for you. Reply STATUS for what is."
	replyUnknown  = "responsehub: not understood. Reply with the 4-digit code, or STATUS, or HELP."
	replyWhoseNot = "responsehub: you get no more texts. Please tell the service desk that this number is wrong."
)

func replyTaken(inc *responsehub.Incident) string {
	return fit(inc.Tenant.Name, func(tenant string) string {
		return fmt.Sprintf("%s %s: acknowledged, nobody else is called. Now act in Teams or the console.", inc.Ref, tenant)
	})
}

func replyFirst(inc *responsehub.Incident, by responsehub.By, at time.Time, me string) string {
	return fit(inc.Tenant.Name, func(tenant string) string {
		if by.ID == me {
			return fmt.Sprintf("%s %s: yours already, since %s.", inc.Ref, tenant, at.UTC().Format("15:04:05 UTC"))
		}
		return fmt.Sprintf("%s %s: %s was first, at %s.", inc.Ref, tenant, firstName(by.Name), at.UTC().Format("15:04:05 UTC"))
	})
}

func replyClosed(inc *responsehub.Incident) string {
	what := "closed already"
	if inc.State == responsehub.FalseAlarm {
		what = "closed as a false alarm"
	}
	if !inc.State.Closed() {
		what = "no longer in need of you"
	}
	return fit(inc.Tenant.Name, func(tenant string) string { return fmt.Sprintf("%s %s: %s.", inc.Ref, tenant, what) })
}

func replyPassed(inc *responsehub.Incident) string {
	return fit(inc.Tenant.Name, func(tenant string) string {
		return fmt.Sprintf("%s %s: the next person is called now.", inc.Ref, tenant)
	})
}

// replyWhich lists what is open with its codes, as many as fit.
func replyWhich(incs []*responsehub.Incident, codes map[string]string, ask bool) string {
	head := fmt.Sprintf("%d open:", len(incs))
	if ask {
		head = fmt.Sprintf("%d are open, reply with a code:", len(incs))
	}
	out := head
	for i, inc := range incs {
		next := out + fmt.Sprintf(" %s %s code %s", inc.Ref, cut(gsm(inc.Tenant.Name), 20), codes[inc.ID])
		if i < len(incs)-1 {
			next += ","
		}
		if septets(next) > segment-len(" and 50 more") {
			return strings.TrimSuffix(out, ",") + fmt.Sprintf(" and %d more", len(incs)-i)
		}
		out = next
	}
	return out
}

func attemptSentence(a *responsehub.Attempt, name string) string {
	what := "Call to "
	if a.Way == responsehub.ByText {
		what = "Text to "
	}
	s := what + name + ": " + a.State.Words()
	if a.Reason != "" && (a.State == responsehub.AttemptFailed || a.State == responsehub.AttemptUndelivered || a.State == responsehub.AttemptCancelled) {
		s += ". " + strings.TrimSuffix(a.Reason, ".") + "."
	}
	return s
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func someOf(names []string, most int) string {
	switch {
	case len(names) > most:
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	case len(names) > 1:
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
	return strings.Join(names, "")
}
