package app

import (
	"context"
	"fmt"
	"strings"

	"responsehub"
)

// checkChannels tells of each Teams channel that is to get cards whether the bot is in
// it, as far as install events told, and with test cards whether it can post there.
func (a *App) checkChannels(ctx context.Context, tenants []responsehub.Tenant, testCard bool) []responsehub.Check {
	if a.bot == nil {
		return nil
	}
	var ids []string
	users := map[string][]string{} // who wants cards there
	want := func(id, user string) {
		if users[id] == nil {
			ids = append(ids, id)
		}
		users[id] = append(users[id], user)
	}
	var checks []responsehub.Check
	for _, t := range tenants {
		for _, id := range t.Notify.Teams {
			want(id, t.Name)
		}
		if len(t.Notify.Teams) == 0 && len(a.cfg.Fallback.Teams) == 0 {
			checks = append(checks, responsehub.Check{Name: "channel of " + t.Name, Grade: responsehub.CheckWarning, Sentence: "No Teams channel gets its cards. Fill in its notify.teams, or fallback.teams for all."})
		}
	}
	for _, id := range a.cfg.Fallback.Teams {
		want(id, "fallback")
	}
	for _, id := range ids {
		checks = append(checks, a.checkChannel(ctx, id, strings.Join(users[id], ", "), testCard))
	}
	return checks
}

func (a *App) checkChannel(ctx context.Context, id, users string, testCard bool) responsehub.Check {
	ch, known, why := a.bot.Reach(id)
	name := ch.Name
	if ch.TeamName != "" {
		name = strings.Trim(ch.TeamName+" / "+ch.Name, " /")
	}
	if name == "" {
		name = id
	}
	c := responsehub.Check{Name: "channel " + name, Grade: responsehub.CheckOK}
	if testCard {
		err := within(ctx, func(ctx context.Context) error { return a.bot.TestCard(ctx, id) })
		if err != nil {
			c.Grade, c.Sentence = responsehub.CheckMissing, fmt.Sprintf("The test card could not be posted, so no card can (for %s). %s", users, responsehub.Sentence(err))
			return c
		}
		c.Sentence = fmt.Sprintf("A test card was posted and changed there (for %s).", users)
		return c
	}
	switch {
	case !known:
		c.Grade, c.Sentence = responsehub.CheckWarning, fmt.Sprintf("Teams has not told of this channel yet (for %s). Start the hub, add the app to the channel's team in Teams, and look again; --test-card tries it.", users)
	case why != "":
		c.Grade, c.Sentence = responsehub.CheckMissing, fmt.Sprintf("No card can be posted there (for %s). %s", users, why)
	default:
		c.Sentence = fmt.Sprintf("The bot is installed there (for %s); --test-card tries it.", users)
	}
	return c
}
