package steps

import (
	"context"
	"encoding/json"
	"time"

	"responsehub"
)

// Target is the account that was taken over: Microsoft tenant id, and the user's
// object id (never the principal name in a URL: "#EXT#" would cut it).
type Target struct {
	Tenant string // Microsoft tenant id
	User   string // object id
	UPN    string // for Exchange's anchor
}

// Receipt says that Microsoft accepted a request. It is not yet an effect.
type Receipt struct {
	RequestID string
	At        time.Time
}

// Account is what the directory says of a user.
type Account struct {
	ObjectID          string
	UPN               string
	DisplayName       string
	Mail              string // primary mail address, empty without one
	SAM               string // account name in on-premises AD, where it comes from there
	Enabled           bool
	Synced            bool // from on-premises AD
	Guest             bool
	Restricted        bool // in a restricted management unit
	SessionsValidFrom time.Time
	PasswordChangedAt time.Time
	RequestID         string // Microsoft's id of this read
}

// Directory is what the steps need of a tenant's directory. tenant is the Microsoft
// tenant id; user is an object id, except for Account, which takes a principal name too.
// Errors are *responsehub.Error with the sentence for the technician.
type Directory interface {
	Account(ctx context.Context, tenant, user string) (Account, error)
	SetEnabled(ctx context.Context, tenant, user string, enabled bool) (Receipt, error)
	RevokeSessions(ctx context.Context, tenant, user string) (Receipt, error)
	SetPassword(ctx context.Context, tenant, user string, password responsehub.Secret) (Receipt, error)
}

// Roles names the directory roles of an account. A directory that can tell is asked after
// the lock was read back, never before.
type Roles interface {
	Roles(ctx context.Context, tenant, user string) ([]string, error)
}

// SignIns lists who signed in as the account. A directory that can tell is asked by the
// watch after it read the account.
type SignIns interface {
	// SignIns returns the sign-ins that Microsoft let through since the given time, as far as
	// its log has them, which runs minutes behind. Not to be able to read it is an error.
	SignIns(ctx context.Context, tenant, user string, since time.Time) ([]responsehub.Session, error)
}

// Groups is what the lock needs to put an account into the tenant's lock group. Adding
// who is in it, and removing who is not, is no error.
type Groups interface {
	AddMember(ctx context.Context, tenant, group, user string) (Receipt, error)
	RemoveMember(ctx context.Context, tenant, group, user string) (Receipt, error)
	Member(ctx context.Context, tenant, group, user string) (bool, error)
}

// Mailbox is one mailbox of a tenant.
type Mailbox struct {
	ID      string // user object id
	Address string
}

// Letter is one message in one mailbox. ID is the immutable id, which survives moves.
type Letter struct {
	ID                string
	Mailbox           string
	InternetMessageID string
	Folder            string // id of the folder it lies in
	Sender            string
	Subject           string
	ReceivedAt        time.Time
	Read              bool
	Rule              responsehub.Rule // by which it was recognised
}

// Mail is what the retraction needs of a tenant's mailboxes. A mailbox that does not
// exist in the cloud is a NotFound error, one that the tenant withholds is Forbidden, one
// that asks to wait is Throttled. It may be called by many at once.
type Mail interface {
	// MailboxPage lists one page of the users of the tenant that have a mail address,
	// shared mailboxes among them: the first for "", else the one that next names. The
	// last has no next. Pages may be read again while the list is the same.
	MailboxPage(ctx context.Context, tenant, page string) (boxes []Mailbox, next string, err error)
	// Recipients returns the mailboxes of the tenant to which the message trace says the
	// phish was delivered within its window, by its message id or by sender and subject.
	// The trace is some minutes behind. It is an error where there is no such trace.
	Recipients(ctx context.Context, tenant string, p responsehub.Phish) ([]Mailbox, error)
	// Find returns the messages of one mailbox, in all its folders, that match, each with
	// the rule by which it does.
	Find(ctx context.Context, tenant, mailbox string, p responsehub.Phish) ([]Letter, error)
	// Trash returns the id of the mailbox's Deleted Items.
	Trash(ctx context.Context, tenant, mailbox string) (string, error)
	// Sent returns the id of the mailbox's Sent Items.
	Sent(ctx context.Context, tenant, mailbox string) (string, error)
	// Folder reads where a message lies now; NotFound when it is gone.
	Folder(ctx context.Context, tenant, mailbox, letter string) (folder, requestID string, err error)
	// Move moves a message. Not idempotent at Microsoft: after an unknown outcome read
	// Folder before doing it again.
	Move(ctx context.Context, tenant, mailbox, letter, folder string) (Receipt, error)
}

// Reading is what Microsoft says of an item of persistence.
type Reading struct {
	Name      string
	Active    bool            // it can still do harm
	Guard     string          // why the hub must not touch it, as a sentence; empty when it may
	Ask       string          // why a person has to decide, as a sentence: it is left alone unless asked for by name
	Snapshot  json.RawMessage // its whole content, for undo
	RequestID string
}

// Foothold reads and neutralises one kind of persistence.
type Foothold interface {
	// Read returns the item as it is now; NotFound when it is gone.
	Read(ctx context.Context, t Target, item *responsehub.Item) (Reading, error)
	// Neutralise disables the item, or deletes it where action says so. Idempotent.
	Neutralise(ctx context.Context, t Target, item *responsehub.Item, action responsehub.Action) (Receipt, error)
}

// Scanner looks for persistence by itself.
type Scanner interface {
	// Scan returns what looks like persistence of the account since the given time, each
	// item with Kind, Object, Name, Hidden, Mailbox and Why filled in, and MadeAt and
	// MadeBy where Microsoft tells. What it could read comes together with a joined error
	// of what it could not; a NotFound error says that there is no such thing in the tenant.
	Scan(ctx context.Context, t Target, since time.Time) ([]responsehub.Item, error)
}
