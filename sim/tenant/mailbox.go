package tenant

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Mailbox is one cloud mailbox.
type Mailbox struct {
	// Excluded mailboxes answer 403 ErrorAccessDenied to the app (RBAC for Applications).
	Excluded bool       `json:"excluded"`
	Folders  []*Folder  `json:"folders"`
	Messages []*Message `json:"messages"`
	Rules    []*Rule    `json:"rules"`
	Sweeps   []*Sweep   `json:"sweep_rules,omitempty"`
	Shares   []Share    `json:"inbox_permissions,omitempty"`
	Purged   []*Message `json:"purged"` // gone to Recoverable Items, out of the user's sight
}

// Folder is one mail folder; its id never changes.
type Folder struct {
	ID        string `json:"id"`
	WellKnown string `json:"well_known"` // inbox, deleteditems, ...
	Name      string `json:"display_name"`
}

// Message is one mail item. ID changes with every move, ImmutableID does not.
// https://learn.microsoft.com/graph/outlook-immutable-id
type Message struct {
	ID                string    `json:"id"`
	ImmutableID       string    `json:"immutable_id"`
	FolderID          string    `json:"folder_id"`
	InternetMessageID string    `json:"internet_message_id"`
	From              string    `json:"from"`
	FromName          string    `json:"from_name"`
	To                []string  `json:"to"`
	Subject           string    `json:"subject"`
	Preview           string    `json:"preview"`
	Received          time.Time `json:"received"`
	Read              bool      `json:"read"`
	Moves             int       `json:"moves"`
}

// Rule is one inbox rule. Conditions and Actions are Graph's messageRulePredicates and
// messageRuleActions.
type Rule struct {
	ID         string         `json:"id"`
	Number     uint64         `json:"number"` // the rule's identity in Exchange PowerShell
	Name       string         `json:"name"`
	Sequence   int            `json:"sequence"`
	Enabled    bool           `json:"enabled"`
	ReadOnly   bool           `json:"read_only"`
	HasError   bool           `json:"has_error"`
	Hidden     bool           `json:"hidden"` // only Exchange PowerShell with IncludeHidden sees it
	Conditions map[string]any `json:"conditions"`
	Actions    map[string]any `json:"actions"`
}

var wellKnown = [][2]string{
	{"inbox", "Inbox"}, {"deleteditems", "Deleted Items"}, {"sentitems", "Sent Items"}, {"drafts", "Drafts"},
	{"junkemail", "Junk Email"}, {"archive", "Archive"}, {"outbox", "Outbox"}, {"conversationhistory", "Conversation History"}, {"", "RSS Feeds"},
}

func newMailbox(w *World) *Mailbox {
	m := &Mailbox{}
	for _, f := range wellKnown {
		m.Folders = append(m.Folders, &Folder{ID: w.newItemID("AQMkAD"), WellKnown: f[0], Name: f[1]})
	}
	return m
}

// FindFolder returns a folder by id or well-known name, or nil. Ids are case-sensitive, well-known
// names are not. The caller holds the lock.
func FindFolder(m *Mailbox, key string) *Folder {
	for _, f := range m.Folders {
		if f.ID == key || (f.WellKnown != "" && strings.EqualFold(f.WellKnown, key)) {
			return f
		}
	}
	return nil
}

// FindMessage returns a message by its present id or its immutable id, or nil. The caller holds the lock.
func FindMessage(m *Mailbox, id string) *Message {
	for _, msg := range m.Messages {
		if msg.ID == id || msg.ImmutableID == id {
			return msg
		}
	}
	return nil
}

// Move puts a message into another folder, which gives it a new (changing) id. The caller holds the lock.
func Move(u *User, msg *Message, f *Folder) {
	msg.FolderID = f.ID
	msg.ID = u.t.w.newItemID("AAMkAD")
	msg.Moves++
}

// Deliver puts a message into the user's inbox (or into the folder named in FolderID) and into the
// message trace, and returns it. Without mailbox only the trace gets a row and nil is returned.
func (u *User) Deliver(msg Message) *Message {
	w := u.t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if msg.Received.IsZero() {
		msg.Received = time.Now().UTC()
	}
	msg.Received = msg.Received.Truncate(time.Second)
	if msg.InternetMessageID == "" {
		msg.InternetMessageID = fmt.Sprintf("<%s@mail.example>", w.newID("internet"))
	}
	if len(msg.To) == 0 {
		msg.To = []string{u.Mail}
	}
	status := "delivered"
	if u.Mailbox == nil {
		status = "failed"
	}
	u.t.Traces = append(u.t.Traces, Trace{
		ID: w.newID("trace"), InternetMessageID: msg.InternetMessageID, Sender: msg.From, Recipient: u.Mail, Subject: msg.Subject,
		Received: msg.Received, FromIP: "203.0.113.10", Status: status,
	})
	if u.Mailbox == nil {
		return nil
	}
	return u.put(msg)
}

// put stores a message; the caller holds the lock.
func (u *User) put(msg Message) *Message {
	f := FindFolder(u.Mailbox, msg.FolderID)
	if f == nil {
		f = FindFolder(u.Mailbox, "inbox")
	}
	msg.FolderID = f.ID
	msg.ID, msg.ImmutableID = u.t.w.newItemID("AAMkAD"), u.t.w.newItemID("AAkALg")
	u.Mailbox.Messages = append(u.Mailbox.Messages, &msg)
	return &msg
}

// Messages returns copies of the messages in a folder (by id or well-known name; "" for all).
func (u *User) Messages(folder string) []Message {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	if u.Mailbox == nil {
		return nil
	}
	var out []Message
	f := FindFolder(u.Mailbox, folder)
	for _, m := range u.Mailbox.Messages {
		if folder == "" || (f != nil && m.FolderID == f.ID) {
			out = append(out, *m)
		}
	}
	return out
}

// DeleteMessage plays the user deleting a message (by any id or internet message id) into Deleted Items.
func (u *User) DeleteMessage(id string) error {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	if u.Mailbox == nil {
		return fmt.Errorf("delete message: %s has no mailbox", u.UPN)
	}
	for _, m := range u.Mailbox.Messages {
		if m.ID == id || m.ImmutableID == id || m.InternetMessageID == id {
			Move(u, m, FindFolder(u.Mailbox, "deleteditems"))
			return nil
		}
	}
	return fmt.Errorf("delete message: %s has no message %q", u.UPN, id)
}

// AddRule adds an inbox rule, enabled, and returns it. A rule without actions deletes what it matches.
func (u *User) AddRule(r Rule) *Rule {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	return AddRule(u, r)
}

// AddRule is User.AddRule for callers that hold the lock.
func AddRule(u *User, r Rule) *Rule {
	if u.Mailbox == nil {
		panic("add rule: " + u.UPN + " has no mailbox")
	}
	if r.Number == 0 {
		id := uuid.MustParse(u.t.w.newID("rule"))
		r.Number = binary.BigEndian.Uint64(id[:8]) | 1<<63
	}
	var raw [8]byte
	binary.LittleEndian.PutUint64(raw[:], r.Number)
	r.ID = base64.URLEncoding.EncodeToString(raw[:])
	if r.Sequence == 0 {
		r.Sequence = len(u.Mailbox.Rules) + 1
	}
	if r.Actions == nil {
		r.Actions = map[string]any{"delete": true, "stopProcessingRules": true}
	}
	if r.Conditions == nil {
		r.Conditions = map[string]any{}
	}
	r.Enabled = true
	u.Mailbox.Rules = append(u.Mailbox.Rules, &r)
	return &r
}

// Rules returns copies of all rules, hidden ones too.
func (u *User) Rules() []Rule {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	if u.Mailbox == nil {
		return nil
	}
	var out []Rule
	for _, r := range u.Mailbox.Rules {
		out = append(out, *r)
	}
	return out
}

// FindRule returns a rule by its Graph id, its number, or its name when names are allowed. The
// caller holds the lock.
func FindRule(m *Mailbox, key string, byName bool) *Rule {
	i := slices.IndexFunc(m.Rules, func(r *Rule) bool {
		return r.ID == key || strconv.FormatUint(r.Number, 10) == key || (byName && strings.EqualFold(r.Name, key))
	})
	if i < 0 {
		return nil
	}
	return m.Rules[i]
}

// RemoveRule deletes a rule. The caller holds the lock.
func RemoveRule(m *Mailbox, r *Rule) {
	m.Rules = slices.DeleteFunc(m.Rules, func(x *Rule) bool { return x == r })
}

// Purge takes a message out of the user's sight for good. The caller holds the lock.
func Purge(m *Mailbox, msg *Message) {
	m.Messages = slices.DeleteFunc(m.Messages, func(x *Message) bool { return x == msg })
	m.Purged = append(m.Purged, msg)
}
