package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"responsehub/sim/teams"
	"responsehub/sim/tenant"
)

// Act is one thing that somebody in the world does. Do names it, the other fields say with what;
// what is left out is found: the newest card with the button, the first customer, the victim.
//
//	click           Person presses a button (Verb, Title or Pointer; see teams.Press)
//	dialog          the same for a button that opens a dialog
//	submit          Person submits a dialog with Data
//	refresh         Person's client refreshes the card by itself
//	message         Person writes Text to the bot: in Channel (below Thread), or in their chat with it
//	install         the bot is put into the team and told so
//	uninstall       the bot is taken out
//	disable_bot     an administrator blocks the bot in Teams; On false frees it
//	limits          the rate limits of Teams are switched on or, with On false, off
//	roll_keys       Teams signs with a new key
//	sync_directory  Active Directory wins over the cloud in Tenant
//	deliver         the phish comes again, as a new message, to User
//	recreate_rule   the attacker makes the inbox rule "." (or Value) again in User's mailbox
//	switch_app_on   the owner switches the app of the takeover (or Value) on again
//	add_forwarding  the attacker makes User's mailbox forward to drop@evil.example (or Value)
//	add_method      the attacker adds a phone number (or Value) to User's sign-in methods
//	add_device      the attacker registers a device, named Value, for User
//	add_owner       User makes himself an owner of the app of the takeover (or Value)
//	sign_in         with a token that lives on somebody signs in to Outlook (or Value) as User
//	approve_sign_in  User (or the administrator) types in the newest device code (or Value)
//	withdraw_consent  an administrator takes the hub's consent (or Client's) away
//	find            the detector finds a takeover of Value (an alert kind) and its webhook gets lost
//	answer          Person picks up their ringing phone
//	press           Person presses the keys Value during the call
//	hang_up         Person ends the call, or declines it while it rings
//	text            Person writes the text message Text to the hub's number
//	call_in         Person calls the hub's number
//	trust_hook      the endpoint User, which takes outgoing webhooks, verifies with the secrets in Value, parted by spaces
//	script          Person's phone does by itself what Value says; see package twilio
//	ticket_close, ticket_reopen, ticket_assign, ticket_status, ticket_note, ticket_merge, ticket_board, ticket_title,
//	ticket_delete   Person at the service desk works on Ticket in Desk (default connectwise); see package connectwise
//	desk_*          an administrator changes Desk, or somebody posts a false event; see the same place
//	microsoft       any action of tenant.World.Act: Action, Tenant, User, Client, Value
type Act struct {
	Do string `json:"do"`
	teams.Press
	Text    string `json:"text"`
	Channel string `json:"channel"`
	Thread  string `json:"thread"`
	On      *bool  `json:"on"`
	Tenant  string `json:"tenant"` // id, name or domain of a customer
	User    string `json:"user"`   // id or principal name
	Action  string `json:"action"`
	Client  string `json:"client"`
	Value   string `json:"value"`
	Desk    string `json:"desk"`   // connectwise, autotask or halopsa
	Ticket  int    `json:"ticket"` // its id
}

// Play does it and returns what the actor sees: a teams.Outcome for what happens in Teams, otherwise
// a sentence. The error says why it cannot be done.
func (w *World) Play(ctx context.Context, a Act) (any, error) {
	switch a.Do {
	case "click":
		return w.Teams.Click(ctx, a.Press)
	case "dialog":
		out, err := w.Teams.Click(ctx, a.Press)
		if err == nil && !out.Dialog && out.Message == "" {
			err = errors.New("the button opened no dialog")
		}
		return out, err
	case "submit":
		return w.Teams.SubmitDialog(ctx, a.Person, a.Activity, a.Data)
	case "refresh":
		return w.Teams.Refresh(ctx, a.Person, a.Activity)
	case "message":
		return w.Teams.Say(ctx, a.Person, a.Channel, a.Thread, a.Text)
	case "install":
		return "The app is in the team.", w.Teams.Install(ctx)
	case "uninstall":
		return "The app is no longer in the team.", w.Teams.Uninstall(ctx)
	case "disable_bot":
		w.Teams.SetDisabled(a.on())
		return "Done.", nil
	case "limits":
		w.Teams.SetLimits(a.on())
		return "Done.", nil
	case "roll_keys":
		return "Teams signs with a new key.", w.Teams.RollKeys()
	case "trust_hook":
		w.Receiver.Trust(cmp.Or(a.User, "siem"), strings.Fields(a.Value)...)
		return "The endpoint verifies with the new secret.", nil
	case "find":
		in := w.Find(a.Value, time.Now().Add(-time.Minute))
		return "Petra lists " + in.ID + " and its webhook got lost.", nil
	case "sync_directory", "deliver", "recreate_rule", "switch_app_on", "add_forwarding", "add_method", "add_device", "add_owner", "sign_in", "approve_sign_in", "withdraw_consent", "microsoft":
		return w.playMicrosoft(a)
	}
	if seen, known, err := w.playPhone(ctx, a); known {
		return seen, err
	}
	if seen, known, err := w.playDesk(ctx, a); known {
		return seen, err
	}
	return nil, fmt.Errorf("sim: nobody here can %q", a.Do)
}

func (a Act) on() bool { return a.On == nil || *a.On }

func (w *World) playMicrosoft(a Act) (any, error) {
	scene, err := w.scene(a.Tenant)
	if err != nil {
		return nil, err
	}
	switch a.Do {
	case "sync_directory":
		changed := scene.Tenant.SyncDirectory()
		return fmt.Sprintf("Directory synchronised; %d accounts changed.", len(changed)), nil
	case "deliver":
		u := scene.Sam
		if a.User != "" {
			u = scene.Tenant.User(a.User)
		}
		if u == nil || u.Mailbox == nil {
			return nil, fmt.Errorf("sim: %q has no mailbox in %s", a.User, scene.Tenant.Name)
		}
		u.Deliver(tenant.Message{
			InternetMessageID: fmt.Sprintf("<phish-%d@%s>", w.alerts.Add(1)+4711, scene.Tenant.Domains[0].Name),
			From:              scene.PhishSender, FromName: scene.Victim.Name, Subject: scene.PhishSubject,
			Preview: "Second reminder: please sign in to see the invoice.", Received: time.Now().UTC().Truncate(time.Second),
		})
		return "A new phish is in the inbox of " + u.Name + ".", nil
	case "approve_sign_in":
		return "Signed in.", w.Login.Approve(a.Value, cmp.Or(a.User, scene.Admin.UPN))
	case "microsoft":
	default:
		a = a.filled(scene)
	}
	err = w.Microsoft.Act(tenant.Action{Verb: a.Action, Tenant: scene.Tenant.ID, User: a.User, Client: a.Client, Value: a.Value})
	return "Done.", err
}

// filled is an act of the story with what was left out.
func (a Act) filled(scene *tenant.Scene) Act {
	usual := map[string][2]string{
		"recreate_rule": {"rule.add", scene.Rule.Name}, "switch_app_on": {"app.enable", scene.EvilApp.ID},
		"add_forwarding": {"forwarding.add", "drop@evil.example"}, "add_method": {"method.add", "+1 2065550199"},
		"add_device": {"device.add", "DESKTOP-EVIL-2"}, "withdraw_consent": {"consent.withdraw", ""}, "add_owner": {"owner.add", scene.EvilApp.ID},
		"sign_in": {"session.begin", "Outlook"},
	}[a.Do]
	a.Action, a.Value = usual[0], cmp.Or(a.Value, usual[1])
	a.User, a.Client = cmp.Or(a.User, scene.Victim.UPN), cmp.Or(a.Client, HubClientID)
	return a
}

// scene finds a customer by id, name or domain; "" is the first.
func (w *World) scene(key string) (*tenant.Scene, error) {
	for _, s := range w.Scenes {
		if key == "" || key == s.Tenant.ID || key == s.Tenant.Name || key == s.Tenant.Domains[0].Name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("sim: there is no customer %q", key)
}
