package card

import (
	"responsehub"
)

// maxTodos is how many things to do by hand a card shows.
const maxTodos = 6

// after draws what goes on after the lock: how it is looked after, and what only people
// can do.
func after(inc *responsehub.Incident, s *responsehub.Step, view View, d detail) []obj {
	var body []obj
	// A step in need of a person says itself why the lock could not be done again.
	if said := inc.Watch.Sentence(); said != "" && s.State != responsehub.NeedsHuman {
		body = append(body, line(obj{"spacing": "None"}, subtle(Clean(said, max(d.text, 300)))))
	}
	for i := range inc.Todos {
		if i == maxTodos {
			body = append(body, line(obj{"spacing": "None"}, more(inc, view, len(inc.Todos)-i, "to do")...))
			break
		}
		t := &inc.Todos[i]
		stand := wordsToDo
		if t.Done() {
			stand = "done " + moment(inc, t.DoneAt) + ", says " + Clean(t.DoneBy.Name, 80)
		}
		body = append(body, line(obj{"spacing": "None"}, plain("• "+Clean(t.Text, 200)+" — "+stand)))
	}
	return body
}
