package bot

import (
	"context"
	"strings"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
	"responsehub/bot/card"
)

// Directory is what the bot needs of the directory of tenants, people and channels.
type Directory interface {
	Tenants() []responsehub.Tenant
	Tenant(id string) (responsehub.Tenant, bool)
	People() []responsehub.Person
	PersonByEntra(objectID string) (responsehub.Person, bool)
	Channel(id string) (responsehub.Channel, bool)
	Channels() []responsehub.Channel
	PutChannel(ctx context.Context, ch responsehub.Channel) error
}

// actor is who sent a verified activity: the person with the Entra object id in the
// bot's own tenant. Anybody else is a stranger, an actor without a role, whom the engine
// refuses. Names that Teams sends are shown and never looked up.
func (b *Bot) actor(act *schema.Activity) responsehub.Actor {
	id := act.From.AadObjectID
	stranger := responsehub.Actor{ID: "teams:" + card.Clean(id, 64), Name: card.Clean(act.From.Name, 80), Via: responsehub.ViaTeams}
	if stranger.Name == "" {
		stranger.Name = "Somebody in Teams"
	}
	// Without the tenant the object id says nothing: the check of the token let it pass
	// only because it was not there.
	tenant := act.Conversation.TenantID
	if tenant == "" {
		tenant = tenantOf(act.ChannelData)
	}
	if id == "" || !strings.EqualFold(tenant, b.cfg.TenantID) {
		return stranger
	}
	p, ok := b.directory.PersonByEntra(id)
	if !ok || !strings.EqualFold(p.EntraObjectID, id) {
		return stranger
	}
	return p.Actor(responsehub.ViaTeams)
}
