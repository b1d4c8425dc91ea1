package console

import (
	"net/http"
	"strings"

	"responsehub"
	"responsehub/remediation"
)

// The buttons. Each asks the engine and shows the incident again with its sentence; a
// form that is sent twice carries the same command id and has the effect of once.

func (c *Console) back(w http.ResponseWriter, r *http.Request, sentence string) error {
	c.tell(r, sentence)
	http.Redirect(w, r, "/incidents/"+r.PathValue("id"), http.StatusSeeOther) //nolint:gosec // a page of ours whatever the id is
	return nil
}

// answered tells what the engine said, a refusal too: that is not the person's mistake.
func (c *Console) answered(w http.ResponseWriter, r *http.Request, a responsehub.Answer, err error) error {
	switch responsehub.KindOf(err) {
	case responsehub.Refused, responsehub.Invalid, responsehub.Conflict:
		return c.back(w, r, responsehub.Sentence(err))
	}
	if err != nil {
		return err
	}
	return c.back(w, r, a.Sentence)
}

func (c *Console) acknowledge(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	a, err := c.engine.Acknowledge(r.Context(), actor, r.PathValue("id"), r.PostFormValue("command_id"))
	return c.answered(w, r, a, err)
}

func (c *Console) request(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if err := r.ParseForm(); err != nil {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "The form could not be read. Go back and try again.", Err: err}
	}
	f := r.PostForm
	step := responsehub.StepID(r.PathValue("step"))
	req := responsehub.StepRequest{
		CommandID: f.Get("command_id"), Items: f["items"], Action: responsehub.Action(f.Get("action")), Reason: strings.TrimSpace(f.Get("reason")),
		Skip: f.Get("do") == "skip", Everywhere: f.Get("do") == "everywhere", Preview: f.Get("do") == "preview", Done: f.Get("do") == "by-hand",
	}
	switch do := f.Get("do"); do {
	case "disable", "delete", "remove":
		req.Action = responsehub.Action(do)
	}
	if item := f.Get("only"); item != "" {
		req.Items = []string{item}
	}
	a, err := c.engine.Request(r.Context(), actor, r.PathValue("id"), step, req)
	return c.answered(w, r, a, err)
}

func (c *Console) undo(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if err := r.ParseForm(); err != nil {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "The form could not be read. Go back and try again.", Err: err}
	}
	a, err := c.engine.Undo(r.Context(), actor, r.PathValue("id"), responsehub.StepID(r.PathValue("step")), responsehub.UndoRequest{
		CommandID: r.PostForm.Get("command_id"), Items: r.PostForm["items"], Reason: strings.TrimSpace(r.PostForm.Get("reason")),
	})
	return c.answered(w, r, a, err)
}

func (c *Console) falseAlarm(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	a, err := c.engine.FalseAlarm(r.Context(), actor, r.PathValue("id"), strings.TrimSpace(r.PostFormValue("reason")), r.PostFormValue("command_id"))
	return c.answered(w, r, a, err)
}

func (c *Console) tick(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	a, err := c.engine.Tick(r.Context(), actor, r.PathValue("id"), r.PathValue("todo"), r.PostFormValue("command_id"))
	return c.answered(w, r, a, err)
}

// reveal shows the one-time password, once. It is an answer to a form and never a page
// with an address, so that going back does not show it again.
func (c *Console) reveal(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	got, err := c.engine.Reveal(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	c.show(w, r, http.StatusOK, "password", actor, map[string]any{"Password": string(got.Password), "For": got.For, "Advice": got.Advice, "ID": r.PathValue("id")})
	return nil
}

// deadRow is work that was given up, and the incident it is for; nil where that cannot be read.
type deadRow struct {
	remediation.DeadLane
	Incident *responsehub.Incident
}

// lanes are the works that were given up.
func (c *Console) lanes(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	dead, err := c.engine.DeadLanes(r.Context(), actor)
	if err != nil {
		return err
	}
	rows := make([]deadRow, len(dead))
	for i, l := range dead {
		rows[i].DeadLane = l
		if inc, err := c.engine.Incident(r.Context(), actor, l.ID); err == nil { // else the id is all there is
			rows[i].Incident = inc
		}
	}
	c.show(w, r, http.StatusOK, "lanes", actor, map[string]any{"Dead": rows})
	return nil
}

func (c *Console) revive(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if err := c.engine.Revive(r.Context(), actor, r.PathValue("id")); err != nil {
		return err
	}
	c.tell(r, "The work was started again.")
	http.Redirect(w, r, "/lanes", http.StatusSeeOther)
	return nil
}
