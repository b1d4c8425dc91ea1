package console

import (
	"context"
	"time"

	"responsehub"
)

// Alarm tells those who run the hub of something that should be rare.
type Alarm func(ctx context.Context, a responsehub.Alarm)

// keyUsed says loudly that somebody came in with an API key, which is for the first day
// and for when the provider is away: on the record, in the log, and to those who run the
// hub. Whoever sits before a hub that is half down must get in all the same.
func (c *Console) keyUsed(ctx context.Context, actor responsehub.Actor, remote string) {
	c.log.Error("ALARM: somebody signed in to the console with an API key instead of as a person", "key", actor.ID, "name", actor.Name, "role", actor.Role, "remote", remote)
	by := actor.By()
	by.Via = responsehub.ViaConsole
	if err := c.dir.Note(ctx, by, responsehub.EventKeySignIn, actor.ID, actor.Name+" ("+string(actor.Role)+") signed in to the console with its key, from "+remote); err != nil {
		c.log.Error("console: a sign-in with a key is not on the record", "key", actor.ID, "error", err)
	}
	if c.cfg.Alarm != nil {
		c.cfg.Alarm(ctx, responsehub.Alarm{Subject: "key|" + actor.ID, Words: actor.Name + " (" + string(actor.Role) + ") was used to sign in to the console on " + time.Now().UTC().Format("2006-01-02 at 15:04:05 UTC") + " from " + remote +
			". If none of you did this, remove the key (API keys in the console) and look at the hub's record (Audit)."})
	}
}
