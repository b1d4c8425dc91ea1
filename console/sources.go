package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/remediation"
)

// Source is a detector, as people see it: never its secrets.
type Source struct {
	Name string
	Kind string // how it proves who it is
	Maps bool   // its messages are mapped from a format of their own
}

// Mapper reads a sample as an alert of a source, without telling the hub.
type Mapper interface {
	Map(source string, sample []byte) (*responsehub.Alert, error)
}

// sourceRow is a source in the list.
type sourceRow struct {
	Source
	Last time.Time // its newest incident among the latest of all
}

// latest is how many incidents are looked through for a source's newest.
const latest = 200

// sources lists the detectors, for administrators of the whole hub.
func (c *Console) sources(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	return c.showSources(w, r, actor, map[string]any{})
}

// trySource shows the alert that a sample becomes, or what is wrong with it and where.
func (c *Console) trySource(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	if !administers(actor) {
		return errWhole
	}
	name, sample := r.PostFormValue("source"), r.PostFormValue("sample")
	if c.cfg.Mapper == nil || !slices.ContainsFunc(c.cfg.Sources, func(s Source) bool { return s.Name == name }) {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such source."}
	}
	tried := map[string]any{"Source": name, "Sample": sample}
	alert, err := c.cfg.Mapper.Map(name, []byte(sample))
	if err != nil {
		tried["Fault"], tried["Pointer"] = responsehub.Sentence(err), pointerOf(err)
		return c.showSources(w, r, actor, tried)
	}
	read, err := json.MarshalIndent(alert, "", "  ")
	if err != nil {
		return err
	}
	tried["Alert"] = string(read)
	return c.showSources(w, r, actor, tried)
}

func (c *Console) showSources(w http.ResponseWriter, r *http.Request, actor responsehub.Actor, tried map[string]any) error {
	if !administers(actor) {
		return errWhole
	}
	page, err := c.engine.Incidents(r.Context(), actor, remediation.Query{Limit: latest})
	if err != nil {
		return err
	}
	rows := make([]sourceRow, len(c.cfg.Sources))
	for i, s := range c.cfg.Sources {
		rows[i].Source = s
		for _, inc := range page.Incidents {
			if inc.Source == s.Name { // the newest comes first
				rows[i].Last = inc.ReceivedAt
				break
			}
		}
	}
	c.show(w, r, http.StatusOK, "sources", actor, map[string]any{"Sources": rows, "Tried": tried, "May": c.cfg.Mapper != nil, "At": strings.TrimSuffix(c.cfg.PublicURL, "/")})
	return nil
}
