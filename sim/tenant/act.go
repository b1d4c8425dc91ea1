package tenant

import "fmt"

// SyncDirectory runs one cycle of the directory synchronisation: accountEnabled of every synced user
// goes back to what Active Directory says. It returns the principal names of the users changed.
func (t *Tenant) SyncDirectory() []string {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	var changed []string
	for _, u := range t.Users {
		if u.Synced && SetEnabled(u, u.OnPremEnabled) {
			changed = append(changed, u.UPN)
		}
	}
	return changed
}

// EnableApp plays the owner who switches an app on again: its registration, if it is one of this
// tenant, and its service principal.
func (t *Tenant) EnableApp(key string) error {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	a, sp := FindApplication(t, key), FindServicePrincipal(t, key)
	if a == nil && sp == nil {
		return fmt.Errorf("enable app: %s has no app %q", t.Name, key)
	}
	if a != nil {
		a.IsDisabled = false
		sp = FindServicePrincipal(t, a.AppID)
	}
	if sp != nil {
		sp.AccountEnabled = true
	}
	return nil
}

// DisableOnPrem plays the administrator who blocks (or frees) the account in Active Directory.
func (u *User) DisableOnPrem(disabled bool) {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	u.OnPremEnabled = !disabled
}

// Action is something a person, an attacker or a machine of the customer does.
type Action struct {
	// Verb is one of directory.sync, onprem.disable, onprem.enable, user.enable, user.disable,
	// consent.withdraw, consent.grant, role.remove, rule.add, mail.delete, secret.expire, app.enable,
	// forwarding.add, method.add, device.add, owner.add, session.begin, session.refused.
	Verb   string `json:"verb"`
	Tenant string `json:"tenant"` // id or domain
	User   string `json:"user"`   // id or principal name
	Client string `json:"client"` // client id
	Value  string `json:"value"`  // role, rule, message, app, address, phone number or name of a device
}

// Act plays one action; an unknown verb, tenant, user or message is an error.
func (w *World) Act(a Action) error {
	if a.Verb == "secret.expire" {
		w.ExpireSecret(a.Client)
		return nil
	}
	t := w.Tenant(a.Tenant)
	if t == nil {
		return fmt.Errorf("act %s: no tenant %q", a.Verb, a.Tenant)
	}
	switch a.Verb {
	case "directory.sync":
		t.SyncDirectory()
		return nil
	case "consent.withdraw":
		t.WithdrawConsent(a.Client)
		return nil
	case "consent.grant":
		t.ConsentAll(a.Client)
		return nil
	case "role.remove":
		t.RemoveRole(a.Client, a.Value)
		return nil
	}
	if a.Verb == "app.enable" {
		return t.EnableApp(a.Value)
	}
	u := t.User(a.User)
	if u == nil {
		return fmt.Errorf("act %s: no user %q in %s", a.Verb, a.User, t.Name)
	}
	switch a.Verb {
	case "onprem.disable", "onprem.enable":
		u.DisableOnPrem(a.Verb == "onprem.disable")
	case "user.enable", "user.disable":
		w.mu.Lock()
		SetEnabled(u, a.Verb == "user.enable")
		w.mu.Unlock()
	case "rule.add":
		if u.Mailbox == nil {
			return fmt.Errorf("act %s: %s has no mailbox", a.Verb, u.UPN)
		}
		u.AddRule(Rule{Name: a.Value})
	case "forwarding.add":
		if u.Mailbox == nil {
			return fmt.Errorf("act %s: %s has no mailbox", a.Verb, u.UPN)
		}
		u.Forward("smtp:"+a.Value, true)
	case "method.add":
		u.AddMethod(Method{Type: "phoneAuthenticationMethod", Detail: a.Value})
	case "device.add":
		u.AddDevice(Device{Name: a.Value, OS: "Windows"})
	case "owner.add":
		return t.AddOwner(a.Value, u, u)
	case "session.begin":
		u.SignedIn(a.Value)
	case "session.refused":
		u.TriedToSignIn(a.Value)
	case "mail.delete":
		return u.DeleteMessage(a.Value)
	default:
		return fmt.Errorf("act: unknown verb %q", a.Verb)
	}
	return nil
}
