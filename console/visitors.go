package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"responsehub"
)

// Visitors keeps what the provider last said of people who are not on the list and come in
// by a role that it gives them. Sessions rest on it: where it is dropped they are over.
type Visitors interface {
	PutVisitor(ctx context.Context, subject string, value []byte, life time.Duration) error
	Visitor(ctx context.Context, subject string) (value []byte, ok bool, err error)
	DropVisitor(ctx context.Context, subject string) error
}

// visitor is who came in by a role of the provider.
type visitor struct {
	Name    string           `json:"name"`
	Role    responsehub.Role `json:"role"`
	Tenants []string         `json:"tenants"`
}

// claimed is what the provider's claims make of somebody: the strongest role they name. A
// guest without tenants of their own is nobody.
func (o *OIDC) claimed(claims map[string]any) (visitor, bool) {
	if o.RolesClaim == "" {
		return visitor{}, false
	}
	given := texts(claims[o.RolesClaim])
	i := slices.IndexFunc(responsehub.Roles, func(r responsehub.Role) bool { return slices.Contains(given, string(r)) })
	if i < 0 {
		return visitor{}, false
	}
	v := visitor{Role: responsehub.Roles[i], Tenants: []string{"*"}}
	v.Name, _ = claims["name"].(string)
	named, said := claims[o.TenantsClaim]
	switch {
	case o.TenantsClaim != "" && said:
		v.Tenants = texts(named)
	case v.Role == responsehub.Guest:
		return visitor{}, false
	}
	if v.Role == responsehub.Guest {
		v.Tenants = slices.DeleteFunc(v.Tenants, func(t string) bool { return t == "*" })
	}
	return v, len(v.Tenants) > 0
}

// texts reads a claim that is a text or a list of texts.
func texts(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// admit lets somebody in by what the claims say now, and ends what rested on what they
// said before.
func (c *Console) admit(r *http.Request, id identity) (in bool, err error) {
	if c.cfg.Visitors == nil || c.oidc.cfg.RolesClaim == "" || id.Subject == "" {
		return false, nil
	}
	away := &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub cannot reach its store right now. Try again in a moment."}
	v, ok := c.oidc.cfg.claimed(id.claims)
	if !ok {
		if err := c.cfg.Visitors.DropVisitor(r.Context(), id.Subject); err != nil {
			away.Err = err
			return false, away
		}
		return false, nil
	}
	if v.Name == "" {
		v.Name = id.Subject
	}
	b, err := json.Marshal(v)
	if err != nil {
		return false, err
	}
	if err := c.cfg.Visitors.PutVisitor(r.Context(), id.Subject, b, sessionLife); err != nil {
		away.Err = err
		return false, away
	}
	c.log.Info("console: somebody came in by a role of the provider", "subject", id.Subject, "role", v.Role)
	return true, c.enter(r, inVisitor, id.Subject)
}

// visiting is who came in by a role of the provider, as it last said.
func (c *Console) visiting(ctx context.Context, subject string) (responsehub.Actor, bool) {
	if c.cfg.Visitors == nil {
		return responsehub.Actor{}, false
	}
	b, ok, err := c.cfg.Visitors.Visitor(ctx, subject)
	if err != nil {
		c.log.Error("console: a visitor cannot be read", "error", err)
	}
	var v visitor
	if err != nil || !ok || json.Unmarshal(b, &v) != nil {
		return responsehub.Actor{}, false
	}
	return responsehub.Actor{ID: "oidc:" + subject, Name: v.Name, Role: v.Role, Via: responsehub.ViaConsole, Tenants: v.Tenants}, true
}
