package tenant

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// SignIn is a person's sign-in to a client, as long as its refresh token is good. Of the token only
// a hash is kept.
type SignIn struct {
	Token  string    `json:"token_sha256"`
	Client string    `json:"client_id"`
	User   string    `json:"user"` // object id
	Scopes []string  `json:"scopes"`
	Since  time.Time `json:"since"` // when the person signed in
	Used   time.Time `json:"used"`
}

// signInIdle is how long a refresh token lives without being used.
// https://learn.microsoft.com/entra/identity-platform/refresh-tokens
const signInIdle = 90 * 24 * time.Hour

// NewSignIn keeps a sign-in and returns its refresh token. The caller holds the lock.
func NewSignIn(t *Tenant, s SignIn) string {
	raw := make([]byte, 48)
	rand.Read(raw)
	token := "0.A" + base64.RawURLEncoding.EncodeToString(raw)
	s.Token, s.Used = hashed(token), time.Now().UTC()
	t.SignIns = append(t.SignIns, &s)
	return token
}

// FindSignIn returns the sign-in of a refresh token, or nil. The caller holds the lock.
func FindSignIn(t *Tenant, token string) *SignIn {
	for _, s := range t.SignIns {
		if s.Token == hashed(token) {
			return s
		}
	}
	return nil
}

// Idle reports whether the refresh token was not used for too long.
func (s *SignIn) Idle(now time.Time) bool { return now.Sub(s.Used) > signInIdle }

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// AgeSignIns makes every refresh token of the tenant look as if it had not been used for that long.
func (t *Tenant) AgeSignIns(d time.Duration) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	for _, s := range t.SignIns {
		s.Used = s.Used.Add(-d)
	}
}

// Writeback is how the tenant's password writeback behaves. The zero value works, at once.
type Writeback struct {
	Off    bool          `json:"off,omitempty"`      // no agent answers on-premises
	Takes  time.Duration `json:"takes_ns,omitempty"` // how long an operation runs
	Refuse int           `json:"refuse,omitempty"`   // that many passwords more are refused by Active Directory's policy
}

// SetWriteback changes how password writeback behaves.
func (t *Tenant) SetWriteback(w Writeback) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.Writeback = w
}

// Operation is a password reset under way. What becomes of it is decided when it is asked for and
// shown when it ends.
type Operation struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Created time.Time `json:"created"`
	Ends    time.Time `json:"ends"`
	Status  string    `json:"status"` // succeeded or failed, once it has ended
	Detail  string    `json:"status_detail"`
}

// StartReset begins to write a password back to Active Directory. The caller holds the lock.
func StartReset(t *Tenant, u *User, password string) *Operation {
	now := time.Now().UTC()
	op := &Operation{ID: t.w.newID("operation"), User: u.ID, Created: now, Ends: now.Add(t.Writeback.Takes), Status: "succeeded", Detail: "ResetSuccess"}
	t.Operations = append(t.Operations, op)
	switch {
	case u.Synced && t.Writeback.Off:
		op.Status, op.Detail = "failed", "OnPremisesConnectivityFailure: the password writeback agent does not answer."
	case u.Synced && t.Writeback.Refuse > 0:
		t.Writeback.Refuse--
		op.Status, op.Detail = "failed", "OnPremisesPolicyViolation: the password does not meet the policy of the on-premises domain."
	default:
		SetPassword(u, password, true)
	}
	return op
}

// FindOperation returns a password reset of the user, or nil. The caller holds the lock.
func FindOperation(t *Tenant, user, id string) *Operation {
	for _, op := range t.Operations {
		if op.ID == id && op.User == user {
			return op
		}
	}
	return nil
}
