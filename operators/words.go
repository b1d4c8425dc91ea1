package operators

import "fmt"

// said is what the operators read.
func said(w *Waiting) string {
	if w.Over != "" && w.Told {
		return w.Over
	}
	words := w.Words
	if w.Count > 1 {
		words += fmt.Sprintf("\n\nThis came up %d times since %s.", w.Count, w.First.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if w.Over != "" {
		words += "\n\nMeanwhile: " + w.Over
	}
	return words
}
