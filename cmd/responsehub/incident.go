package main

import (
	"io"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
)

func newIncident() *cobra.Command {
	return group("incident", "Look at incidents and run their steps",
		newIncidentList(), newIncidentShow(), newIncidentStep(), newIncidentUndo(), newIncidentFalseAlarm(), newIncidentReveal(), newIncidentEvents(), newIncidentAck(), newIncidentRehearse(), newIncidentDone(), newIncidentLetters(), newIncidentReport(), newIncidentExport())
}

func newIncidentList() *cobra.Command {
	var tenant, status, since, cursor string
	var limit int
	c := &cobra.Command{Use: "list", Short: "Incidents, newest first", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		if tenant != "" {
			if tenant, err = tenantID(c.Context(), hub, tenant); err != nil {
				return err
			}
		}
		q := url.Values{}
		for name, value := range map[string]string{"tenant": tenant, "status": status, "since": since, "cursor": cursor} {
			if value != "" {
				q.Set(name, value)
			}
		}
		if c.Flags().Changed("limit") {
			q.Set("limit", strconv.Itoa(limit))
		}
		var list api.List[api.Incident]
		if err := hub.do(c.Context(), "GET", "/v1/incidents?"+q.Encode(), nil, &list); err != nil {
			return err
		}
		return show(c, list, func(w io.Writer) { drawIncidents(w, list) })
	}}
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's: its name or one of its ids")
	c.Flags().StringVar(&status, "status", "", "only those in this state: unpublished, active, remediated, false_alarm")
	c.Flags().StringVar(&since, "since", "", "only those opened at this time (RFC 3339) or later")
	c.Flags().StringVar(&cursor, "cursor", "", "where the list before ended")
	c.Flags().IntVar(&limit, "limit", 50, "how many at most, 1 to 200")
	return c
}

func newIncidentShow() *cobra.Command {
	return &cobra.Command{Use: "show ID|REF", Short: "One incident with its steps", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var inc api.Incident
		if err := hub.do(c.Context(), "GET", path("v1", "incidents", args[0]), nil, &inc); err != nil {
			return orList(err, "responsehub incident list")
		}
		return show(c, inc, func(w io.Writer) { drawIncident(w, inc) })
	}}
}

func newIncidentReveal() *cobra.Command {
	return &cobra.Command{Use: "reveal ID|REF", Short: "The one-time password: once, and only to the key that asked for the reset", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var r api.Revealed
		if err := hub.do(c.Context(), "POST", path("v1", "incidents", args[0], "steps", "password", "reveal"), nil, &r); err != nil {
			return err
		}
		return show(c, r, func(w io.Writer) {
			row(w, "Password", r.Password)
			row(w, "For", r.For)
			row(w, "", r.Advice)
		})
	}}
}

func newIncidentEvents() *cobra.Command {
	return &cobra.Command{Use: "events ID|REF", Short: "The record of an incident, oldest first", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var list api.List[responsehub.Event]
		if err := hub.do(c.Context(), "GET", path("v1", "incidents", args[0], "events"), nil, &list); err != nil {
			return err
		}
		return show(c, list, func(w io.Writer) {
			row(w, "NO", "WHEN", "WHAT", "WHO", "TEXT")
			for _, e := range list.Items {
				row(w, strconv.FormatInt(e.Seq, 10), at(e.At), string(e.Kind), e.By.Name, e.Text)
			}
		})
	}}
}

func newIncidentAck() *cobra.Command {
	return &cobra.Command{Use: "ack ID|REF", Short: "Take an incident: nobody else is paged", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		hub, err := newClient()
		if err != nil {
			return err
		}
		var a api.Answer
		if err := hub.do(c.Context(), "POST", path("v1", "incidents", args[0], "acknowledge"), api.AcknowledgeBody{CommandID: newCommandID()}, &a); err != nil {
			return err
		}
		return show(c, a, func(w io.Writer) { row(w, a.Ref+": "+a.Sentence) })
	}}
}
