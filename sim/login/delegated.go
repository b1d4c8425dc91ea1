package login

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"responsehub/sim/tenant"
)

// deviceGrant is the grant type of RFC 8628.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// deviceLife is how long a code may be typed in; deviceEvery how often a client may ask, in seconds.
const (
	deviceLife  = 15 * time.Minute
	deviceEvery = 1
)

// devices are the codes that wait for their person. They do not outlive the process.
type devices struct {
	mu      sync.Mutex
	pending []*device
}

type device struct {
	code, userCode string
	tenant, client string
	scopes         []string
	ends, asked    time.Time
	user           string // object id of who approved
	declined       bool
}

// deviceCode begins a sign-in on another device.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
func (s *Server) deviceCode(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") == "" || r.PostForm.Get("scope") == "" {
		s.refuse(w, badRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.")
		return
	}
	tid, client := r.PathValue("tenant"), r.PostForm.Get("client_id")
	id, ok := s.tenantID(tid)
	if !ok {
		s.refuse(w, badRequest, "invalid_request", 90002, noTenant(tid))
		return
	}
	if refused := s.mayDelegate(id, client); refused != nil {
		s.refuse(w, refused.status, refused.kind, refused.code, refused.text)
		return
	}
	d := &device{code: rand.Text() + rand.Text(), userCode: rand.Text()[:9], tenant: id, client: client, scopes: strings.Fields(r.PostForm.Get("scope")), ends: time.Now().Add(deviceLife)}
	s.devices.mu.Lock()
	s.devices.pending = append(s.devices.pending, d)
	s.devices.mu.Unlock()
	page := base(r) + "/common/oauth2/deviceauth"
	reply(w, http.StatusOK, map[string]any{
		"device_code": d.code, "user_code": d.userCode, "verification_uri": page, "expires_in": int(deviceLife / time.Second), "interval": deviceEvery,
		"message": fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate.", page, d.userCode),
	})
}

// mayDelegate checks that the client is in the tenant and takes people's sign-ins without a secret.
func (s *Server) mayDelegate(tid, id string) *refusal {
	s.world.Lock()
	defer s.world.Unlock()
	t, client := tenant.Find(s.world, tid), tenant.FindClient(s.world, id)
	switch {
	case client == nil || t == nil || !tenant.Consented(t, id):
		return refusef(badRequest, "unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", id, tid)
	case client.NoPublicFlows:
		return refusef(unauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	}
	return nil
}

// Approve plays the person who opens the page, types the code in and signs in. user is a principal
// name of the tenant in which the code was made; the empty code is the newest one.
func (s *Server) Approve(userCode, user string) error { return s.decide(userCode, user, false) }

// Decline plays the person who says no.
func (s *Server) Decline(userCode string) error { return s.decide(userCode, "", true) }

func (s *Server) decide(userCode, user string, declined bool) error {
	s.devices.mu.Lock()
	defer s.devices.mu.Unlock()
	for _, d := range slices.Backward(s.devices.pending) {
		if d.user != "" || d.declined || userCode != "" && !strings.EqualFold(d.userCode, userCode) {
			continue
		}
		if declined {
			d.declined = true
			return nil
		}
		t := s.world.Tenant(d.tenant)
		u := t.User(user)
		if u == nil {
			return fmt.Errorf("sim/login: approve: there is no %q in %s", user, t.Name)
		}
		d.user = u.ID
		return nil
	}
	return fmt.Errorf("sim/login: nobody waits for the code %q", userCode)
}

// delegated answers the token endpoint for people's sign-ins.
func (s *Server) delegated(w http.ResponseWriter, r *http.Request, grant string) {
	form, tid := r.PostForm, r.PathValue("tenant")
	id, ok := s.tenantID(tid)
	if !ok {
		s.refuse(w, badRequest, "invalid_request", 90002, noTenant(tid))
		return
	}
	refused := s.mayDelegate(id, form.Get("client_id"))
	var signIn tenant.SignIn
	if refused == nil && grant == deviceGrant {
		signIn, refused = s.redeem(id, form)
	}
	if refused == nil {
		var answer map[string]any
		if answer, refused = s.personal(id, form, signIn); refused == nil {
			reply(w, http.StatusOK, answer)
			return
		}
	}
	s.refuse(w, refused.status, refused.kind, refused.code, refused.text)
}

// redeem takes a device code.
func (s *Server) redeem(tid string, form url.Values) (tenant.SignIn, *refusal) {
	s.devices.mu.Lock()
	defer s.devices.mu.Unlock()
	i := slices.IndexFunc(s.devices.pending, func(d *device) bool {
		return d.code == form.Get("device_code") && d.tenant == tid && d.client == form.Get("client_id")
	})
	if i < 0 {
		return tenant.SignIn{}, refusef(badRequest, "bad_verification_code", 70002, "Error validating credentials. The device code is not known.")
	}
	d, now := s.devices.pending[i], time.Now()
	tooSoon := now.Sub(d.asked) < deviceEvery*time.Second*9/10
	d.asked = now
	switch {
	case now.After(d.ends):
		return tenant.SignIn{}, refusef(badRequest, "expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid. This device code has expired.")
	case d.declined:
		return tenant.SignIn{}, refusef(badRequest, "authorization_declined", 70000, "The user declined to sign in.")
	case d.user == "" && tooSoon:
		return tenant.SignIn{}, refusef(badRequest, "slow_down", 70016, "The client asks too often.")
	case d.user == "":
		return tenant.SignIn{}, refusef(badRequest, "authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	}
	s.devices.pending = slices.Delete(s.devices.pending, i, i+1)
	return tenant.SignIn{Client: d.client, User: d.user, Scopes: d.scopes, Since: now.UTC()}, nil
}

// personal makes an access token for a person, and the refresh token that follows. signIn is empty
// where the form brings a refresh token.
func (s *Server) personal(tid string, form url.Values, signIn tenant.SignIn) (map[string]any, *refusal) {
	s.world.Lock()
	defer s.world.Unlock()
	t := tenant.Find(s.world, tid)
	if signIn.User == "" {
		found := tenant.FindSignIn(t, form.Get("refresh_token"))
		switch {
		case found == nil || found.Client != form.Get("client_id"):
			return nil, refusef(badRequest, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
		case found.Idle(time.Now()):
			return nil, refusef(badRequest, "invalid_grant", 700082, "The refresh token has expired due to inactivity. The token was issued on %s and was inactive for 90.00:00:00.", found.Since.Format(time.RFC3339))
		}
		found.Used = time.Now().UTC()
		signIn = *found
	}
	u := tenant.FindUser(t, signIn.User)
	switch {
	case u == nil:
		return nil, refusef(badRequest, "invalid_grant", 50034, "The user account does not exist in the directory.")
	case !u.AccountEnabled:
		return nil, refusef(badRequest, "invalid_grant", 50057, "The user account is disabled.")
	case u.SessionsValidFrom.After(signIn.Since):
		return nil, refusef(badRequest, "invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.")
	}
	wids := []string{"b79fbf4d-3ef9-4689-8143-76b194e85509"} // "member" that every person's token carries
	for _, name := range u.Roles {
		wids = append(wids, tenant.RoleTemplate(name))
	}
	const graph = "https://graph.microsoft.com"
	var scopes []string
	for _, scope := range signIn.Scopes {
		if name, ok := strings.CutPrefix(scope, graph+"/"); ok {
			scopes = append(scopes, name)
		}
	}
	claims := jwt.MapClaims{
		"aud": graph, "tid": tid, "appid": signIn.Client, "idtyp": "user", "oid": u.ID, "sub": u.ID, "upn": u.UPN, "unique_name": u.UPN, "name": u.Name,
		"scp": strings.Join(scopes, " "), "wids": wids, "sid": uuid.NewString(),
	}
	seconds := int(time.Duration(s.life.Load()) / time.Second)
	answer := map[string]any{"token_type": "Bearer", "scope": claims["scp"], "expires_in": seconds, "ext_expires_in": seconds, "access_token": s.signed(claims)}
	if slices.Contains(signIn.Scopes, "offline_access") {
		answer["refresh_token"] = tenant.NewSignIn(t, signIn)
	}
	return answer, nil
}
