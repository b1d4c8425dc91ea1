package api

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"responsehub"
	"responsehub/audit"
	"responsehub/report"
)

// AuditKey is what evidence bundles are verified with.
type AuditKey struct {
	PublicKey   string `json:"public_key" doc:"base64, Ed25519"`
	Fingerprint string `json:"fingerprint" doc:"short form to compare by eye"`
}

func (a *API) hasDocuments() error {
	if a.documents == nil {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub makes no documents."}
	}
	return nil
}

func (a *API) incidentReport(r call, _ none) (report.File, error) {
	id, err := r.id("id")
	if err := cmp.Or(err, a.hasDocuments()); err != nil {
		return report.File{}, err
	}
	return a.documents.Incident(r, r.actor, id, cmp.Or(r.query("form"), "html"))
}

func (a *API) evidence(r call, _ none) (report.File, error) {
	id, err := r.id("id")
	if err := cmp.Or(err, a.hasDocuments()); err != nil {
		return report.File{}, err
	}
	return a.documents.Evidence(r, r.actor, id)
}

func (a *API) periodReport(r call, _ none) (report.File, error) {
	if err := a.hasDocuments(); err != nil {
		return report.File{}, err
	}
	from, err := day(r, "from", time.Now().AddDate(0, -1, 0))
	if err != nil {
		return report.File{}, err
	}
	to, err := day(r, "to", time.Now())
	if err != nil {
		return report.File{}, err
	}
	return a.documents.Period(r, r.actor, r.query("tenant"), from, to, cmp.Or(r.query("form"), "html"))
}

func day(r call, name string, otherwise time.Time) (time.Time, error) {
	s := r.query(name)
	if s == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, invalid(name, "The parameter \""+name+"\" must be a time in RFC 3339, such as 2026-11-23T00:00:00Z.")
	}
	return t, nil
}

func (a *API) auditKey(call, none) (AuditKey, error) {
	if err := a.hasDocuments(); err != nil {
		return AuditKey{}, err
	}
	key := a.documents.PublicKey()
	return AuditKey{PublicKey: base64.StdEncoding.EncodeToString(key), Fingerprint: audit.Fingerprint(key)}, nil
}

const journalMost = 1000

// journal is the hub's own record: who changed tenants, people, keys and switches.
func (a *API) journal(r call, _ none) (List[Event], error) {
	if err := r.actor.May(responsehub.Manage, responsehub.TenantRef{}); err != nil || !slices.Contains(r.actor.Tenants, "*") {
		return List[Event]{}, &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only an administrator of the whole hub may read its record."}
	}
	after := int64(0)
	if s := r.query("after"); s != "" {
		var err error
		if after, err = strconv.ParseInt(s, 10, 64); err != nil || after < 0 {
			return List[Event]{}, invalid("after", "The parameter \"after\" must be the number of an entry.")
		}
	}
	raw, err := a.dir.Journal(r, after, journalMost)
	if err != nil {
		return List[Event]{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The record cannot be read right now. Try again in a moment.", Err: err}
	}
	out := List[Event]{Items: make([]Event, len(raw))}
	for i, b := range raw {
		out.Items[i] = json.RawMessage(b)
	}
	if len(raw) == journalMost {
		out.Next = strconv.FormatInt(after+int64(len(raw)), 10)
	}
	return out, nil
}

// writeFile answers with a document. A report in HTML holds strangers' text, escaped; it
// runs nothing all the same.
func writeFile(c echo.Context, f report.File) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	return c.Blob(http.StatusOK, f.Type, f.Body)
}
