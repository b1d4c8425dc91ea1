// Package card draws an incident as an adaptive card for Microsoft Teams.
//
// It promises:
//
//  1. A card is a pure function of the incident and the view: the same input gives the
//     same bytes, so a hash tells whether a posted card has to be drawn again.
//  2. Whatever the alert says, the card stays below 28 KB of JSON (Teams counts UTF-16,
//     which doubles it), has at most six actions at one level, and uses no element
//     outside the adaptive card schema 1.5.
//  3. Nothing a stranger wrote is rendered: it stands in text runs, which know no
//     markdown, without control characters, direction marks and check marks. A check
//     mark therefore always means a numbered step that was read back.
//  4. A button is shown only where the gate is open. Where it is shut its reason stands
//     in its place. That is courtesy, not authority: the engine decides again.
//  5. Nothing on it grows old by itself: times are exact, or the distance of two times that
//     stand still, since nobody draws a card anew because a minute went by. What a colour
//     says, words say too.
//  6. No secret is drawn, and no button's data carries more than names of things.
//
// What may go wrong is cut, with a count of what was left out and the way to all of it:
// very long lists and texts give way first.
package card
