// Package console is the hub in a browser: what is open, what was done, and the buttons
// that throw an attacker out.
//
// It promises that a page shows what is stored, that every button goes through the
// engine like any other surface, that everything but live updates works without
// JavaScript, and that no page asks another origin for anything. What may go wrong: a
// page is as old as its last look; the live updates say so when they stop. It never
// decides who may do what: the engine and [responsehub.Actor.May] do.
package console
