package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
)

// Install and removal come in pairs, installationUpdate and conversationUpdate, in any
// order, and each lacks something that the other has. So each only adds to what is known.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/subscribe-to-conversation-events

// seenEvery limits how often hearing from a channel is worth a write.
const seenEvery = time.Hour

// installed learns channels from install, removal and rename events.
func (b *Bot) installed(ctx context.Context, act *schema.Activity) error {
	switch change(act) {
	case added:
		ch := b.channelOf(act)
		if ch.ID == "" {
			return nil
		}
		ch.Installed, ch.Failure = true, ""
		if err := b.directory.PutChannel(ctx, ch); err != nil {
			return fmt.Errorf("keep channel %s: %w", ch.ID, err)
		}
		if ch.TeamID != "" {
			b.later("list the team's channels", func(ctx context.Context) error { return b.learnTeam(ctx, ch) })
		}
	case removed:
		return b.removed(ctx, act)
	case renamed:
		ch := b.channelOf(act)
		if _, known := b.directory.Channel(ch.ID); known {
			return b.directory.PutChannel(ctx, ch)
		}
	}
	return nil
}

type changed int

const (
	nothingNew changed = iota
	added
	removed
	renamed
)

func change(act *schema.Activity) changed {
	if act.Type == schema.InstallationUpdate {
		// An upgrade's two halves come in any order and leave the app installed.
		switch act.Action {
		case "add", "add-upgrade":
			return added
		case "remove":
			return removed
		}
		return nothingNew
	}
	self := func(m schema.ChannelAccount) bool { return m.ID != "" && m.ID == act.Recipient.ID }
	switch {
	case slices.ContainsFunc(act.MembersAdded, self):
		return added
	case slices.ContainsFunc(act.MembersRemoved, self):
		return removed
	}
	switch text(act.ChannelData, "eventType") {
	case "channelDeleted", "teamDeleted", "teamHardDeleted":
		return removed
	case "channelRestored", "teamRestored":
		return added
	case "channelRenamed", "teamRenamed", "channelCreated":
		return renamed
	}
	return nothingNew
}

// channelOf is the channel that an activity is about, with what was known before.
func (b *Bot) channelOf(act *schema.Activity) responsehub.Channel {
	base, _, _ := strings.Cut(act.Conversation.ID, ";messageid=")
	id := cmp.Or(text(act.ChannelData, "settings", "selectedChannel", "id"), text(act.ChannelData, "channel", "id"), base)
	if !validID(id) {
		return responsehub.Channel{}
	}
	ch, _ := b.directory.Channel(id)
	ch.V, ch.ID = 1, id
	name := text(act.ChannelData, "channel", "name")
	if name == "" && base == id {
		name = act.Conversation.Name
	}
	ch.Name = cmp.Or(name, ch.Name)
	ch.TeamID = cmp.Or(text(act.ChannelData, "team", "id"), ch.TeamID)
	ch.TeamName = cmp.Or(text(act.ChannelData, "team", "name"), ch.TeamName)
	ch.TenantID = cmp.Or(act.Conversation.TenantID, tenantOf(act.ChannelData), ch.TenantID, b.cfg.TenantID)
	ch.ServiceURL = act.ServiceURL
	ch.BotID = cmp.Or(act.Recipient.ID, ch.BotID, "28:"+b.cfg.AppID)
	ch.SeenAt = seenAt(act)
	return ch
}

func seenAt(act *schema.Activity) time.Time {
	if act.Timestamp.IsZero() {
		return time.Now().UTC()
	}
	return act.Timestamp.UTC()
}

// removed marks the channel, and with it all the channels of its team, as out of
// reach. The rows stay: they tell the operators what is missing.
func (b *Bot) removed(ctx context.Context, act *schema.Activity) error {
	gone := b.channelOf(act)
	whole := text(act.ChannelData, "eventType") != "channelDeleted"
	at := seenAt(act)
	var lost []responsehub.Channel
	for _, ch := range b.directory.Channels() {
		if ch.ID != gone.ID && !(whole && gone.TeamID != "" && ch.TeamID == gone.TeamID) {
			continue
		}
		if at.Before(ch.SeenAt) {
			continue // a late removal of what was installed again meanwhile
		}
		if !ch.Installed && ch.Failure == sayRemoved {
			continue // the other half of the pair came first
		}
		ch.Installed, ch.Failure, ch.SeenAt = false, sayRemoved, at
		if err := b.directory.PutChannel(ctx, ch); err != nil {
			return fmt.Errorf("mark channel %s as removed: %w", ch.ID, err)
		}
		b.log.Warn("the bot was removed from a teams channel", "channel", ch.ID, "team", ch.TeamID)
		lost = append(lost, ch)
	}
	if len(lost) > 0 {
		b.later("tell of the removal", func(ctx context.Context) error { return b.tellRemoved(ctx, lost) })
	}
	return nil
}

// learnTeam adds the other channels of a team: the app is installed for all of them,
// but the event names only one.
func (b *Bot) learnTeam(ctx context.Context, from responsehub.Channel) error {
	if !validID(from.TeamID) {
		return nil
	}
	body, err := b.client.do(ctx, http.MethodGet, address(from.ServiceURL, "teams", from.TeamID, "conversations"), nil)
	if err != nil {
		return fmt.Errorf("list the channels of team %s: %w", from.TeamID, err)
	}
	var list struct {
		Conversations []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"conversations"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("list the channels of team %s: %w", from.TeamID, err)
	}
	for i, c := range list.Conversations {
		if i >= maxChannels || !validID(c.ID) {
			continue
		}
		ch, known := b.directory.Channel(c.ID)
		if known && ch.Installed && ch.Failure == "" && ch.Name != "" {
			continue
		}
		ch.V, ch.ID, ch.Installed, ch.Failure = 1, c.ID, true, ""
		ch.Name = cmp.Or(c.Name, ch.Name, "General") // Teams gives the general channel no name
		ch.TeamID, ch.TeamName, ch.TenantID = from.TeamID, from.TeamName, from.TenantID
		ch.ServiceURL, ch.BotID, ch.SeenAt = from.ServiceURL, from.BotID, from.SeenAt
		if err := b.directory.PutChannel(ctx, ch); err != nil {
			return fmt.Errorf("keep channel %s: %w", ch.ID, err)
		}
	}
	return nil
}

// maxChannels is how many channels a team may have in Teams, archived ones included.
const maxChannels = 1000

// heard keeps the service address of a channel fresh, as Teams may move it, and takes
// a sign of life as the end of an earlier failure.
func (b *Bot) heard(ctx context.Context, act *schema.Activity) {
	if act.Type == schema.InstallationUpdate || act.Type == schema.ConversationUpdate || act.Conversation.ConversationType == "personal" {
		return
	}
	id, _, _ := strings.Cut(act.Conversation.ID, ";messageid=")
	ch, known := b.directory.Channel(id)
	if known && ch.ServiceURL == act.ServiceURL && ch.Failure == "" && ch.Installed && time.Since(ch.SeenAt) < seenEvery {
		return
	}
	if !known && act.Conversation.ConversationType != "channel" || !validID(id) {
		return
	}
	now := b.channelOf(act)
	if now.ID != id {
		return
	}
	now.Installed, now.Failure = true, ""
	if err := b.directory.PutChannel(ctx, now); err != nil {
		b.log.Warn("teams channel cannot be kept", "channel", id, "error", err)
	}
}
