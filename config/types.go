package config

import (
	"time"

	"responsehub"
)

// The tags say: yaml the key, default what an absent or empty key means, needed that
// it must not be empty, is what shape the text has (see shape.go), oneof the allowed
// values, keep:"empty" that an empty text is a choice, raw:"yes" that ${NAME} is left
// alone. The comments are the descriptions in the schema.

// Config is the whole file.
type Config struct {
	// Where the hub listens.
	Server Server `yaml:"server"`
	// Where everything is kept.
	Redis Redis `yaml:"redis"`
	// The hub's own key.
	Secrets Secrets `yaml:"secrets" needed:"yes"`
	// The detectors whose alerts are taken.
	Sources []Source `yaml:"sources"`
	// The app that acts in the customers' tenants.
	Microsoft Microsoft `yaml:"microsoft" needed:"yes"`
	// The bot in Teams. Absent: no Teams.
	Teams *Teams `yaml:"teams"`
	// Phone calls and texts. Absent: nobody is called.
	Twilio *Twilio `yaml:"twilio"`
	// Ticket systems.
	PSA []PSA `yaml:"psa"`
	// Mail. Absent: no mail is sent.
	Mail *Mail `yaml:"mail"`
	// The web console.
	Console Console `yaml:"console"`
	// Whose reports they are.
	Brand Brand `yaml:"brand"`
	// What the hub's operator bought.
	Subscription Subscription `yaml:"subscription"`
	// What holds for everything the hub calls.
	Outbound Outbound `yaml:"outbound"`
	// Who may be told and who may act. Seeds the store at first start.
	People []Person `yaml:"people"`
	// Who is on call when, for sequences.
	Schedules []Schedule `yaml:"schedules"`
	// The customers. Seeds the store at first start.
	Tenants []Tenant `yaml:"tenants"`
	// Who is told about alerts for unknown tenants, and when nobody could be reached.
	Fallback Fallback `yaml:"fallback"`
}

// Server is where the hub listens.
type Server struct {
	// Address for alerts, Teams, Twilio, the API and the console.
	Listen string `yaml:"listen" default:":8080" is:"listen"`
	// The address under which the outside reaches the hub. Needed for Twilio, PSA and sign-in to the console; links in notices start with it.
	PublicURL string `yaml:"public_url" is:"url"`
	// Address for metrics and debugging, never to be reachable from outside. Empty: none.
	AdminListen string `yaml:"admin_listen" default:"127.0.0.1:9090" is:"listen" keep:"empty"`
	// Whether /debug/pprof/ is served at admin_listen, for somebody who looks why the hub is slow or large.
	Pprof bool `yaml:"pprof"`
}

// Redis is where everything is kept.
type Redis struct {
	// host:port, or unix:///path. Several for a cluster or for sentinels.
	Addrs []string `yaml:"addrs" default:"127.0.0.1:6379" is:"redis"`
	// Name of the master; addrs are then sentinels.
	MasterName string `yaml:"master_name"`
	// Whether addrs are nodes of a cluster.
	Cluster bool `yaml:"cluster"`
	// User of Redis' access lists.
	Username string `yaml:"username"`
	// Password of the user.
	Password responsehub.Secret `yaml:"password"`
	// Whether to connect with TLS.
	TLS bool `yaml:"tls"`
}

// Secrets holds the hub's own key.
type Secrets struct {
	// 32 bytes in base64 (openssl rand -base64 32). Seals one-time passwords and the hashes of API keys: with another key they are lost.
	Key responsehub.Secret `yaml:"key" needed:"yes"`
}

// Source is a detector.
type Source struct {
	// Last part of its address, /v1/alerts/<name>.
	Name string `yaml:"name" needed:"yes" is:"name"`
	// How it proves who it is.
	Kind string `yaml:"kind" needed:"yes" oneof:"standard-webhooks,header"`
	// Its whsec_ secrets, for standard-webhooks; several during rotation.
	Secrets []responsehub.Secret `yaml:"secrets"`
	// Name of the header with the token, for kind header.
	Header string `yaml:"header"`
	// The token, for kind header.
	Token responsehub.Secret `yaml:"token"`
	// jq expressions by field of the alert, for messages that are not in the hub's format: id, tenant, user and any dotted name.
	Map map[string]string `yaml:"map" raw:"yes"`
	// Asks the source's API what it found, for messages that never arrived. Absent: it is not asked.
	Poll *Poll `yaml:"poll"`
}

// Poll is how a source is asked what it found.
type Poll struct {
	// Whose API it is.
	Kind string `yaml:"kind" default:"petra" oneof:"petra"`
	// Address of the API.
	URL string `yaml:"url" default:"https://api.petrasecurity.com" is:"url"`
	// An API key of the source.
	Key responsehub.Secret `yaml:"key" needed:"yes"`
	// How often it is asked, all replicas together; 10s at least.
	Every time.Duration `yaml:"every" default:"1m"`
}

// Microsoft is the app that acts in the customers' tenants.
type Microsoft struct {
	// Application (client) id of the app.
	ClientID string `yaml:"client_id" needed:"yes" is:"guid"`
	// Its secret. This or certificate is needed.
	ClientSecret responsehub.Secret `yaml:"client_secret"`
	// Its certificate and private key in PEM, normally file:/path.
	Certificate responsehub.Secret `yaml:"certificate"`
	// Address of the sign-in service; https without a path. Other for national clouds.
	Authority string `yaml:"authority" default:"https://login.microsoftonline.com" is:"authority"`
	// Address of Microsoft Graph.
	Graph string `yaml:"graph" default:"https://graph.microsoft.com" is:"url"`
	// Address of Exchange Online.
	Exchange string `yaml:"exchange" default:"https://outlook.office365.com" is:"url"`
}

// Teams is the bot.
type Teams struct {
	// Microsoft App id of the bot.
	AppID string `yaml:"app_id" needed:"yes" is:"guid"`
	// The tenant in which the bot is registered.
	TenantID string `yaml:"tenant_id" needed:"yes" is:"guid"`
	// The bot's secret.
	ClientSecret responsehub.Secret `yaml:"client_secret" needed:"yes"`
	// Address of the sign-in service for the bot; https without a path.
	Login string `yaml:"login" default:"https://login.microsoftonline.com" is:"authority"`
	// Where the keys are published with which Teams signs what it sends.
	OpenID string `yaml:"openid" default:"https://login.botframework.com/v1/.well-known/openidconfiguration" is:"url"`
	// Hosts, without port, to which the bot may answer. Empty: Microsoft's.
	ServiceHosts []string `yaml:"service_hosts" is:"host"`
	// Whether the bot may answer to loopback addresses: for the simulator only.
	AllowLoopback bool `yaml:"allow_loopback"`
}

// Twilio is phone calls and texts.
type Twilio struct {
	// Account SID, AC...
	AccountSID string `yaml:"account_sid" needed:"yes" is:"twilio_account"`
	// API key SID, SK...
	APIKey string `yaml:"api_key" needed:"yes" is:"twilio_key"`
	// Secret of the API key.
	APISecret responsehub.Secret `yaml:"api_secret" needed:"yes" is:"twilio_secret"`
	// Auth tokens with which Twilio signs what it sends; two during rotation.
	AuthTokens []responsehub.Secret `yaml:"auth_tokens" needed:"yes"`
	// The number that calls.
	From string `yaml:"from" needed:"yes" is:"phone"`
	// Messaging service for texts. Empty: texts come from the number that calls.
	MessagingServiceSID string `yaml:"messaging_service_sid" is:"twilio_service"`
	// Address of Twilio's API.
	API string `yaml:"api" default:"https://api.twilio.com" is:"url"`
	// Calls that the account may start in a second; Twilio raises it on request.
	CallsPerSecond int `yaml:"calls_per_second" default:"1"`
	// Segments of texts that the sender may send in a second: 1 for a long number in the US.
	TextsPerSecond int `yaml:"texts_per_second" default:"1"`
}

// Mail is the server through which mail goes out.
type Mail struct {
	// smtp://user:password@host:587 (STARTTLS) or smtps://...:465.
	SMTP responsehub.Secret `yaml:"smtp" needed:"yes"`
	// The sender's address.
	From string `yaml:"from" needed:"yes" is:"mail"`
}

// Console is the web console.
type Console struct {
	// Sign-in with OpenID Connect. Absent: none but with an API key.
	OIDC *OIDC `yaml:"oidc"`
}

// Brand is how reports are signed.
type Brand struct {
	// Name of the MSP.
	Name string `yaml:"name"`
	// How customers reach it: a mail address, a phone number.
	Contact string `yaml:"contact"`
	// Path of a PNG or a JPEG, up to 2 MB; not SVG.
	Logo string `yaml:"logo"`
}

// OIDC is sign-in with OpenID Connect.
type OIDC struct {
	// The issuer's address.
	Issuer string `yaml:"issuer" needed:"yes" is:"url"`
	// The console's client id.
	ClientID string `yaml:"client_id" needed:"yes"`
	// The console's secret.
	ClientSecret responsehub.Secret `yaml:"client_secret" needed:"yes"`
	// Claim with the hub's roles. Empty: roles come from people only.
	RolesClaim string `yaml:"roles_claim"`
	// Claim with the names of the tenants that such a person sees. Empty, or not in the token: all, and none for a guest.
	TenantsClaim string `yaml:"tenants_claim"`
}

// Subscription is what the hub's operator bought.
type Subscription struct {
	// End of a trial, RFC 3339 or a day. Afterwards no tenant can be added and no product switched; remediation goes on. Absent: there is no trial.
	TrialEnds time.Time `yaml:"trial_ends"`
}

// Outbound holds for everything the hub calls. HTTPS_PROXY is honoured.
type Outbound struct {
	// PEM file with further trust roots: for proxies that look into TLS, and simulators.
	CAFile string `yaml:"ca_file"`
}

// Person is somebody who may be told or may act.
type Person struct {
	// Short stable id, by which sequences refer to the person.
	ID string `yaml:"id" needed:"yes" is:"name"`
	// As shown to others.
	Name string `yaml:"name" needed:"yes"`
	// Microsoft Entra object id: needed to act in Teams.
	EntraObjectID string `yaml:"entra_object_id" is:"guid"`
	// Number in E.164: needed to be called.
	Phone string `yaml:"phone" is:"phone"`
	// Mail address.
	Email string `yaml:"email" is:"mail"`
	// What the person may do. A guest reads, and only named tenants.
	Role string `yaml:"role" needed:"yes" oneof:"admin,responder,reader,guest"`
	// Names of tenants, or * for all.
	Tenants []string `yaml:"tenants"`
	// Where the person is, such as Europe/Berlin: for times of day. Empty: UTC.
	TimeZone string `yaml:"time_zone"`
	// Language that is spoken on the phone, such as en. Empty: English.
	Language string `yaml:"language"`
}

// Schedule says which of several people is on call. Sequences name it like a person.
type Schedule struct {
	// Short stable id; no person may have it.
	ID string `yaml:"id" needed:"yes" is:"name"`
	// Zone of the hours, such as Europe/Berlin.
	TimeZone string `yaml:"time_zone" needed:"yes"`
	// Hours of the week. Where several have somebody the last one counts.
	Layers []Layer `yaml:"layers" needed:"yes"`
	// Holidays and swaps: they beat the layers.
	Overrides []Override `yaml:"overrides"`
}

// Layer is hours of the week in which people take turns.
type Layer struct {
	// Ids of people, who take turns in this order.
	People []string `yaml:"people" needed:"yes"`
	// Day of the first handover, 2026-01-05.
	Since string `yaml:"since" needed:"yes"`
	// How many weeks each person has.
	Weeks int `yaml:"weeks" default:"1" least:"1"`
	// Days on which the hours begin: mon, tue, wed, thu, fri, sat, sun. Empty: every day.
	Days []string `yaml:"days"`
	// When the hours begin, 18:00. Empty: the whole day.
	From string `yaml:"from"`
	// When they end, 08:00; not after from: the day after.
	To string `yaml:"to"`
}

// Override puts one person on call.
type Override struct {
	// Id of the person.
	Person string `yaml:"person" needed:"yes"`
	// RFC 3339 or a day.
	From time.Time `yaml:"from" needed:"yes"`
	// RFC 3339 or a day.
	To time.Time `yaml:"to" needed:"yes"`
}

// Tenant is a customer.
type Tenant struct {
	// As people call it.
	Name string `yaml:"name" needed:"yes"`
	// Microsoft Entra tenant id.
	MicrosoftTenantID string `yaml:"microsoft_tenant_id" needed:"yes" is:"guid"`
	// Its id at each source.
	SourceIDs map[string]string `yaml:"source_ids"`
	// Whether lock, retract and persistence run by themselves the moment an alert is in.
	Response bool `yaml:"response"`
	// What the tenant bought: response is everything; with notify people are told and press the steps, and nothing runs by itself. tenant apply leaves it as it is where it is left out; after the end of a trial it cannot be switched.
	Product string `yaml:"product" default:"response" oneof:"response,notify"`
	// Object id of a cloud-only security group whose members a Conditional Access policy shuts out. Locked accounts are put into it, which survives directory sync. Empty: none.
	LockGroup string `yaml:"lock_group" is:"guid"`
	// Who resets passwords: cloud is the hub, for cloud accounts; writeback is the hub, also for accounts from on-premises AD, in the name of a person who signs in once (responsehub tenant sign-in); manual is a person, for all. Accounts from on-premises AD are reset by hand in cloud and manual.
	PasswordMode string `yaml:"password_mode" default:"cloud"`
	// What bounds that which runs by itself.
	Limits Limits `yaml:"limits"`
	// Principal names or object ids of accounts that are never locked by themselves. People may lock them.
	BreakGlass []string `yaml:"break_glass"`
	// Principal names or object ids of accounts for which two people have to ask for lock, password and re-enable; admins stands for every account with a directory role.
	SecondPersonFor []string `yaml:"second_person_for"`
	// Who is told, and how.
	Notify Notify `yaml:"notify"`
	// A trial, if it is one. Its end never stops remediation.
	Trial *Trial `yaml:"trial"`
}

// Limits bound what runs by itself in a tenant.
type Limits struct {
	// How many accounts may be locked by themselves within any hour. 0 is none: people lock.
	AutomaticLocksPerHour int `yaml:"automatic_locks_per_hour" default:"20" least:"0"`
}

// Trial is a tenant on trial.
type Trial struct {
	// RFC 3339 or a day.
	Ends time.Time `yaml:"ends" needed:"yes"`
}

// Notify says who is told about a tenant's incidents, and how.
type Notify struct {
	// Teams channels by id, 19:...@thread.tacv2.
	Teams []string `yaml:"teams" is:"channel"`
	// Who is called, in which order.
	Phone *Phone `yaml:"phone"`
	// Mail addresses.
	Mail []string `yaml:"mail" is:"mail"`
	// Where tickets go: one section, or a list of them for a ticket in each of several ticket systems.
	PSA []Desk `yaml:"psa" single:"yes"`
	// Incoming webhooks of Slack. Whoever has such an address can post: it is a secret.
	Slack []responsehub.Secret `yaml:"slack" is:"url"`
	// Addresses that get every event as a signed message.
	Webhooks []responsehub.Secret `yaml:"webhooks" is:"url"`
}

// Phone is a sequence of calls.
type Phone struct {
	// Ids of people and schedules, in order.
	Sequence []string `yaml:"sequence" needed:"yes"`
	// How long until the next person is called.
	Wait time.Duration `yaml:"wait" default:"3m"`
	// How often the sequence is gone through.
	Rounds int `yaml:"rounds" default:"3"`
	// How long a phone rings. More than 25 s often ends at a voicemail.
	Ring time.Duration `yaml:"ring" default:"25s"`
	// When a call that nobody answered is repeated, after the first one.
	Redial time.Duration `yaml:"redial" default:"75s"`
	// When the fallback contacts hear that nobody has been reached, unless everybody was tried before.
	Nobody time.Duration `yaml:"nobody" default:"15m"`
	// When people are called again after somebody acknowledged and started nothing.
	Start time.Duration `yaml:"start" default:"10m"`
}

// Desk is where a tenant's tickets go.
type Desk struct {
	// Name of the connection under psa.
	Connection string `yaml:"connection" needed:"yes"`
	// ConnectWise: company identifier. Others: company name. Empty: the connection's catch_all_company.
	Company string `yaml:"company"`
	// Whether closing the ticket by hand marks the incident as remediated once all its steps are settled. It never runs a step.
	CloseOnTicketClose bool `yaml:"close_on_ticket_close"`
}

// Fallback is who is told when nobody else can be.
type Fallback struct {
	// Mail addresses.
	Mail []string `yaml:"mail" is:"mail"`
	// Ids of people who are called.
	Phone []string `yaml:"phone"`
	// Teams channels by id.
	Teams []string `yaml:"teams" is:"channel"`
}
