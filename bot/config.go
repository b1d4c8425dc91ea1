package bot

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"responsehub"
)

// Config says who the bot is. New bots are single-tenant: they live in the tenant of
// the service provider.
// https://learn.microsoft.com/azure/bot-service/bot-service-quickstart-registration
type Config struct {
	AppID         string             // the app registration's client id; needed
	TenantID      string             // Microsoft tenant the bot lives in; needed
	ClientSecret  responsehub.Secret // of the app registration; needed unless Credential is given
	Login         string             // sign-in service; empty is https://login.microsoftonline.com
	OpenID        string             // metadata of the Bot Framework's keys; empty is the public cloud's
	ServiceHosts  []string           // further hosts of the connector, without port; "*.example" is all below
	AllowLoopback bool               // plain http to 127.0.0.1: for simulators and Microsoft's emulator only
	Channels      []string           // told about incidents whose tenant is unknown or has no channel; may be empty
	Console       string             // public address of the console, for links; empty: no links

	// Lacks is one sentence on what is known to keep a step from working in a tenant (the
	// hub's id), "" for nothing. nil: nothing is known.
	Lacks func(tenant string, step responsehub.StepID) string

	// OnCall is who answers for a tenant at the moment, to be mentioned on the card of a
	// severe incident that nobody has taken. nil: the first of the tenant's phone sequence.
	OnCall func(responsehub.Tenant) (responsehub.Person, bool)

	// Limits are shared by all replicas; nil: this process keeps its own.
	Limits Limits

	Credential azcore.TokenCredential // signs in instead of ClientSecret, e.g. a managed identity
}

const (
	publicLogin  = "https://login.microsoftonline.com"
	publicOpenID = "https://login.botframework.com/v1/.well-known/openidconfiguration"
)

// Validate returns all faults at once, or nil. An empty app id is refused: it would
// let everybody in.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if strings.TrimSpace(c.AppID) == "" {
		fault("teams.app_id is missing: without it no request could be told from a forged one")
	}
	if strings.TrimSpace(c.TenantID) == "" {
		fault("teams.tenant_id is missing: give the tenant in which the bot is registered")
	}
	if c.ClientSecret == "" && c.Credential == nil {
		fault("teams.client_secret is missing: the bot could not post")
	}
	for _, a := range []struct{ key, is string }{{"teams.login", c.Login}, {"teams.openid", c.OpenID}} {
		if a.is == "" {
			continue
		}
		u, err := url.Parse(a.is)
		if err != nil || u.Host == "" || u.User != nil {
			fault("%s must be an address such as https://login.example", a.key)
		} else if u.Scheme != "https" && (a.key == "teams.login" || u.Scheme != "http" || !c.AllowLoopback || !loopback(u.Hostname())) {
			fault("%s must be an https address", a.key)
		}
	}
	for _, h := range c.ServiceHosts {
		if host := strings.TrimPrefix(h, "*."); host == "" || strings.ContainsAny(host, "/:*@ ") {
			fault("teams.service_hosts: %q must be a host without scheme and port", h)
		}
	}
	return errors.Join(faults...)
}

// region is what differs between Microsoft's clouds, told by the host of the key
// metadata.
type region struct{ issuer, scope string }

// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
func (c *Config) region() region {
	u, _ := url.Parse(c.OpenID)
	switch {
	case u != nil && strings.HasSuffix(u.Hostname(), ".botframework.azure.us"):
		return region{"https://api.botframework.us", "https://api.botframework.us/.default"}
	case u != nil && strings.HasSuffix(u.Hostname(), ".botframework.azure.cn"):
		return region{"https://api.botframework.azure.cn", "https://api.botframework.azure.cn/.default"}
	}
	return region{"https://api.botframework.com", "https://api.botframework.com/.default"}
}
