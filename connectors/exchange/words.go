package exchange

import "fmt"

// exchangeWho is the destination as people read it when the hub holds back.
const exchangeWho = "Exchange Online"

// The sentences on why the hub does not touch a thing, and why a thing is suspected.
const (
	guardHybrid   = "This connector carries the mail between the tenant's own Exchange servers and Microsoft 365. Switching it off would stop that mail; the hub leaves it to you."
	guardOutlook  = "This is one of Outlook's own rules (junk mail, automatic replies or a delegate). The hub never touches it."
	whyHidden     = "The rule is hidden: neither Outlook nor Microsoft Graph shows it."
	whyForwarding = "The mailbox forwards all mail to %s."
	whyConnector  = "The connector was made on %s, around the time of the attack."

	whyForwardingOnly = "No copy stays in it."
	whyDelegate       = "%s %s. Nothing tells since when: ask the user whether it is wanted."
	mayOpen           = "may open the whole mailbox"
	maySend           = "may send mail in the user's name"
	mayUse            = "has rights in the inbox (%s)"
	unknownDelegate   = "The hub cannot tell which right of whom is meant. Look at the mailbox's delegates by hand, then set this aside with a reason."
	whySweep          = "The sweep rule moves mail from %s to %s a few times a day."
	whyTransport      = "The mail flow rule was made or changed on %s, around the time of the attack."
	whyCopies         = "It sends secret copies to %s."
	whyRedirects      = "It redirects mail to %s."
	whyDeletes        = "It deletes mail."
	askRule           = "It may be wanted: ask, then disable it by name or set it aside with a reason."
	noExchange        = "This tenant has no Exchange Online, so there are no mailboxes, mail rules or connectors in it."
)

// words is the sentence for a class of failure of a cmdlet.
func words(class Class, k cmdlet) string {
	could := "The hub could not " + k.op
	switch class {
	case Auth:
		return could + ": Exchange Online did not accept the hub's sign-in. Check in this tenant that the app has the permission Exchange.ManageAsApp and the role Exchange Administrator; a new role takes some minutes to be seen."
	case Permission:
		return could + ": Exchange Online refused. Give the hub's app the role Exchange Administrator in this tenant (a new role takes some minutes to be seen), or look in the Exchange admin center."
	case NotFound:
		return could + ": it is not there any more."
	case Throttled:
		return could + " yet: Exchange Online asks to slow down. The hub goes on by itself."
	case Transient:
		return could + ": Exchange Online has a fault at the moment. The hub tries again by itself."
	case Unreachable:
		return could + ": Exchange Online cannot be reached from the hub. It tries again by itself; check the network if this lasts."
	case Unsupported:
		return could + ": Exchange Online does not offer this to the hub in this tenant. Look in the Exchange admin center or use Exchange Online PowerShell."
	case UnknownOutcome:
		return could + " for certain: no clear answer came back from Exchange Online. The hub reads back what became of it before doing it again."
	}
	return fmt.Sprintf("%s: Exchange Online refused the command %s as wrong. Do it in the Exchange admin center and report this with the request id.", could, k.name)
}

func manageAsAppWords(k cmdlet) string {
	return "The hub could not " + k.op + ": its app lacks the application permission Exchange.ManageAsApp of Office 365 Exchange Online in this tenant. Have an administrator of the tenant grant it (admin consent) and give the app the role Exchange Administrator."
}
