package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"responsehub"
)

var (
	everyStep = []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence, responsehub.Password, responsehub.Reenable}
	mailSteps = []responsehub.StepID{responsehub.Persistence}
)

// look makes all checks of a tenant. Only the token comes first: without one there is
// nothing to ask.
func (p *Preflight) look(ctx context.Context, t responsehub.Tenant) []responsehub.Check {
	id, link := t.MicrosoftTenantID, p.cfg.Microsoft.ConsentLink(t.MicrosoftTenantID)
	rights, err := p.cfg.Microsoft.Rights(ctx, id)
	checks := []responsehub.Check{p.consent(t, link, err)}
	if err == nil {
		for _, n := range needs {
			checks = append(checks, permission(n, rights, t, link))
		}
		if t.LockGroup != "" {
			checks = append(checks, permission(lockGroupNeed, rights, t, link))
		}
		checks = append(checks, protectedAccounts(rights, t))
		checks = append(checks, p.writeback(ctx, t)...)
		checks = append(checks, p.services(ctx, t, link, rights)...)
	}
	checks = append(checks, responseSwitch(t))
	if p.cfg.More != nil {
		checks = append(checks, p.cfg.More(ctx, t)...)
	}
	return append(checks, p.channels(t)...)
}

// consent judges the token for Microsoft Graph.
func (p *Preflight) consent(t responsehub.Tenant, link string, err error) responsehub.Check {
	c := responsehub.Check{Name: "consent", Blocks: everyStep}
	switch {
	case err == nil:
		c.Grade, c.Sentence = responsehub.CheckOK, "The tenant lets the hub's app sign in."
	case passing(err):
		c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
	case p.cfg.Microsoft.ConsentMissing(err):
		c.Grade, c.Sentence = responsehub.CheckMissing, responsehub.Sentence(err)+" The link for the administrator: "+link
		c.Step = "The hub's app has no consent in " + t.Name + ": this step will fail until an administrator of the tenant gives it."
	default:
		c.Grade, c.Sentence = responsehub.CheckMissing, responsehub.Sentence(err)
		c.Step = "The hub's app cannot sign in to " + t.Name + ": this step will fail until that is mended. See the tenant's preflight."
	}
	return c
}

// passing reports whether an error says nothing about the tenant's rights.
func passing(err error) bool {
	switch responsehub.KindOf(err) {
	case responsehub.Unavailable, responsehub.Throttled, responsehub.UnknownOutcome:
		return true
	}
	return false
}

// services asks Exchange Online, the message trace, the directory and the log of sign-ins
// at the same time.
func (p *Preflight) services(ctx context.Context, t responsehub.Tenant, link string, rights Rights) []responsehub.Check {
	var exchange, trace, hybrid, licence []responsehub.Check
	var wg sync.WaitGroup
	wg.Go(func() { exchange = p.exchange(ctx, t, link) })
	wg.Go(func() { hybrid = []responsehub.Check{p.hybrid(ctx, t)} })
	if slices.Contains(rights.Permissions, "ExchangeMessageTrace.Read.All") {
		wg.Go(func() { trace = []responsehub.Check{p.trace(ctx, t)} })
	}
	if slices.Contains(rights.Permissions, "AuditLog.Read.All") {
		wg.Go(func() { licence = []responsehub.Check{p.signIns(ctx, t)} })
	}
	wg.Wait()
	return slices.Concat(exchange, trace, hybrid, licence)
}

func (p *Preflight) exchange(ctx context.Context, t responsehub.Tenant, link string) []responsehub.Check {
	perm := responsehub.Check{Name: manageAsApp, Blocks: mailSteps}
	r, err := p.cfg.Microsoft.ExchangeRights(ctx, t.MicrosoftTenantID)
	switch {
	case err != nil && responsehub.KindOf(err) == responsehub.NotFound:
		perm.Name, perm.Grade, perm.Blocks = "exchange", responsehub.CheckWarning, nil
		perm.Sentence = responsehub.Sentence(err)
		return []responsehub.Check{perm}
	case err != nil && passing(err):
		perm.Grade, perm.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
		return []responsehub.Check{perm}
	case err != nil, r.Known && !slices.Contains(r.Permissions, manageAsApp):
		perm.Grade = responsehub.CheckMissing
		perm.Sentence = "The hub's app lacks the application permission " + manageAsApp + " of Office 365 Exchange Online: hidden rules, forwarding, delegates and connectors cannot be read. Add it to the app registration, then have an administrator of the tenant consent: " + link
		if err != nil {
			perm.Sentence = responsehub.Sentence(err) + " The link for the administrator: " + link
		}
		perm.Step = "The hub's app lacks " + manageAsApp + " in " + t.Name + ": this step will stay unfinished until it is granted."
		return []responsehub.Check{perm}
	}
	perm.Grade, perm.Sentence = responsehub.CheckOK, "The application permission "+manageAsApp+" is granted."
	if !r.Known {
		perm.Grade, perm.Sentence = responsehub.CheckUnknown, "Whether the application permission "+manageAsApp+" is granted cannot be read from the token."
	}
	return []responsehub.Check{perm, p.exchangeRole(ctx, t, r)}
}

// exchangeRole tries a cmdlet: a role group made for the app in Exchange does as well
// as the directory role, and shows in no token.
func (p *Preflight) exchangeRole(ctx context.Context, t responsehub.Tenant, r Rights) responsehub.Check {
	c := responsehub.Check{Name: "role " + exchangeAdministrator, Blocks: mailSteps}
	err := p.cfg.Microsoft.Exchange(ctx, t.MicrosoftTenantID)
	switch {
	case err == nil && (!r.Known || hasRole(r, exchangeAdministrator)):
		c.Grade, c.Sentence = responsehub.CheckOK, "Exchange Online answers the hub."
	case err == nil:
		c.Grade = responsehub.CheckWarning
		c.Sentence = "Exchange Online answers, but the hub's app does not show the role " + exchangeAdministrator + ". A role group of your own may leave cmdlets out that step 3 needs. " + assign(exchangeAdministrator, t)
	case passing(err):
		c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
	case r.Known && !hasRole(r, exchangeAdministrator):
		c.Grade = responsehub.CheckMissing
		c.Sentence = "The hub's app lacks the role " + exchangeAdministrator + ": Exchange Online refuses it, so hidden rules, forwarding, delegates and connectors cannot be read. " + assign(exchangeAdministrator, t) + " Exchange Online takes some minutes to see a new role."
		c.Step = "The hub's app lacks the role " + exchangeAdministrator + " in " + t.Name + ": this step will stay unfinished until it is assigned."
	default:
		c.Grade, c.Sentence = responsehub.CheckMissing, responsehub.Sentence(err)
		c.Step = "Exchange Online refuses the hub in " + t.Name + ": this step will stay unfinished until that is mended. See the tenant's preflight."
	}
	return c
}

func (p *Preflight) trace(ctx context.Context, t responsehub.Tenant) responsehub.Check {
	c := responsehub.Check{Name: "message trace", Blocks: []responsehub.StepID{responsehub.Retract}}
	switch err := p.cfg.Microsoft.Trace(ctx, t.MicrosoftTenantID); {
	case err == nil:
		c.Grade, c.Sentence = responsehub.CheckOK, "The message trace answers: phishing mail is looked for where it was delivered."
	case passing(err):
		c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
	default:
		c.Grade = responsehub.CheckWarning
		c.Sentence = "The message trace does not answer, so all mailboxes are searched instead, which takes longer. " +
			"The tenant needs the service principal of Microsoft's app 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373, which takes hours to be seen: " +
			"New-MgServicePrincipal -AppId 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373. What came back: " + responsehub.Sentence(err)
	}
	return c
}

// signIns tells whether the tenant is licensed for the log that the watch of a lock reads.
func (p *Preflight) signIns(ctx context.Context, t responsehub.Tenant) responsehub.Check {
	c := responsehub.Check{Name: "sign-in log", Blocks: []responsehub.StepID{responsehub.Lock}}
	switch err := p.cfg.Microsoft.SignIns(ctx, t.MicrosoftTenantID); {
	case err == nil:
		c.Grade, c.Sentence = responsehub.CheckOK, "The log of sign-ins answers: a session that begins after a lock is seen and ended."
	case passing(err):
		c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
	default:
		c.Grade = responsehub.CheckWarning
		c.Sentence = "Sessions that begin after a lock are not seen. What came back: " + responsehub.Sentence(err)
	}
	return c
}

func (p *Preflight) hybrid(ctx context.Context, t responsehub.Tenant) responsehub.Check {
	c := responsehub.Check{Name: "directory sync"}
	synced, err := p.cfg.Microsoft.Hybrid(ctx, t.MicrosoftTenantID)
	switch {
	case err != nil:
		c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
	case synced:
		c.Grade = responsehub.CheckOK
		c.Sentence = "Accounts come from on-premises AD: a lock is watched and done again when the sync undoes it, and passwords of such accounts are reset in AD by hand."
		if t.PasswordMode == responsehub.PasswordWriteback {
			c.Sentence = "Accounts come from on-premises AD: a lock is watched and done again when the sync undoes it, and passwords of such accounts are written back to AD."
		}
	default:
		c.Grade, c.Sentence = responsehub.CheckOK, "The directory lives in the cloud only."
	}
	return c
}

// writeback judges the sign-in of the person in whose name passwords are written back.
func (p *Preflight) writeback(ctx context.Context, t responsehub.Tenant) []responsehub.Check {
	if t.PasswordMode != responsehub.PasswordWriteback {
		return nil
	}
	c := responsehub.Check{Name: "delegated sign-in", Blocks: []responsehub.StepID{responsehub.Password}}
	if p.cfg.SignIn == nil {
		c.Grade, c.Sentence = responsehub.CheckUnknown, "This hub cannot look whether somebody has signed in for the tenant."
		return []responsehub.Check{c}
	}
	s, err := p.cfg.SignIn(ctx, t.MicrosoftTenantID)
	switch {
	case err != nil && passing(err):
		c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
	case err != nil:
		c.Grade, c.Sentence = responsehub.CheckMissing, responsehub.Sentence(err)
		c.Step = "Passwords of accounts from on-premises AD cannot be written back in " + t.Name + ": somebody has to sign in. See the tenant's preflight."
	case s.Rights.Known && !hasRole(s.Rights, authenticationAdministrator) && !hasRole(s.Rights, privilegedAdministrator):
		c.Grade = responsehub.CheckMissing
		c.Sentence = s.Who + ", who signed in for the tenant, lacks the role " + authenticationAdministrator + ": no password can be written back. Give it in the Entra admin center of " + t.Name + ", or let somebody sign in who has it."
		c.Step = "Who signed in for " + t.Name + " may not reset passwords: this step will fail for accounts from on-premises AD."
	default:
		c.Grade, c.Sentence = responsehub.CheckOK, fmt.Sprintf("%s signed in on %s, and Microsoft still takes it.", s.Who, s.At.UTC().Format("2006-01-02"))
		if s.Rights.Known && !hasRole(s.Rights, privilegedAdministrator) {
			c.Sentence += " Accounts of administrators would need the role " + privilegedAdministrator + "."
		}
	}
	return []responsehub.Check{c}
}

func responseSwitch(t responsehub.Tenant) responsehub.Check {
	if t.Response {
		return responsehub.Check{Name: "response", Grade: responsehub.CheckOK, Sentence: "Response is on: steps 1 to 3 run by themselves."}
	}
	return responsehub.Check{Name: "response", Grade: responsehub.CheckOK, Sentence: "Response is off: nothing runs before somebody publishes the incident."}
}

// checkTeams names what is said of a tenant's channels.
const checkTeams = "teams"

// channels judges where people are told. It changes nothing for the steps.
func (p *Preflight) channels(t responsehub.Tenant) []responsehub.Check {
	told := t.Notify.Teams
	if len(told) == 0 {
		told = p.cfg.Fallback
	}
	switch {
	case !p.cfg.Teams:
		return []responsehub.Check{{Name: checkTeams, Grade: responsehub.CheckWarning, Sentence: "The hub has no bot in Teams, so nobody sees a card. Fill in the section teams of its configuration."}}
	case len(told) == 0:
		return []responsehub.Check{{Name: checkTeams, Grade: responsehub.CheckMissing, Sentence: "The tenant has no channel in Teams and the hub no fallback channel: nobody would see a card. Give notify.teams of the tenant, or fallback.teams."}}
	}
	var checks []responsehub.Check
	for _, id := range told {
		c := responsehub.Check{Name: checkTeams, Grade: responsehub.CheckOK}
		ch, known := p.cfg.Directory.Channel(id)
		name := strings.Trim(ch.TeamName+" / "+ch.Name, " /")
		if name == "" {
			name = fmt.Sprintf("%.80q", id)
		}
		switch {
		case !known:
			c.Grade, c.Sentence = responsehub.CheckWarning, "The bot has not been seen in the channel "+name+". Add the app to the team and check the channel's id; the bot tries to post there all the same."
		case !ch.Installed:
			c.Grade, c.Sentence = responsehub.CheckMissing, "The bot was removed from the channel "+name+". Add the app to the team again."
		case ch.Failure != "":
			c.Grade, c.Sentence = responsehub.CheckMissing, "The channel "+name+" cannot be reached: "+ch.Failure
		default:
			c.Sentence = "The bot is in the channel " + name + "."
		}
		checks = append(checks, c)
	}
	return checks
}
