package card

import (
	"strings"
	"testing"

	"responsehub"
)

// TestLacks: what a waiting step would fail for stands below it, once it ran no more.
func TestLacks(t *testing.T) {
	const why = "The hub's app lacks Mail.ReadWrite in Contoso: this step will fail until it is granted."
	inc := responsehub.NewIncident("i1", "RH-7K2M", t0, "petra", alert(), contoso(), false)
	view := View{Lacks: func(id responsehub.StepID) string {
		if id == responsehub.Retract {
			return why
		}
		return ""
	}}
	if got := strings.Count(string(Card(inc, view)), why); got != 1 {
		t.Errorf("the card of a waiting step says it %d times, want once", got)
	}
	inc.Step(responsehub.Retract).State = responsehub.Done
	if strings.Contains(string(Card(inc, view)), why) {
		t.Error("the card of a step that is done says what it would fail for")
	}
}
