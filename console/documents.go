package console

import (
	"mime"
	"net/http"
	"strconv"
	"time"

	"responsehub"
	"responsehub/report"
)

var errNoDocuments = &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub makes no documents."}

// save answers with a file to be saved. A report in HTML is saved too: it is somebody
// else's words, and no page of ours.
func save(w http.ResponseWriter, f report.File, err error) error {
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Length", strconv.Itoa(len(f.Body)))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	_, _ = w.Write(f.Body) // the browser hung up
	return nil
}

func (c *Console) incidentReport(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if c.cfg.Documents == nil {
		return errNoDocuments
	}
	f, err := c.cfg.Documents.Incident(r.Context(), actor, r.PathValue("id"), r.PathValue("form"))
	return save(w, f, err)
}

func (c *Console) evidence(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if c.cfg.Documents == nil {
		return errNoDocuments
	}
	f, err := c.cfg.Documents.Evidence(r.Context(), actor, r.PathValue("id"))
	return save(w, f, err)
}

// reports is where a period and a tenant are chosen.
func (c *Console) reports(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	now := time.Now().UTC()
	tenants := c.visible(actor)
	c.show(w, r, http.StatusOK, "reports", actor, map[string]any{
		"Tenants": toPick(tenants), "From": now.AddDate(0, -1, 0).Format(time.DateOnly), "To": now.AddDate(0, 0, 1).Format(time.DateOnly), "Forms": report.Forms,
	})
	return nil
}

func (c *Console) periodReport(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if c.cfg.Documents == nil {
		return errNoDocuments
	}
	from, err := time.Parse(time.DateOnly, r.FormValue("from"))
	to, err2 := time.Parse(time.DateOnly, r.FormValue("to"))
	if err != nil || err2 != nil {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "Choose the first day and the day before which the report ends."}
	}
	tenant := r.FormValue("tenant")
	if tenant != "" {
		t, err := pick(c.visible(actor), tenant)
		if err != nil {
			return err
		}
		tenant = t.ID
	}
	f, err := c.cfg.Documents.Period(r.Context(), actor, tenant, from, to, r.FormValue("form"))
	return save(w, f, err)
}
