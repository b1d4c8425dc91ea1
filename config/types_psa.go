package config

import "responsehub"

// PSA is a connection to a ticket system. Which keys are needed depends on the kind.
type PSA struct {
	// Name by which tenants refer to it; the last but one part of its webhook address.
	Name string `yaml:"name" needed:"yes" is:"name"`
	// The product.
	Kind string `yaml:"kind" needed:"yes" oneof:"connectwise,autotask,halopsa"`
	// ConnectWise: address of the site.
	Site string `yaml:"site" is:"url"`
	// ConnectWise: company id used at login.
	Company string `yaml:"company"`
	// ConnectWise: public key of the API member.
	PublicKey string `yaml:"public_key"`
	// ConnectWise: private key of the API member.
	PrivateKey responsehub.Secret `yaml:"private_key"`
	// ConnectWise: the integrator's client id. HaloPSA: the application's client id.
	ClientID string `yaml:"client_id"`
	// ConnectWise: name of the service board.
	Board string `yaml:"board"`
	// Autotask: base of the zone's address, before /ATServicesRest.
	ZoneURL string `yaml:"zone_url" is:"url"`
	// Autotask: user name of the API user.
	Username string `yaml:"username"`
	// Autotask: password of the API user.
	Secret responsehub.Secret `yaml:"secret"`
	// Autotask: tracking identifier.
	IntegrationCode responsehub.Secret `yaml:"integration_code"`
	// Autotask: name of the queue.
	Queue string `yaml:"queue"`
	// Autotask: the most calls an hour that the hub makes, all its replicas together, of the 10,000 that Autotask allows all integrations of a database; 100 at least. It makes fewer as others use them up. 0: 1000.
	CallsPerHour int `yaml:"calls_per_hour" default:"0" least:"0" most:"5000"`
	// HaloPSA: address of the instance.
	URL string `yaml:"url" is:"url"`
	// HaloPSA: address of the authorisation server, if it is not the instance's own: https://auth.example/auth. Empty: /auth of url.
	AuthURL string `yaml:"auth_url" is:"url"`
	// HaloPSA: name of the tenant, which hosted instances show beside the authorisation server. Empty: none.
	Tenant string `yaml:"tenant"`
	// HaloPSA: secret of the application.
	ClientSecret responsehub.Secret `yaml:"client_secret"`
	// HaloPSA: name of the team.
	Team string `yaml:"team"`
	// Names of the statuses that a ticket goes through. An empty one leaves the ticket's status alone at that stage.
	Statuses Statuses `yaml:"statuses"`
	// Names of priorities in the ticket system by severity: critical, high, medium, low. A severity without one gets what the board or queue gives.
	Priorities map[string]string `yaml:"priorities"`
	// Name of the ticket type: ConnectWise type of the board, Autotask ticket category, HaloPSA ticket type. Empty: as the board or queue gives.
	Type string `yaml:"type"`
	// ConnectWise, Autotask: name of the ticket's source in the ticket system. Empty: none.
	Source string `yaml:"source"`
	// Who reads the hub's notes: internal is the service desk only, public the customer too.
	Publish string `yaml:"publish" default:"internal" oneof:"internal,public"`
	// For how many days a closed ticket is opened again when its incident goes on; later a new one is made that names it. 0: always a new one.
	ReopenDays int `yaml:"reopen_days" default:"7" least:"0"`
	// What a person does with the ticket to acknowledge the incident: assignment is taking it, status is setting it to another status. Empty: nothing does.
	AcknowledgeOn string `yaml:"acknowledge_on" oneof:"assignment,status"`
	// Whether closing the ticket by hand marks the incident as remediated once all its steps are settled, for every tenant of the connection. It never runs a step.
	CloseOnTicketClose bool `yaml:"close_on_ticket_close"`
	// Company for tickets of tenants that name none, and of unknown tenants.
	CatchAllCompany string `yaml:"catch_all_company"`
}

// Statuses are names in the ticket system.
type Statuses struct {
	// Nobody has answered yet.
	New string `yaml:"new"`
	// Steps run or were asked for.
	Working string `yaml:"working"`
	// Steps 1 to 3 are done.
	Contained string `yaml:"contained"`
	// A person has to act.
	Waiting string `yaml:"waiting"`
	// Remediated.
	Closed string `yaml:"closed"`
	// Closed, and the incident goes on.
	Reopened string `yaml:"reopened"`
}
