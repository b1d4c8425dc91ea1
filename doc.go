// Package responsehub is the vocabulary of the incident hub: what an alert, an
// incident, a step, an item, a person and an event are, and the rules that need
// nothing but them: who may ask for what, and when.
//
// It promises that the rules here are the only ones. Every surface (Teams, console,
// API, command line) asks through the engine in package remediation, and the engine
// asks [Actor.May] and [Incident.Gate]; no surface decides on its own. The sentences
// in the errors are written for the technician who reads them at night.
//
// Everything here is pure: no clock, no network, no storage, and nothing but the
// standard library. Names that are stored (step ids, step states, event kinds) never
// change; every stored record carries a version.
package responsehub
