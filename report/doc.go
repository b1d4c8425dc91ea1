// Package report turns incidents into documents for people: one incident, or all of a
// tenant in a period, as HTML, PDF, CSV and XLSX under the MSP's own name.
//
// It promises that every form says the same, that a stranger's text never becomes markup
// or a formula, and that no secret is in it. What may go wrong: letters that the PDF's
// font does not have are shown as question marks.
package report
