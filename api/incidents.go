package api

import (
	"fmt"
	"strconv"
	"time"

	"responsehub"
	"responsehub/remediation"
)

const maxCommandID = 200

func (a *API) incidents(r call, _ none) (List[Incident], error) {
	q := remediation.Query{Tenant: r.query("tenant"), State: responsehub.IncidentState(r.query("status")), Cursor: r.query("cursor")}
	var err error
	if s := r.query("since"); s != "" {
		if q.Since, err = time.Parse(time.RFC3339, s); err != nil {
			return List[Incident]{}, invalid("since", "The parameter \"since\" must be a time in RFC 3339, such as 2026-11-23T09:40:00Z.")
		}
	}
	if s := r.query("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > 200 {
			return List[Incident]{}, invalid("limit", "The parameter \"limit\" must be a number from 1 to 200.")
		}
	}
	page, err := a.engine.Incidents(r, r.actor, q)
	if err != nil {
		return List[Incident]{}, err
	}
	list := List[Incident]{Items: make([]Incident, 0, len(page.Incidents)), Next: page.Next}
	for _, inc := range page.Incidents {
		list.Items = append(list.Items, a.viewOf(inc))
	}
	return list, nil
}

func (a *API) incident(r call, _ none) (Incident, error) {
	id, err := r.id("id")
	if err != nil {
		return Incident{}, err
	}
	inc, err := a.engine.Incident(r, r.actor, id)
	if err != nil {
		return Incident{}, err
	}
	return a.viewOf(inc), nil
}

func (a *API) events(r call, _ none) (List[Event], error) {
	id, err := r.id("id")
	if err != nil {
		return List[Event]{}, err
	}
	events, err := a.engine.Events(r, r.actor, id)
	return List[Event]{Items: orEmpty(events)}, err
}

// letters pages through what a retraction found. A page may be short though others follow.
func (a *API) letters(r call, _ none) (List[Letter], error) {
	id, err := r.id("id")
	if err != nil {
		return List[Letter]{}, err
	}
	limit := 0
	if s := r.query("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > 1000 {
			return List[Letter]{}, invalid("limit", "The parameter \"limit\" must be a number from 1 to 1000.")
		}
	}
	page, err := a.engine.Letters(r, r.actor, id, r.query("cursor"), limit)
	if err != nil {
		return List[Letter]{}, err
	}
	list := List[Letter]{Items: make([]Letter, 0, len(page.Letters)), Next: page.Next}
	for i := range page.Letters {
		list.Items = append(list.Items, letterView(&page.Letters[i]))
	}
	return list, nil
}

func (a *API) request(r call, in StepBody) (Answer, error) {
	id, err := r.id("id")
	if err != nil {
		return Answer{}, err
	}
	step := responsehub.StepID(r.c.Param("step"))
	if !step.Valid() {
		return Answer{}, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no step %.40q. The steps are publish, lock, retract, persistence, password, reenable and close.", string(step))}
	}
	command, err := commandID(r.actor, string(step), in.CommandID)
	if err != nil {
		return Answer{}, err
	}
	answer, err := a.engine.Request(r, r.actor, id, step, responsehub.StepRequest{
		CommandID: command, Items: in.Items, Action: in.Action, Skip: in.Skip, Reason: in.Reason,
		Everywhere: in.Everywhere, Preview: in.Preview, Done: in.Done,
	})
	return answerView(answer, err)
}

func (a *API) acknowledge(r call, in AcknowledgeBody) (Answer, error) {
	id, err := r.id("id")
	if err != nil {
		return Answer{}, err
	}
	command, err := commandID(r.actor, "acknowledge", in.CommandID)
	if err != nil {
		return Answer{}, err
	}
	answer, err := a.engine.Acknowledge(r, r.actor, id, command)
	return answerView(answer, err)
}

func (a *API) tick(r call, in TickBody) (Answer, error) {
	id, err := r.id("id")
	if err != nil {
		return Answer{}, err
	}
	todo, err := r.id("todo")
	if err != nil {
		return Answer{}, err
	}
	command, err := commandID(r.actor, "todo "+todo, in.CommandID)
	if err != nil {
		return Answer{}, err
	}
	answer, err := a.engine.Tick(r, r.actor, id, todo, command)
	return answerView(answer, err)
}

// reveal shows the one-time password. What the engine handed out it has erased, so the
// answer must not be cached anywhere; Cache-Control: no-store is on every answer.
func (a *API) reveal(r call, _ none) (Revealed, error) {
	id, err := r.id("id")
	if err != nil {
		return Revealed{}, err
	}
	v, err := a.engine.Reveal(r, r.actor, id)
	if err != nil {
		return Revealed{}, err
	}
	return Revealed{Password: string(v.Password), For: v.For, Advice: v.Advice}, nil
}

// commandID makes a caller's command id its own: another key, or the same key asking
// for another step under the same id, must not be given the first one's answer.
func commandID(actor responsehub.Actor, what, id string) (string, error) {
	switch {
	case id == "":
		return "", nil
	case len(id) > maxCommandID:
		return "", invalid("/command_id", fmt.Sprintf("The command id is longer than %d characters.", maxCommandID))
	}
	return actor.ID + "|" + what + "|" + id, nil
}

func answerView(answer responsehub.Answer, err error) (Answer, error) {
	if err != nil {
		return Answer{}, err
	}
	return Answer{Incident: ViewOf(answer.Incident), Sentence: answer.Sentence, Joined: answer.Joined}, nil
}
