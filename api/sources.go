package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/ticket"
)

// Source is a detector, never with its secrets.
type Source struct {
	Name string `json:"name"`
	Kind string `json:"kind" doc:"how it proves who it is: standard-webhooks or header"`
	Maps bool   `json:"maps" doc:"its messages are mapped from a format of their own"`
}

// Mapper reads a sample as an alert of a source, without telling the hub.
type Mapper interface {
	Map(source string, sample []byte) (*responsehub.Alert, error)
}

// Companies finds the companies of a ticket system, for mapping.
type Companies interface {
	Companies(ctx context.Context, connection, text string) ([]ticket.Company, error)
}

// Channels are the Teams channels that the bot has learnt of.
type Channels interface {
	Channels() []responsehub.Channel
}

// SampleBody is a message of a detector.
type SampleBody struct {
	Sample Sample `json:"sample" need:"true" doc:"what the detector sends, any JSON"`
}

// Sample is JSON of somebody else's.
type Sample []byte

// UnmarshalJSON keeps the sample as it was sent.
func (s *Sample) UnmarshalJSON(b []byte) error {
	*s = slices.Clone(b)
	return nil
}

// Company is one of a ticket system.
type Company struct {
	ID   string `json:"id"`
	Name string `json:"name" doc:"what a tenant's notify.psa.company holds"`
}

// Channel is a Teams channel in which the bot was seen.
type Channel struct {
	ID      string `json:"id" doc:"what a tenant's notify.teams holds"`
	Name    string `json:"name,omitempty"`
	Team    string `json:"team,omitempty"`
	Failure string `json:"failure,omitempty" doc:"why the bot cannot write there"`
}

const (
	companiesIn    = 10 * time.Second // how long a ticket system may take to answer
	companiesShown = 50
)

func (a *API) sources(r call, _ none) (List[Source], error) {
	if err := whole(r.actor); err != nil {
		return List[Source]{}, err
	}
	return List[Source]{Items: append([]Source{}, a.detectors...)}, nil
}

// trySource shows the alert that a sample becomes. Nothing is opened.
func (a *API) trySource(r call, in SampleBody) (*responsehub.Alert, error) {
	name, err := r.id("source")
	if err != nil {
		return nil, err
	}
	if err := whole(r.actor); err != nil {
		return nil, err
	}
	if a.mapper == nil || !slices.ContainsFunc(a.detectors, func(s Source) bool { return s.Name == name }) {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no source %.60q.", name)}
	}
	return a.mapper.Map(name, in.Sample)
}

// companies searches a ticket system for whoever maps a tenant to one of its companies.
func (a *API) companies(r call, _ none) (List[Company], error) {
	if _, err := a.tenantOf(r, responsehub.Manage); err != nil {
		return List[Company]{}, err
	}
	connection, text := r.query("connection"), strings.TrimSpace(r.query("name"))
	switch {
	case connection == "":
		return List[Company]{}, invalid("connection", "Say which ticket system is to be searched.")
	case text == "":
		return List[Company]{}, invalid("name", "Say a part of the company's name.")
	case a.desks == nil:
		return List[Company]{}, &responsehub.Error{Kind: responsehub.NotFound, Message: "This hub has no ticket system."}
	}
	ctx, cancel := context.WithTimeout(r, companiesIn)
	defer cancel()
	found, err := a.desks.Companies(ctx, connection, text)
	list := List[Company]{Items: []Company{}}
	for _, c := range found[:min(len(found), companiesShown)] {
		list.Items = append(list.Items, Company{ID: c.ID, Name: c.Name})
	}
	return list, err
}

func (a *API) channels(r call, _ none) (List[Channel], error) {
	if err := whole(r.actor); err != nil {
		return List[Channel]{}, err
	}
	list := List[Channel]{Items: []Channel{}}
	if a.teams == nil {
		return list, nil
	}
	for _, c := range a.teams.Channels() {
		list.Items = append(list.Items, Channel{ID: c.ID, Name: c.Name, Team: c.TeamName, Failure: c.Failure})
	}
	return list, nil
}
