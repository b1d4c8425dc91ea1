package tenant

import (
	"fmt"
	"slices"
	"time"
)

// Audit is one entry of the directory's audit log. Who acted is a user or, with App, an app.
type Audit struct {
	ID       string    `json:"id"`
	At       time.Time `json:"activity_date_time"`
	Activity string    `json:"activity_display_name"`
	User     string    `json:"initiated_by_user,omitempty"` // object id
	App      string    `json:"initiated_by_app,omitempty"`  // app id
	Target   string    `json:"target"`                      // object id of the user it was about
	Type     string    `json:"type"`                        // Application or ServicePrincipal
	Object   string    `json:"object"`                      // object id of the app
	AppID    string    `json:"app_id"`
	Name     string    `json:"display_name"`
}

// OwnerAdded fills an entry in about a user who became an owner of an app registration.
func OwnerAdded(a *Application, owner *User, by Audit) Audit {
	by.Activity, by.Type = "Add owner to application", "Application"
	by.Target, by.Object, by.AppID, by.Name = owner.ID, a.ID, a.AppID, a.DisplayName
	return by
}

// Log writes an entry into the audit log, with an id and the time where it has none. The caller holds
// the lock.
func Log(t *Tenant, a Audit) {
	a.ID = "Directory_" + t.w.newID("audit")
	if a.At.IsZero() {
		a.At = time.Now().UTC()
	}
	t.Audits = append(t.Audits, &a)
}

// AddOwner plays somebody who puts an owner on an app registration.
func (t *Tenant) AddOwner(app string, owner, by *User) error {
	return t.AddOwnerAt(app, owner, by, time.Time{})
}

// AddOwnerAt is AddOwner at a time of the past.
func (t *Tenant) AddOwnerAt(app string, owner, by *User, at time.Time) error {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	a := FindApplication(t, app)
	if a == nil {
		return fmt.Errorf("add owner: %s has no app registration %q", t.Name, app)
	}
	if !slices.Contains(a.Owners, owner.ID) {
		a.Owners = append(a.Owners, owner.ID)
	}
	Log(t, OwnerAdded(a, owner, Audit{At: at, User: by.ID}))
	return nil
}

// AddSecret plays somebody who gives an app registration a secret.
func (t *Tenant) AddSecret(app string, by *User) error {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	a := FindApplication(t, app)
	if a == nil {
		return fmt.Errorf("add secret: %s has no app registration %q", t.Name, app)
	}
	a.Passwords = append(a.Passwords, Credential{KeyID: t.w.newID("secret"), Name: "added", Start: time.Now().UTC()})
	Log(t, Audit{Activity: "Update application – Certificates and secrets management ", User: by.ID, Type: "Application", Object: a.ID, AppID: a.AppID, Name: a.DisplayName})
	return nil
}
