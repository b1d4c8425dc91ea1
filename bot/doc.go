// Package bot is the hub in Microsoft Teams: one card per incident and channel, its
// buttons, and a few commands in chat.
//
// It promises:
//
//  1. A request is believed only when its token was signed by the Bot Framework for this
//     app, names the address it says it came from, and belongs to the tenant this bot
//     lives in. Everything else gets a short 401 or 400.
//  2. The bot's own token goes to Microsoft's Teams hosts, or hosts the configuration
//     names, and nowhere else.
//  3. Who clicked is the Entra user of the verified request. What is in a button's data
//     names things and gives no rights; the engine decides. A click counts only on a
//     card that the hub posted for that incident.
//  4. A click is answered within three seconds, with the card as it is after the click or
//     with a sentence that only the person who clicked sees. The same click delivered
//     twice has the effect of once.
//  5. The card follows the incident: at most one update per card in two seconds, the last
//     state always drawn, one dead channel not in the way of the others. While a person
//     reads a question on a card its update waits, for half a minute at most.
//
// What may go wrong: Teams has no key by which a repeated post is recognised and no call
// that lists a channel's messages. When the answer to a post is lost, the card is posted
// again: two cards rather than none. The first one then is an orphan; its buttons answer
// that it is not the live card.
//
// The wire is Connector v3 with the types of msbotbuilder-go; token checks, the client
// and everything around invokes are this package's own.
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
package bot
