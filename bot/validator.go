package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/infracloudio/msbotbuilder-go/schema"
)

const (
	skew     = 5 * time.Minute // Microsoft's clocks and ours
	maxToken = 16 << 10        // bytes
	channel  = "msteams"       // the only channel this bot serves
)

// denied says that a request is not to be believed. The reason is for the log; the
// sender is told nothing.
type denied struct{ reason error }

func (d *denied) Error() string { return "request denied: " + d.reason.Error() }
func (d *denied) Unwrap() error { return d.reason }

// claims are what we need of a token of the Bot Framework.
type claims struct {
	jwt.RegisteredClaims
	ServiceURL string `json:"serviceurl"`
}

// validator checks that a request comes from the Bot Framework, for this bot, in its
// tenant. It returns nil only when everything was there and fitted.
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
type validator struct {
	tenant string
	keys   *keySet
	hosts  hosts
	parser *jwt.Parser
}

func newValidator(c *Config, keys *keySet, h hosts) *validator {
	return &validator{tenant: c.TenantID, keys: keys, hosts: h, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}),
		jwt.WithIssuer(c.region().issuer),
		jwt.WithAudience(c.AppID),
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithLeeway(skew),
	)}
}

// check returns nil or a *denied.
func (v *validator) check(ctx context.Context, act *schema.Activity, header string) error {
	if err := v.verify(ctx, act, header); err != nil {
		return &denied{err}
	}
	return nil
}

func (v *validator) verify(ctx context.Context, act *schema.Activity, header string) error {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" || len(token) > maxToken || strings.ContainsAny(token, " \t\r\n,") {
		return errors.New("there is no bearer token")
	}
	if act.ChannelID != channel {
		return errors.New("the activity is not from Teams")
	}
	// Cheap checks first: a forged address must not make us fetch keys.
	if _, err := v.hosts.check(act.ServiceURL); err != nil {
		return err
	}
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		if id == "" {
			return nil, errors.New("the token names no key")
		}
		if _, critical := t.Header["crit"]; critical {
			return nil, errors.New("the token needs an extension that is not known")
		}
		k, err := v.keys.key(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(k.endorsements) > 0 && !slices.Contains(k.endorsements, act.ChannelID) {
			return nil, errors.New("the key is not endorsed for Teams")
		}
		return k.public, nil
	})
	if err != nil {
		return fmt.Errorf("check the token: %w", err)
	}
	if c.ServiceURL == "" || !sameAddress(c.ServiceURL, act.ServiceURL) {
		return errors.New("the token is for another service address")
	}
	return v.sameTenant(act)
}

// sameTenant refuses an activity of another tenant: the bot lives in one.
func (v *validator) sameTenant(act *schema.Activity) error {
	for _, id := range []string{act.Conversation.TenantID, tenantOf(act.ChannelData)} {
		if id != "" && !strings.EqualFold(id, v.tenant) {
			return errors.New("the activity belongs to another tenant")
		}
	}
	return nil
}

// tenantOf is the tenant that Teams names in the channel data.
func tenantOf(data map[string]any) string {
	return text(data, "tenant", "id")
}

// text reads a string deep inside an activity's open parts, or "".
func text(m map[string]any, path ...string) string {
	for i, k := range path {
		if i == len(path)-1 {
			s, _ := m[k].(string)
			return s
		}
		m, _ = m[k].(map[string]any)
	}
	return ""
}
