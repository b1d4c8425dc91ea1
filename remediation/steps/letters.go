package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"responsehub"
)

// Letters keeps the messages of a retraction beside their incident: there may be as many
// as there are mailboxes.
type Letters interface {
	// PutLetters writes letters under the turn's fence; those with the same key are
	// replaced. It fails when the lane is somebody else's by now.
	PutLetters(ctx context.Context, f responsehub.Fence, letters []responsehub.Letter) error
	// Letters returns about n letters, in no particular order, and the cursor of the next
	// page, "" at the end. A letter may come twice.
	Letters(ctx context.Context, incident, cursor string, n int) ([]responsehub.Letter, string, error)
}

// letterPage is how many letters are read at once.
const letterPage = 500

// origin is where a message lay before it was moved, as an item of older records has it.
type origin struct {
	Folder string `json:"folder"`
	Read   bool   `json:"read,omitempty"`
}

// known is what a turn remembers of a letter that it need not touch.
type known struct {
	state responsehub.StepState
	round int
}

// book is all letters of an incident: in full those that are still to be moved, in brief
// the others, so that very many fit.
type book struct {
	round   int
	known   map[string]known
	unmoved []responsehub.Letter // still to be moved when the book was read
	sample  sample
	why     string // why the last one failed
	count   responsehub.Progress
	rules   map[responsehub.Rule]int
	boxes   map[string]bool // with a message that waits, for a preview
}

// load reads the book of an incident. Messages that an older hub kept as items of the
// step are in it too; they are returned, to be written where they belong now.
func load(ctx context.Context, store Letters, inc *responsehub.Incident) (*book, []responsehub.Letter, error) {
	s := inc.Step(responsehub.Retract)
	b := &book{round: s.Round, known: map[string]known{}, rules: map[responsehub.Rule]int{}, boxes: map[string]bool{}}
	cursor := ""
	for {
		page, next, err := store.Letters(ctx, inc.ID, cursor, letterPage)
		if err != nil {
			return nil, nil, err
		}
		for i := range page {
			b.first(page[i])
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	var old []responsehub.Letter
	for i := range s.Items {
		if l := ofItem(&s.Items[i]); s.Items[i].Kind == responsehub.Message && b.first(l) {
			old = append(old, l)
		}
	}
	return b, old, nil
}

// first takes a stored letter into the book, once.
func (b *book) first(l responsehub.Letter) bool {
	if _, seen := b.known[l.Key()]; seen {
		return false
	}
	if l.State == responsehub.Waiting || l.State == responsehub.Running {
		b.unmoved = append(b.unmoved, l)
	}
	b.put(l)
	return true
}

// put notes how a letter stands now.
func (b *book) put(l responsehub.Letter) {
	key := l.Key()
	was, seen := b.known[key]
	if !seen {
		b.count.Found++
		b.rules[l.Rule]++
	}
	b.tally(was, -1)
	b.known[key] = known{state: l.State, round: l.Round}
	if l.State == responsehub.Done && l.Hub {
		b.known[key] = known{state: movedByHub, round: l.Round}
	}
	b.tally(b.known[key], 1)
	if l.State == responsehub.Failed {
		b.why = l.Why
	}
	if l.State == responsehub.Waiting && l.Round == b.round {
		b.boxes[l.Mailbox] = true
	}
	b.sample.put(l)
}

// movedByHub tells, in the book only, the hub's own moves from what lay there before.
const movedByHub responsehub.StepState = "moved"

func (b *book) tally(k known, by int) {
	switch k.state {
	case movedByHub:
		b.count.Moved += by
	case responsehub.Done:
		b.count.Already += by
	case responsehub.Skipped:
		b.count.Kept += by
	case responsehub.Undone:
		b.count.Returned += by
	}
}

// waiting counts the messages of this round that are found and not touched, and their
// mailboxes.
func (b *book) waiting() (messages, mailboxes int) {
	for _, k := range b.known {
		if k.state == responsehub.Waiting && k.round == b.round {
			messages++
		}
	}
	return messages, len(b.boxes)
}

// faults counts the messages of this round that could not be moved.
func (b *book) faults() int {
	n := 0
	for _, k := range b.known {
		if k.state == responsehub.Failed && k.round == b.round {
			n++
		}
	}
	return n
}

// byRule says by what the messages were recognised, "" when there are none.
func (b *book) byRule() string {
	var parts []string
	for _, r := range []responsehub.Rule{responsehub.ByMessageID, responsehub.BySender} {
		if n := b.rules[r]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d by %s", n, r.Words()))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// ofItem makes a letter of an item of an older record.
func ofItem(it *responsehub.Item) responsehub.Letter {
	var o origin
	_ = json.Unmarshal(it.Snapshot, &o) // one that lay in Deleted Items before has none
	l := responsehub.Letter{
		Mailbox: it.Mailbox, ID: it.Object, Subject: it.Name, Folder: o.Folder, Read: o.Read, State: it.State,
		Hub: it.State == responsehub.Done && len(it.Snapshot) > 0, Why: it.Why, At: it.At,
	}
	if it.Proof != nil {
		l.RequestID = it.Proof.RequestID
	}
	return l
}

// maxSample is how many letters the incident itself shows.
const maxSample = 20

// sample is a few letters, those at fault before the others.
type sample []responsehub.Letter

func (s *sample) put(l responsehub.Letter) {
	for i := range *s {
		if (*s)[i].ID == l.ID && (*s)[i].Mailbox == l.Mailbox {
			(*s)[i] = l
			return
		}
	}
	if len(*s) < maxSample {
		*s = append(*s, l)
		return
	}
	if l.State != responsehub.Failed {
		return
	}
	for i := range *s {
		if (*s)[i].State != responsehub.Failed {
			(*s)[i] = l
			return
		}
	}
}

// items shows the sample. The folder stays with the letters.
func (s sample) items() []responsehub.Item {
	items := make([]responsehub.Item, 0, len(s))
	for i := range s {
		items = append(items, s[i].Item())
	}
	return items
}
