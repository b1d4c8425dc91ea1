// Package manifest makes the package by which the bot is installed in Teams: a zip of the
// manifest and its two icons.
//
// It promises:
//
//  1. The same app gives the same bytes, so two packages can be compared.
//  2. The manifest is one of version 1.25, and an app that Teams would refuse for a rule of
//     its schema is refused here, with the rule in a sentence.
//  3. The package names the bot's id, the hub's public address and the commands in chat,
//     and nothing that is secret.
//
// It cannot promise that an administrator lets the app in: that is set in the Teams admin
// center. There is no tenant in a manifest; a bot is of one tenant because of how its app
// and its Azure Bot are registered.
//
// https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema
package manifest
