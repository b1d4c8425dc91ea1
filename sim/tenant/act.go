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

// DisableOnPrem plays the administrator who blocks (or frees) the account in Active Directory.
func (u *User) DisableOnPrem(disabled bool) {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	u.OnPremEnabled = !disabled
}

// Action is something a person, an attacker or a machine of the customer does.
type Action struct {
	// Verb is one of directory.sync, onprem.disable, onprem.enable, user.enable, user.disable,
	// consent.withdraw, consent.grant, role.remove, rule.add, mail.delete, secret.expire.
	Verb   string `json:"verb"`
	Tenant string `json:"tenant"` // id or domain
	User   string `json:"user"`   // id or principal name
	Client string `json:"client"` // client id
	Value  string `json:"value"`  // role, rule name, or message id
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
	case "mail.delete":
		return u.DeleteMessage(a.Value)
	default:
		return fmt.Errorf("act: unknown verb %q", a.Verb)
	}
	return nil
}
