// Package clients puts programs that others wrote against the hub: Microsoft's token
// validator, its card renderer, its Teams emulator, and a browser.
//
// Its tests promise that what the hub believes, draws and answers agrees with what
// these programs believe, draw and understand. They need Node, Chromium and the
// packages that `make deps` installs into tools/npm, and fail with a sentence when one
// is missing: a check that did not run is no check. Nothing of these programs is
// shipped, and nothing here listens or calls beyond this machine.
//
// What may go wrong: the emulator's interface for driving it without a browser is not
// documented, so its version is pinned. Pictures of what the browser showed are left
// in artifacts/clients, for people to look at.
package clients
