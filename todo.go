package responsehub

import (
	"fmt"
	"slices"
	"time"
)

// Todo is something that only a person can do, outside the hub and outside Microsoft's
// cloud, such as in on-premises AD. It holds no step back; its tick is a person's word,
// nothing that the hub has read.
type Todo struct {
	ID     string    `json:"id"` // within the incident
	Text   string    `json:"text"`
	DoneBy By        `json:"done_by,omitzero"`
	DoneAt time.Time `json:"done_at,omitzero"` // zero: still to do
}

// Done reports whether somebody said it is done.
func (t *Todo) Done() bool { return !t.DoneAt.IsZero() }

// AddTodo adds something to do, unless it is there already, and reports whether it was
// new.
func (inc *Incident) AddTodo(id, text string) bool {
	if inc.Todo(id) != nil {
		return false
	}
	inc.Todos = append(inc.Todos, Todo{ID: id, Text: text})
	return true
}

// Todo returns the to-do with the id, or nil.
func (inc *Incident) Todo(id string) *Todo {
	i := slices.IndexFunc(inc.Todos, func(t Todo) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return &inc.Todos[i]
}

// Tick notes a person's word that a to-do is done. The first one counts; the second is
// told who was first.
func (inc *Incident) Tick(actor Actor, todo string, now time.Time) (Answer, error) {
	t := inc.Todo(todo)
	switch {
	case t == nil:
		return Answer{}, &Error{Kind: NotFound, Message: fmt.Sprintf("This incident has nothing to do called %.40q.", todo)}
	case t.Done():
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s said at %s that this is done.", t.DoneBy.Name, clock(t.DoneAt))}, nil
	case inc.State.Closed():
		return Answer{}, Refuse(inc.closedSentence())
	}
	t.DoneBy, t.DoneAt = actor.By(), now.UTC()
	inc.Record(Event{At: now, Kind: EventTodoDone, By: actor.By(), Item: t.ID, Text: "Done on-premises, says " + actor.Name + ": " + t.Text})
	inc.acknowledge(actor, now)
	return Answer{Sentence: "Noted as done: " + t.Text}, nil
}
