package api

import (
	"fmt"
	"time"

	"responsehub"
)

// UndoBody asks for a step to be taken back.
type UndoBody struct {
	CommandID string   `json:"command_id,omitempty" doc:"made up by the caller: the same one twice for the same step has the effect of once"`
	Items     []string `json:"items,omitempty" doc:"for persistence: ids of the items meant; none is all"`
	Reason    string   `json:"reason" doc:"needed; goes on record"`
}

// FalseAlarmBody declares an incident a false alarm.
type FalseAlarmBody struct {
	CommandID string `json:"command_id,omitempty"`
	Reason    string `json:"reason" doc:"needed; goes on record"`
}

// Undone is the answer to an undo: the incident, the sentence, and what stays as it is
// whatever is taken back.
type Undone struct {
	Answer
	Irreversible []string `json:"irreversible" doc:"what cannot be taken back"`
}

// Withdrawal is a false alarm that was declared.
type Withdrawal struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason"`
	EndedAt time.Time `json:"ended_at,omitzero" doc:"when everything that can be taken back was tried"`
	Left    []string  `json:"left" doc:"what could not be taken back and waits for a person"`
}

func (a *API) undo(r call, in UndoBody) (Undone, error) {
	id, err := r.id("id")
	if err != nil {
		return Undone{}, err
	}
	step := responsehub.StepID(r.c.Param("step"))
	if !step.Valid() {
		return Undone{}, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no step %.40q. Those that can be taken back are lock, retract and persistence.", string(step))}
	}
	command, err := commandID(r.actor, "undo "+string(step), in.CommandID)
	if err != nil {
		return Undone{}, err
	}
	answer, err := a.engine.Undo(r, r.actor, id, step, responsehub.UndoRequest{CommandID: command, Items: in.Items, Reason: in.Reason})
	return undoneView(answer, err, step)
}

func (a *API) falseAlarm(r call, in FalseAlarmBody) (Undone, error) {
	id, err := r.id("id")
	if err != nil {
		return Undone{}, err
	}
	command, err := commandID(r.actor, "false alarm", in.CommandID)
	if err != nil {
		return Undone{}, err
	}
	answer, err := a.engine.FalseAlarm(r, r.actor, id, in.Reason, command)
	return undoneView(answer, err)
}

func undoneView(answer responsehub.Answer, err error, ids ...responsehub.StepID) (Undone, error) {
	view, err := answerView(answer, err)
	if err != nil {
		return Undone{}, err
	}
	return Undone{Answer: view, Irreversible: answer.Incident.Irreversible(ids...)}, nil
}

func withdrawalView(w *responsehub.Withdrawal) *Withdrawal {
	if w == nil {
		return nil
	}
	return &Withdrawal{By: w.By.Name, At: w.At, Reason: w.Reason, EndedAt: w.EndedAt, Left: orEmpty(w.Left)}
}
