package graph

import (
	"fmt"
	"strings"
)

// The destinations as people read them when the hub holds back.
const (
	mailWho      = "Exchange Online"
	mailboxWho   = "This mailbox at Exchange Online"
	tracesWho    = "The tenant's message trace"
	directoryWho = "The tenant's directory at Microsoft"
)

// The sentences on why the hub does not touch a thing, and why a thing is suspected.
const (
	guardMicrosoft   = "This app belongs to Microsoft; disabling it could take a service away from the whole tenant. The hub never touches it."
	guardOwn         = "This is the hub's own app (or one it is told to spare); disabling it would end remediation here. If the attacker misuses it, replace its secret instead."
	whyForward       = "sends mail to %s, outside the organisation"
	whyDelete        = "deletes mail"
	whyHide          = "moves mail to the folder %q, where nobody looks"
	whyMoveRead      = "moves mail away and marks it as read"
	whyName          = "has a name made to be overlooked"
	whyKeyword       = "acts on mail about %q"
	whyGrant         = "The user consented to this app, which may: %s."
	whyAppFromGrant  = "The user consented to this app, which is not Microsoft's."
	whyAppMade       = "The account owns this app registration, which was made on %s, around the time of the attack."
	whyOwnerAdded    = "%s was added as an owner of the app on %s, by %s: an owner makes secrets for it and switches it on again."
	whySecretAdded   = "A secret or certificate was added to the app on %s, by %s: whoever holds it signs in as the app." //nolint:gosec // a sentence
	auditsLicensed   = "The hub could not read in the audit log what was changed at apps: the tenant has no licence for it (Entra ID P1). Look through the owners and secrets of its apps by hand, then set the step aside with a reason."
	signInsLicensed  = "The hub could not read the account's sign-ins: the tenant has no licence for it (Entra ID P1). Whether the account stays locked is looked at all the same."
	whyAppSecret     = "The account owns this app, to which a secret was added on %s, around the time of the attack."
	whyMethod        = "The sign-in method was added on %s, around the time of the attack."
	whyMethodUndated = "Microsoft does not tell when this sign-in method was added. Ask the user whether it is theirs."
	whyDevice        = "The device was registered on %s, around the time of the attack."
	whyManaged       = "It is managed by the organisation, so it may be the user's own."
	whyReplies       = "The mailbox answers mail by itself. Look at the text: attackers use it to keep others quiet or to send them on."
	guardMethod      = "This is not a method that can be deleted: a password is replaced by step 4."
	methodGone       = "The sign-in method is not registered any more."
	methodStays      = "Microsoft does not delete the default sign-in method while others are registered. Delete the others first, or make another one the default in the Entra admin center."
	ruleSuspected    = "The rule %s."
	noSnapshot       = "The copy that the hub kept of it cannot be read, so the hub cannot give it back; a person has to."
	goneByOthers     = "It is not there any more, and it was not the hub that deleted it."
	goneHiddenRule   = "Hidden inbox rules cannot be reached through Microsoft Graph; Exchange Online is needed for them."
	appNotHere       = "Neither an app registration nor an enterprise app with this id exists in the tenant."
	ownerStays       = "could not take an owner off the app registration; the owner can switch the app back on"
)

// words is the sentence for a class of failure in the call.
func words(class Class, k call) string {
	could := "The hub could not " + k.op
	switch class {
	case Auth:
		if k.traces {
			return could + ": Microsoft does not accept it before the tenant has the service principal of Microsoft's app 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373, and for some hours after. An administrator of the tenant can create it."
		}
		return could + ": Microsoft did not accept the hub's sign-in for this tenant, a fresh one included. Check that the app's consent in the tenant still stands."
	case Permission:
		return fmt.Sprintf("%s: Microsoft refused. The hub's app needs the application permission %s in this tenant%s.", could, oneOf(k.needs), orProtected(k))
	case Missing:
		return fmt.Sprintf("%s: its app lacks the application permission %s in this tenant. Have an administrator of the tenant grant it (admin consent), then try again.", could, oneOf(k.needs))
	case ProtectedTarget:
		return could + ": the account is protected because it has an administrator role. Give the hub's app the role Privileged Authentication Administrator in this tenant, or let a Global Administrator do it by hand in the Entra admin center."
	case RestrictedUnit:
		return could + ": the account is in a restricted management administrative unit. Give the hub's app a role scoped to that unit, or let one of its administrators do it by hand."
	case Withheld:
		return could + ": the tenant keeps this mailbox from the hub's app (RBAC for Applications or an application access policy). Have an Exchange administrator include it, or look into the mailbox by hand."
	case OnPremMastered:
		return could + ": the account is synchronised from on-premises Active Directory, which is its master. Do it there."
	case NotFound:
		return fmt.Sprintf("%s: %s", could, notThere(k.about))
	case NoMailbox:
		return could + ": there is no mailbox in the cloud (unlicensed, a guest, deleted or on-premises)."
	case Licence:
		return could + ": the tenant has no licence for it. Nothing needs to be done in the hub."
	case Throttled:
		return could + " yet: Microsoft asks to slow down. The hub goes on by itself."
	case Transient:
		return could + ": Microsoft Graph has a fault at the moment. The hub tries again by itself."
	case Conflict:
		return could + ": somebody changed the same object at the same time. The hub tries again by itself."
	case Unreachable:
		return could + ": Microsoft Graph cannot be reached from the hub. It tries again by itself; check the network if this lasts."
	case PolicyRejected:
		return could + ": the tenant's password policy refuses this password. The hub makes another one."
	case UnknownOutcome:
		return could + " for certain: no clear answer came back from Microsoft. The hub reads back what became of it before doing it again."
	case ReadOnly:
		return could + ": Microsoft Graph cannot change this rule. Remove it in Outlook or with Exchange Online PowerShell."
	}
	return could + ": Microsoft refused the request as wrong. This is a fault of the hub; report it with the request id."
}

func oneOf(permissions []string) string {
	if len(permissions) == 0 {
		return "for this"
	}
	return permissions[0]
}

func orProtected(k call) string {
	if !k.admin {
		return ""
	}
	return ", and the role Privileged Authentication Administrator if the account is an administrator"
}

func notThere(s subject) string {
	switch s {
	case anAccount:
		return "the account does not exist in this tenant (any more)."
	case aMailbox:
		return "the mailbox does not exist (any more)."
	case aMessage:
		return "the message is not there any more."
	case aGroup:
		return "the group does not exist in this tenant (any more). Check lock_group of the tenant."
	case aRule:
		return "the rule is not there any more."
	case aDevice:
		return "the device is not registered any more."
	}
	return "the app is not there any more."
}

// sentence joins reasons to one sentence.
func sentence(reasons []string) string {
	return fmt.Sprintf(ruleSuspected, strings.Join(reasons, ", "))
}
