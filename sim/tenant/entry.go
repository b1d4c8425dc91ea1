package tenant

import "time"

// Entry is one entry of the log of sign-ins: somebody presented himself as the user.
type Entry struct {
	ID   string    `json:"id"`
	At   time.Time `json:"created_date_time"`
	User string    `json:"user_id"`
	App  string    `json:"app_display_name"`
	IP   string    `json:"ip_address"`
	Code int       `json:"error_code,omitempty"` // AADSTS, 0 when let through
}

// SignedIn plays somebody whose session lives on, or begins, whatever the directory says by
// now of the account: the sign-in is let through and logged.
func (u *User) SignedIn(app string) {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	u.t.Entries = append(u.t.Entries, &Entry{ID: u.t.w.newID("sign-in"), At: time.Now().UTC(), User: u.ID, App: app, IP: "198.51.100.77"})
}

// TriedToSignIn plays somebody whom Microsoft turns away, as it does with a disabled account.
func (u *User) TriedToSignIn(app string) {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	u.t.Entries = append(u.t.Entries, &Entry{ID: u.t.w.newID("sign-in"), At: time.Now().UTC(), User: u.ID, App: app, IP: "198.51.100.77", Code: 50057})
}
