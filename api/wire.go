package api

import (
	"encoding/json"
	"time"

	"responsehub"
)

// Incident is an incident as programs see it. Sealed values, snapshots and what the hub
// keeps for its own work are not part of it.
type Incident struct {
	ID           string                    `json:"id"`
	Ref          string                    `json:"ref" doc:"short name for people; works in every path too"`
	Tenant       responsehub.TenantRef     `json:"tenant"`
	State        responsehub.IncidentState `json:"state"`
	Response     bool                      `json:"response" doc:"the tenant's switch when the incident was opened"`
	Account      responsehub.Account       `json:"account"`
	Severity     responsehub.Severity      `json:"severity"`
	Title        string                    `json:"title"`
	Summary      string                    `json:"summary,omitempty"`
	Link         string                    `json:"link,omitempty"`
	Source       string                    `json:"source"`
	Alerts       []string                  `json:"alerts" doc:"the detector's ids that were joined into it"`
	Evidence     []responsehub.Evidence    `json:"evidence,omitempty"`
	OpenedAt     time.Time                 `json:"opened_at"`
	ClosedAt     time.Time                 `json:"closed_at,omitzero"`
	Acknowledged *Acknowledged             `json:"acknowledged,omitempty"`
	FalseAlarm   *Withdrawal               `json:"false_alarm,omitempty" doc:"a false alarm that was declared, and how far it is taken back"`
	Steps        []Step                    `json:"steps"`
	Watch        *Watch                    `json:"watch,omitempty" doc:"how a verified lock is looked after until step 5"`
	Todos        []Todo                    `json:"todos,omitempty" doc:"what only people can do, such as in on-premises AD"`
	Times        Times                     `json:"times"`
	Revision     int64                     `json:"revision" doc:"grows with every change"`
}

// Acknowledged says who took the incident first.
type Acknowledged struct {
	By  string              `json:"by"`
	At  time.Time           `json:"at"`
	Via responsehub.Surface `json:"via"`
}

// Times are the stages of the time to lock; requested, sent and verified are those of
// the lock step.
type Times struct {
	Detected  time.Time `json:"detected"`
	Received  time.Time `json:"received"`
	Requested time.Time `json:"requested,omitzero"`
	Sent      time.Time `json:"sent,omitzero"`
	Verified  time.Time `json:"verified,omitzero"`
}

// Watch is how the hub looks after a lock and does it again when it was undone.
type Watch struct {
	Since     time.Time  `json:"since"`
	CheckedAt time.Time  `json:"checked_at,omitzero" doc:"the last look that got an answer"`
	Checks    int        `json:"checks"`
	Synced    bool       `json:"synced" doc:"the account comes from on-premises AD, whose sync may undo the lock"`
	Roles     []string   `json:"roles,omitempty" doc:"directory roles of the account: it is an administrator's"`
	Reversed  int        `json:"reversed" doc:"how often the lock was undone and done again"`
	Reversals []Reversal `json:"reversals,omitempty" doc:"the latest of them"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
	Sentence  string     `json:"sentence" doc:"all this for people"`
}

// Reversal is a lock that was undone and done again.
type Reversal struct {
	SeenAt   time.Time `json:"seen_at"`
	LockedAt time.Time `json:"locked_at" doc:"read back"`
	Why      string    `json:"why"`
}

// Todo is something that only a person can do.
type Todo struct {
	ID     string    `json:"id"`
	Text   string    `json:"text"`
	Done   bool      `json:"done"`
	DoneBy string    `json:"done_by,omitempty" doc:"whose word it is"`
	DoneAt time.Time `json:"done_at,omitzero"`
}

// TickBody says that a to-do is done.
type TickBody struct {
	CommandID string `json:"command_id,omitempty"`
}

// Step is one of the seven steps.
type Step struct {
	ID          responsehub.StepID    `json:"id"`
	Title       string                `json:"title"`
	State       responsehub.StepState `json:"state"`
	Items       []Item                `json:"items"`
	Blocked     string                `json:"blocked" doc:"what has to happen before the step can be asked for; empty when it can be now"`
	RequestedAt time.Time             `json:"requested_at,omitzero"`
	RequestedBy string                `json:"requested_by,omitempty"`
	SentAt      time.Time             `json:"sent_at,omitzero" doc:"when Microsoft accepted it"`
	VerifiedAt  time.Time             `json:"verified_at,omitzero" doc:"when its effect was read back"`
	Proof       *responsehub.Proof    `json:"proof,omitempty"`
	Reason      string                `json:"reason,omitempty" doc:"why it failed, waits or was set aside"`
	Undo        bool                  `json:"undo,omitempty" doc:"the last request was to take the step back"`
	ByHand      bool                  `json:"by_hand,omitempty" doc:"done by a person, whose word it is"`
	Held        bool                  `json:"held,omitempty" doc:"not run by itself although Response is on; the reason says why, and it waits for a person"`
	AskedFirst  string                `json:"asked_first_by,omitempty" doc:"this person asked; a second one has to ask too"`
	Reversal    string                `json:"reversal,omitempty" doc:"what an undo would do; left out when there is nothing to take back"`
	Lasting     []string              `json:"irreversible,omitempty" doc:"what of the step an undo cannot take back"`
	Note        string                `json:"note,omitempty" doc:"how the step is done, such as where and by what phish is looked for"`
	Progress    *responsehub.Progress `json:"progress,omitempty"`
	Lacks       string                `json:"lacks,omitempty" doc:"what the tenant's last preflight found missing that the waiting step needs"`
}

// Item is one thing inside a step: a rule, an app, a connector, a message.
type Item struct {
	ID      string                `json:"id"`
	Kind    responsehub.ItemKind  `json:"kind"`
	Name    string                `json:"name"`
	State   responsehub.StepState `json:"state"`
	Why     string                `json:"why" doc:"why it is suspected, or why it could not be settled"`
	Effect  string                `json:"effect,omitempty" doc:"what disabling it does"`
	MadeAt  time.Time             `json:"made_at,omitzero" doc:"when it was made or last changed, where Microsoft tells"`
	MadeBy  string                `json:"made_by,omitempty" doc:"who made it, where Microsoft tells"`
	Mailbox string                `json:"mailbox,omitempty"`
	Action  responsehub.Action    `json:"action,omitempty" doc:"what was done to it"`
	By      string                `json:"by,omitempty"`
	At      time.Time             `json:"at,omitzero"`
	Proof   *responsehub.Proof    `json:"proof,omitempty"`
}

// List is one page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"cursor of the next page; empty at the end"`
}

// StepBody asks for a step.
type StepBody struct {
	CommandID  string             `json:"command_id,omitempty" doc:"made up by the caller: the same one twice for the same step has the effect of once"`
	Items      []string           `json:"items,omitempty" doc:"ids of the items meant; none is all"`
	Action     responsehub.Action `json:"action,omitempty" doc:"for persistence; disable when empty"`
	Skip       bool               `json:"skip,omitempty" doc:"set the items, or the step, aside; needs a reason"`
	Reason     string             `json:"reason,omitempty" doc:"needed to set aside, and to do again what is done"`
	Everywhere bool               `json:"everywhere,omitempty" doc:"for retract: search all mailboxes, not only those that the message trace names"`
	Preview    bool               `json:"preview,omitempty" doc:"for retract: search and count, move nothing; ask again without it to move"`
	Done       bool               `json:"done,omitempty" doc:"for password: a person has reset it by hand; needs a reason"`
}

// Letter is one message that a retraction found.
type Letter struct {
	Mailbox   string                `json:"mailbox" doc:"object id of its owner"`
	Address   string                `json:"address,omitempty"`
	ID        string                `json:"id" doc:"immutable id: it survives moves"`
	MessageID string                `json:"internet_message_id,omitempty"`
	Subject   string                `json:"subject,omitempty"`
	Folder    string                `json:"folder,omitempty" doc:"id of the folder in which it lay"`
	Read      bool                  `json:"read" doc:"whether it was read then"`
	Rule      responsehub.Rule      `json:"rule,omitempty" doc:"by what it was recognised: message_id, or sender (with subject and time)"`
	State     responsehub.StepState `json:"state"`
	Moved     bool                  `json:"moved" doc:"the hub moved it"`
	Why       string                `json:"why,omitempty" doc:"why it was left, or could not be moved"`
	At        time.Time             `json:"at,omitzero" doc:"when that was settled"`
	RequestID string                `json:"request_id,omitempty" doc:"Microsoft's id of the read that proves it"`
}

// AcknowledgeBody takes an incident.
type AcknowledgeBody struct {
	CommandID string `json:"command_id,omitempty"`
}

// Answer is the incident after a request, and the sentence for whoever asked.
type Answer struct {
	Incident
	Sentence string `json:"sentence"`
	Joined   bool   `json:"joined" doc:"somebody had asked before: one effect, the sentence says who"`
}

// Revealed is a one-time password. It is the only secret in any answer.
type Revealed struct {
	Password string `json:"password"`
	For      string `json:"for"`
	Advice   string `json:"advice"`
}

// Tenant is a customer.
type Tenant struct {
	ID                string              `json:"id"`
	Name              string              `json:"name"`
	MicrosoftTenantID string              `json:"microsoft_tenant_id"`
	SourceIDs         map[string]string   `json:"source_ids,omitempty" doc:"its id at each detector"`
	Response          bool                `json:"response" doc:"steps 1 to 3 run by themselves"`
	Product           responsehub.Product `json:"product" doc:"response: everything; notify: people are told and press the steps"`
	Paused            *Paused             `json:"paused,omitempty" doc:"nothing runs by itself at this tenant; left out while it is not paused"`
	LockGroup         string              `json:"lock_group,omitempty" doc:"object id of the group into which locked accounts are put"`
	Guards
	Notify    Notify   `json:"notify"`
	Readiness *Summary `json:"readiness,omitempty" doc:"what the last preflight found; left out while nobody has looked"`
	Trial     *Trial   `json:"trial,omitempty"`
	Offer     *Offer   `json:"offer,omitempty" doc:"in the answer to a change that turns Response on: the open incidents on which run-open would run steps"`
}

// Offer says that incidents were open when Response was turned on.
type Offer struct {
	Incidents []string `json:"incidents" doc:"their refs"`
	Sentence  string   `json:"sentence"`
}

// Paused says who paused a tenant.
type Paused struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Guards bound what is done to a tenant's accounts, and by whom.
type Guards struct {
	PasswordMode    responsehub.PasswordMode `json:"password_mode,omitempty" doc:"who resets passwords: cloud (the hub, for cloud accounts), writeback (the hub, also for accounts from on-premises AD, in the name of a person who signed in) or manual (a person); cloud when left out"`
	LocksPerHour    *int                     `json:"automatic_locks_per_hour,omitempty" doc:"how many accounts may be locked by themselves within any hour, 0 to 1000; 20 when left out"`
	BreakGlass      []string                 `json:"break_glass,omitempty" doc:"principal names or object ids of accounts that are never locked by themselves"`
	SecondPersonFor []string                 `json:"second_person_for,omitempty" doc:"principal names or object ids of accounts for which two people have to ask for lock, password and reenable; admins is every account with a directory role"`
}

// Settings are the switches of the whole hub.
type Settings struct {
	Automatic bool      `json:"automatic" doc:"steps run by themselves where a tenant's Response is on"`
	ChangedBy string    `json:"changed_by,omitempty" doc:"who stopped all automatic action"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

// SettingsChange changes the switches of the whole hub.
type SettingsChange struct {
	Automatic bool `json:"automatic" need:"true" doc:"false: nothing runs by itself at any tenant until it is true again"`
}

// Notify says who is told about a tenant's incidents.
type Notify struct {
	Teams    []string          `json:"teams,omitempty" doc:"channel ids, 19:...@thread.tacv2"`
	Phone    *Phone            `json:"phone,omitempty"`
	Mail     []string          `json:"mail,omitempty"`
	PSA      responsehub.Desks `json:"psa,omitempty" doc:"where tickets go: one object, or a list for a ticket at each of several connections"`
	Slack    []string          `json:"slack,omitempty" doc:"addresses of incoming webhooks; an answer names only their hosts"`
	Webhooks []string          `json:"webhooks,omitempty" doc:"addresses that get every event; an answer names only their hosts"`
}

// Phone is a phone sequence.
type Phone struct {
	Sequence  []string   `json:"sequence" need:"true" doc:"ids of people and schedules, in order"`
	Wait      string     `json:"wait,omitempty" doc:"until the next person is called, such as 90s; 3m when left out"`
	Rounds    int        `json:"rounds,omitempty" doc:"how often the sequence is gone through; 3 when left out"`
	Ring      string     `json:"ring,omitempty" doc:"how long a phone rings; 25s when left out"`
	Redial    string     `json:"redial,omitempty" doc:"when a call that nobody answered is repeated, after the first one; 75s when left out"`
	Nobody    string     `json:"nobody,omitempty" doc:"until the fallback contacts hear that nobody has been reached; 15m when left out"`
	Start     string     `json:"start,omitempty" doc:"until people are called again after somebody acknowledged and started nothing; 10m when left out"`
	Schedules []Schedule `json:"schedules,omitempty" doc:"those that the sequence names"`
}

// Schedule says who of several people is on call: layers that repeat weekly, of which a
// later one beats an earlier one, and overrides that beat the layers.
type Schedule struct {
	ID        string     `json:"id" need:"true" doc:"no person may have it"`
	TimeZone  string     `json:"time_zone" need:"true" doc:"IANA name of the zone of the hours, such as Europe/Berlin"`
	Layers    []Layer    `json:"layers" need:"true"`
	Overrides []Override `json:"overrides,omitempty" doc:"holidays and swaps; of several the last one counts"`
}

// Layer is hours of the week in which people take turns.
type Layer struct {
	People []string `json:"people" need:"true" doc:"ids of people, who take turns in this order"`
	Since  string   `json:"since" need:"true" doc:"day of the first handover, such as 2026-01-05"`
	Weeks  int      `json:"weeks,omitempty" doc:"how many weeks each person has; 1 when left out"`
	Days   []string `json:"days,omitempty" doc:"days on which the hours begin: sun, mon, tue, wed, thu, fri, sat; every day when left out"`
	From   string   `json:"from,omitempty" doc:"when the hours begin, such as 18:00; the whole day when left out"`
	To     string   `json:"to,omitempty" doc:"when they end, such as 08:00; not after from: the day after"`
}

// Override puts one person on call.
type Override struct {
	Person string    `json:"person" need:"true"`
	From   time.Time `json:"from" need:"true"`
	To     time.Time `json:"to" need:"true"`
}

// Trial is a trial's end.
type Trial struct {
	Ends time.Time `json:"ends" need:"true"`
}

// TenantChange changes what it names of a tenant and leaves the rest.
type TenantChange struct {
	Response        *bool                     `json:"response,omitempty" doc:"steps 1 to 3 run by themselves"`
	Paused          *bool                     `json:"paused,omitempty" doc:"nothing runs by itself at this tenant until it is resumed; alerts open incidents and people are told"`
	Product         *responsehub.Product      `json:"product,omitempty" doc:"notify turns Response off"`
	LockGroup       *string                   `json:"lock_group,omitempty"`
	PasswordMode    *responsehub.PasswordMode `json:"password_mode,omitempty"`
	LocksPerHour    *int                      `json:"automatic_locks_per_hour,omitempty"`
	BreakGlass      *[]string                 `json:"break_glass,omitempty"`
	SecondPersonFor *[]string                 `json:"second_person_for,omitempty"`
	Notify          *Notify                   `json:"notify,omitempty" doc:"replaces all of it; an address that an answer shortened stands for the one that is kept"`
}

// Removed names what was taken off a list.
type Removed struct {
	ID       string `json:"id"`
	Sentence string `json:"sentence"`
}

// PersonBody is what is kept of a person.
type PersonBody struct {
	Name          string           `json:"name" need:"true"`
	EntraObjectID string           `json:"entra_object_id,omitempty"`
	Phone         string           `json:"phone,omitempty"`
	Email         string           `json:"email,omitempty"`
	Role          responsehub.Role `json:"role" need:"true"`
	Tenants       []string         `json:"tenants" need:"true" doc:"tenant names, or * for all"`
	TimeZone      string           `json:"time_zone,omitempty" doc:"IANA name"`
	Language      string           `json:"language,omitempty" doc:"BCP 47; English when left out"`
}

// Key is an API key, without the key.
type Key struct {
	ID      string           `json:"id"`
	Name    string           `json:"name"`
	Role    responsehub.Role `json:"role"`
	Tenants []string         `json:"tenants"`
	Created time.Time        `json:"created"`
}

// KeyBody asks for a key.
type KeyBody struct {
	Name    string           `json:"name" need:"true" doc:"what the key is for; stands in the record of what it did"`
	Role    responsehub.Role `json:"role" need:"true" doc:"admin, responder or reader"`
	Tenants []string         `json:"tenants,omitempty" doc:"names or ids; none is all"`

	CommandID string `json:"command_id,omitempty" doc:"made up by the caller: the same one twice makes one key; the second time is a 409 that names it, since a key is shown once"`
}

// MadeKey is a key that was made.
type MadeKey struct {
	Key
	Plain string `json:"key" doc:"the key itself: it is in no other answer"`
}

// Roster is the tenants and people of a configuration file.
type Roster struct {
	Tenants []RosterTenant `json:"tenants,omitempty"`
	People  []Person       `json:"people,omitempty"`
}

// RosterTenant is a tenant as the configuration file writes it.
type RosterTenant struct {
	Name              string               `json:"name" need:"true"`
	MicrosoftTenantID string               `json:"microsoft_tenant_id" need:"true"`
	SourceIDs         map[string]string    `json:"source_ids,omitempty"`
	Response          *bool                `json:"response,omitempty" doc:"left out: stays as it is, off for a new tenant"`
	Product           *responsehub.Product `json:"product,omitempty" doc:"left out: stays as it is, response for a new tenant"`
	LockGroup         string               `json:"lock_group,omitempty" doc:"object id of a cloud-only group whose members a Conditional Access policy shuts out"`
	Guards
	Notify Notify `json:"notify,omitzero"`
	Trial  *Trial `json:"trial,omitempty"`
}

// Person is somebody who may be told or may act.
type Person struct {
	ID            string           `json:"id" need:"true"`
	Name          string           `json:"name" need:"true"`
	EntraObjectID string           `json:"entra_object_id,omitempty"`
	Phone         string           `json:"phone,omitempty"`
	Email         string           `json:"email,omitempty"`
	Role          responsehub.Role `json:"role" need:"true"`
	Tenants       []string         `json:"tenants" need:"true" doc:"tenant names, or * for all"`
	TimeZone      string           `json:"time_zone,omitempty" doc:"IANA name"`
	Language      string           `json:"language,omitempty" doc:"BCP 47; English when left out"`
}

// Applied counts what was taken from a roster.
type Applied struct {
	Tenants int `json:"tenants"`
	People  int `json:"people"`
}

// DeadLane is work that was given up and waits for a person.
type DeadLane struct {
	ID       string           `json:"id" doc:"to retry it; holds a |, percent-encode it in a path"`
	Incident string           `json:"incident"`
	Lane     responsehub.Lane `json:"lane"`
	State    string           `json:"state"`
	Error    string           `json:"error"`
	Attempts int              `json:"attempts"`
	DiedAt   time.Time        `json:"died_at"`
}

// Retried names a lane that was started again.
type Retried struct {
	ID       string `json:"id"`
	Sentence string `json:"sentence"`
}

// Event is one entry of the record, as stored: its bytes are what the next entry's
// "prev" hashes.
type Event = json.RawMessage

// storedEvent describes an Event for the OpenAPI document.
type storedEvent struct{ responsehub.Event }
