// Package halopsa is a pretend HaloPSA: OAuth tokens for its API, clients, tickets with actions, and
// webhooks.
//
// It promises to be as strict as HaloPSA where that is known and stricter where it is not: client
// credentials at /auth/token, a bearer token on every call, arrays for POST of tickets, actions and webhooks, where an
// id means a change, an action only with an outcome, references by id. What Halo would not know is
// refused and entered with wire.Log.Unexpected.
//
// In a World it stands below /halopsa. Play knows the acts on tickets that package connectwise lists (boards are
// teams); an administrator's are desk_hooks (off, or Value "on"), desk_tokens (all tokens end), desk_rename ("old=new"), and
// desk_event, which posts an event that is "forged" or a "replay".
//
// Webhooks carry what their authentication says: a bearer header (type 1, authentication_header) or Basic
// (type 2, basic_username and basic_password); type 0 carries nothing.
//
// Scripted faults with vendor "halopsa" are those of the API, "halopsa.callback" those of what it posts.
//
// What may go wrong: the numbers of the kinds of authentication, the body of webhooks, when they are posted again and what answers stand
// beside a 400 are not documented and are guesses.
package halopsa
