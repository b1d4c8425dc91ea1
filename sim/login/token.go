package login

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"responsehub/sim/tenant"
)

// BotAudience is the resource of the Bot Framework connector.
const BotAudience = "https://api.botframework.com"

// resources are the known audiences and the service principal each needs in the tenant.
var resources = map[string]string{
	"https://graph.microsoft.com":             tenant.GraphAppID,
	"https://outlook.office365.com":           tenant.ExchangeAppID,
	"https://ps.outlook.com":                  tenant.ExchangeAppID,
	BotAudience:                               "",
	tenant.GraphAppID:                         tenant.GraphAppID,
	"https://graph.microsoft.us":              tenant.GraphAppID,
	"https://outlook.office365.us":            tenant.ExchangeAppID,
	"https://dod-graph.microsoft.us":          tenant.GraphAppID,
	"https://microsoftgraph.chinacloudapi.cn": tenant.GraphAppID,
}

// token is the OAuth 2.0 token endpoint for client credentials.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		s.refuse(w, badRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.")
		return
	}
	if g := r.PostForm.Get("grant_type"); g == deviceGrant || g == "refresh_token" {
		s.delegated(w, r, g)
		return
	}
	if r.PostForm.Get("grant_type") == "authorization_code" {
		s.redeemCode(w, r)
		return
	}
	access, refused := s.issue(r.PathValue("tenant"), r.PostForm, base(r)+r.URL.Path)
	if refused != nil {
		s.refuse(w, refused.status, refused.kind, refused.code, refused.text)
		return
	}
	seconds := int(time.Duration(s.life.Load()) / time.Second)
	reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": access})
}

// issue checks in the order Entra does: form, tenant, client, its credential, its place in the tenant,
// the resource.
func (s *Server) issue(tenantKey string, form url.Values, endpoint string) (string, *refusal) {
	audience, refused := s.checkForm(form)
	if refused != nil {
		return "", refused
	}
	tid, ok := s.tenantID(tenantKey)
	if !ok {
		return "", refusef(badRequest, "invalid_request", 90002, "%s", noTenant(tenantKey))
	}
	s.world.Lock()
	defer s.world.Unlock()
	t, id := tenant.Find(s.world, tid), form.Get("client_id")
	client := tenant.FindClient(s.world, id)
	atHome := client != nil && client.HomeTenant == tid
	if client == nil || (!atHome && !tenant.Consented(t, id)) {
		return "", refusef(badRequest, "unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", id, tid)
	}
	if refused := checkCredential(client, form, endpoint); refused != nil {
		return "", refused
	}
	claims := jwt.MapClaims{"aud": audience, "tid": tid, "appid": id}
	if refused := place(claims, t, id, audience); refused != nil {
		return "", refused
	}
	return s.sign(claims), nil
}

// checkForm checks the parameters and returns the audience.
func (s *Server) checkForm(form url.Values) (string, *refusal) {
	for _, name := range []string{"grant_type", "client_id", "scope"} {
		if form.Get(name) == "" {
			return "", refusef(badRequest, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
		}
	}
	if g := form.Get("grant_type"); g != "client_credentials" {
		s.log.Unexpected(vendor, "grant_type "+g)
		return "", refusef(badRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", g)
	}
	scopes := slices.DeleteFunc(strings.Fields(form.Get("scope")), func(x string) bool {
		return x == "openid" || x == "profile" || x == "offline_access" // MSAL adds these to what it is asked for
	})
	if len(scopes) != 1 || !strings.HasSuffix(scopes[0], "/.default") {
		return "", refusef(badRequest, "invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", form.Get("scope"))
	}
	// "https://host//.default" names a resource with a trailing slash; Entra treats both alike.
	return strings.TrimSuffix(strings.TrimSuffix(scopes[0], "/.default"), "/"), nil
}

// checkCredential checks the client's secret or assertion.
func checkCredential(c *tenant.Client, form url.Values, endpoint string) *refusal {
	if secret := form.Get("client_secret"); secret != "" {
		switch {
		case c.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1:
			return refusef(unauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", c.ID)
		case !c.SecretExpires.IsZero() && time.Now().After(c.SecretExpires):
			return refusef(unauthorized, "invalid_client", 7000222, "The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.", c.ID)
		}
		return nil
	}
	if assertion := form.Get("client_assertion"); assertion != "" {
		if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			return refusef(badRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_assertion_type'.")
		}
		return checkAssertion(c, assertion, endpoint)
	}
	return refusef(unauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
}

// place looks up what the client holds in the tenant and adds it to the claims. t is nil for a bare
// home tenant, where only the bot's resource exists.
func place(claims jwt.MapClaims, t *tenant.Tenant, clientID, audience string) *refusal {
	resource, known := resources[audience]
	missing := refusef(badRequest, "invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", audience, claims["tid"])
	if !known || (t == nil && audience != BotAudience) {
		return missing
	}
	if t == nil {
		return nil
	}
	if sp := tenant.FindServicePrincipal(t, clientID); sp != nil {
		claims["oid"], claims["sub"] = sp.ID, sp.ID
		if !sp.AccountEnabled {
			return refusef(badRequest, "unauthorized_client", 7000112, "Application '%s'(%s) is disabled.", clientID, sp.DisplayName)
		}
	}
	if audience == BotAudience {
		return nil
	}
	sp := tenant.FindServicePrincipal(t, resource)
	if sp == nil {
		return missing
	}
	if !sp.AccountEnabled {
		return refusef(badRequest, "invalid_resource", 500014, "The service principal for resource '%s' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it.", audience)
	}
	if c := t.Consents[clientID]; c != nil {
		if roles := c.Roles[resource]; len(roles) > 0 {
			claims["roles"] = roles
		}
		wids := []string{"0997a1d0-0d1d-4acb-b408-d5ca73121e90"} // "default role" that every app token carries
		for _, name := range c.DirectoryRoles {
			wids = append(wids, tenant.RoleTemplate(name))
		}
		claims["wids"] = wids
	}
	return nil
}

// sign completes the claims of an app's own token and signs them.
func (s *Server) sign(claims jwt.MapClaims) string {
	claims["idtyp"] = "app"
	return s.signed(claims)
}

func (s *Server) signed(claims jwt.MapClaims) string {
	now := time.Now()
	claims["iss"] = "https://sts.windows.net/" + claims["tid"].(string) + "/"
	claims["iat"], claims["nbf"] = now.Unix(), now.Unix()
	claims["exp"] = now.Add(time.Duration(s.life.Load())).Unix()
	claims["ver"], claims["appidacr"], claims["uti"] = "1.0", "1", uuid.NewString()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"], token.Header["x5t"] = s.keyID, s.keyID
	signed, err := token.SignedString(s.key)
	if err != nil {
		panic("login: sign a token: " + err.Error()) // the key was made here
	}
	return signed
}
