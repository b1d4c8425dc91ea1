package ticket

import (
	"fmt"
	"net/http"
	"time"

	"responsehub"
)

// Checks collects what a desk's [Desk.Check] found.
type Checks struct {
	All []responsehub.Check
}

// Add notes something that was looked at.
func (c *Checks) Add(name string, grade responsehub.Grade, format string, args ...any) {
	c.All = append(c.All, responsehub.Check{Name: name, Grade: grade, Sentence: fmt.Sprintf(format, args...)})
}

// Failed notes that something could not be read: a refusal is missing, silence unknown.
func (c *Checks) Failed(name string, err error) {
	grade := responsehub.CheckUnknown
	switch responsehub.KindOf(err) {
	case responsehub.Forbidden, responsehub.Unauthorized, responsehub.Permanent, responsehub.NotFound:
		grade = responsehub.CheckMissing
	}
	c.Add(name, grade, "%s", responsehub.Sentence(err))
}

// clockMost is how far the clocks may be apart before somebody reading notes is misled.
const clockMost = 2 * time.Minute

// Clock compares the hub's clock with that of the PSA, by an answer's header. An answer
// without a date says nothing.
func (c *Checks) Clock(psa string, h http.Header) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	if off := time.Since(at).Abs(); off > clockMost {
		c.Add("clock", responsehub.CheckWarning, "The clocks of the hub and of %s differ by %s. Times in notes will be off: set this machine's clock.", psa, off.Round(time.Second))
		return
	}
	c.Add("clock", responsehub.CheckOK, "The clocks agree.")
}
