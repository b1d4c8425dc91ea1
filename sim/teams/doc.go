// Package teams is a pretend Microsoft Teams: the Bot Framework connector that a bot calls, and the
// Teams clients whose people click on the bot's cards.
//
// It promises to be as strict as the service where that is known and stricter where it is not: a
// field that the connector does not have, a card that is no adaptive card 1.5, an empty object or a
// zero time is refused and entered with wire.Log.Unexpected. Tokens of the bot are judged by the
// login simulator through Config.Verify. What the people send is signed as the service signs it
// (RS256, issuer https://api.botframework.com, claim serviceurl, keys with endorsements), and
// tokens that a bot must refuse can be had by Tamper.
//
// As in Teams, the answer to a click changes the card only in the window of the person who clicked;
// everyone else sees the new state after a PUT on the message. Messages with text and a card are
// split in two, and no id comes back for them. Dialogs are shown to the clicker and kept nowhere.
//
// What may go wrong: real clients' words for failed invokes are not known, so the banners are ours.
package teams
