package console

import (
	"cmp"
	"net/http"
	"slices"

	"responsehub"
)

const lettersPage = 200

// letters lists the messages that an incident's retraction found, a page at a time.
func (c *Console) letters(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	inc, err := c.engine.Incident(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	page, err := c.engine.Letters(r.Context(), actor, inc.ID, r.FormValue("cursor"), lettersPage)
	if err != nil {
		return err
	}
	slices.SortFunc(page.Letters, func(a, b responsehub.Letter) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.ID, b.ID))
	})
	c.show(w, r, http.StatusOK, "letters", actor, map[string]any{"Incident": inc, "Letters": page.Letters, "Next": page.Next})
	return nil
}
