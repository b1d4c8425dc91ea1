// Package entra gets the hub's tokens from Microsoft Entra: app-only, one credential
// per tenant, for whatever resource of Microsoft's a connector talks to.
//
// It promises that a token that is held and good for two more minutes costs no network,
// that a crowd asking at once makes one request, and that every refusal is a
// *responsehub.Error with a sentence that names what an administrator has to do, made
// from Microsoft's error number and never from its text. Tokens and secrets are in no
// error and in no log.
//
// Scopes are those of Microsoft's own resources in the cloud of the authority, also
// when the addresses that are called are others: a token is asked for by what the
// service is, not by where it stands.
package entra
