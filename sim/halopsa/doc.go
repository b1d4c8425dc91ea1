// Package halopsa is a pretend HaloPSA: OAuth tokens for its API, clients, tickets with actions, and
// webhooks.
//
// It promises to be as strict as HaloPSA where that is known and stricter where it is not: client
// credentials at /auth/token, a bearer token on every call, arrays for POST of tickets, actions and webhooks, where an
// id means a change, an action only with an outcome, references by id. What Halo would not know is
// refused and entered with wire.Log.Unexpected.
//
// In a World it stands below /halopsa. Play knows the acts on tickets that package connectwise lists (boards are
// teams); an administrator's are desk_hooks (off, or Value "on"), desk_subscribe (ticks the event Value at every webhook),
// desk_unsubscribe (takes it, or all of them, away), desk_tokens (all tokens end), desk_rename ("old=new"), and desk_event,
// which posts an event that is "forged" or a "replay", or the last one without its "unsigned" sign-in.
//
// Webhooks carry what their authentication says: nothing (0), Basic (1, basic_username and basic_password) or a bearer token (2,
// authentication_header), numbered as https://github.com/redanthrax/halopsa-node/blob/master/docs/webhooks.md has them, and tell
// only of the events that were added to them: POST /Notification with their id, as HaloPsaTrigger.node.ts there does it, whose
// numbers of events these are. What a standard payload holds: https://haloitsm.com/guides/article/?kbid=838
//
// Scripted faults with vendor "halopsa" are those of the API, "halopsa.callback" those of what it posts.
//
// What may go wrong: the names of fields in the body of webhooks, the number of the event "Ticket Reassigned", when webhooks are posted
// again and what answers stand beside a 400 are not documented and are guesses.
package halopsa
