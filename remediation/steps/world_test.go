package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"responsehub"
)

// world is a small Microsoft in memory with the manners the steps must cope with.
type world struct {
	mu        sync.Mutex
	account   Account
	reads     int
	lag       int // reads that still show the old account after a change
	stale     Account
	fail      map[string][]error // errors to return, by call, in order
	after     map[string]bool    // the call takes effect although it fails
	passwords []responsehub.Secret
	revoked   int
	letters   map[string]*Letter // by mailbox|id
	moves     map[string]int
	boxes     []Mailbox
	pageSize  int
	traced    []Mailbox // whom the message trace names
	untraced  error     // why there is no trace
	footholds map[string]*foothold
	calls     []string
	members   map[string]bool   // of the lock group
	during    map[string]func() // runs once, within the call
}

type foothold struct {
	kind    responsehub.ItemKind
	name    string
	active  bool
	gone    bool
	guard   string
	changes int
	hidden  bool
}

func newWorld() *world {
	return &world{
		account:  Account{ObjectID: "u1", UPN: "pat@contoso.example", DisplayName: "Pat", Enabled: true, SessionsValidFrom: time.Now().Add(-time.Hour), PasswordChangedAt: time.Now().Add(-time.Hour), RequestID: "req-read"},
		pageSize: 7, untraced: &responsehub.Error{Kind: responsehub.Forbidden, Message: "The app lacks ExchangeMessageTrace.Read.All."},
		fail: map[string][]error{}, after: map[string]bool{}, letters: map[string]*Letter{}, moves: map[string]int{}, footholds: map[string]*foothold{},
	}
}

// call notes a call and returns the scripted error and whether the effect happens.
func (w *world) call(name string) (effect bool, err error) {
	w.calls = append(w.calls, name)
	if f := w.during[name]; f != nil {
		delete(w.during, name)
		f()
	}
	if q := w.fail[name]; len(q) > 0 {
		err, w.fail[name] = q[0], q[1:]
		return w.after[name], err
	}
	return true, nil
}

func (w *world) change(f func(*Account)) {
	w.stale = w.account
	w.reads = 0
	f(&w.account)
}

func (w *world) Account(_ context.Context, _, _ string) (Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.call("account"); err != nil {
		return Account{}, err
	}
	if w.reads++; w.reads <= w.lag && w.stale.ObjectID != "" {
		return w.stale, nil
	}
	return w.account, nil
}

func (w *world) SetEnabled(_ context.Context, _, _ string, enabled bool) (Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	effect, err := w.call(fmt.Sprintf("enabled=%t", enabled))
	if effect {
		w.change(func(a *Account) { a.Enabled = enabled })
	}
	return Receipt{RequestID: "req-enabled"}, err
}

func (w *world) RevokeSessions(context.Context, string, string) (Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	effect, err := w.call("revoke")
	if effect {
		w.revoked++
		w.change(func(a *Account) { a.SessionsValidFrom = time.Now() })
	}
	return Receipt{RequestID: "req-revoke"}, err
}

func (w *world) AddMember(_ context.Context, _, group, _ string) (Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	effect, err := w.call("group+")
	if effect {
		if w.members == nil {
			w.members = map[string]bool{}
		}
		w.members[group] = true
	}
	return Receipt{}, err
}

func (w *world) RemoveMember(_ context.Context, _, group, _ string) (Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	effect, err := w.call("group-")
	if effect {
		delete(w.members, group)
	}
	return Receipt{}, err
}

func (w *world) Member(_ context.Context, _, group, _ string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.call("group?")
	return w.members[group], err
}

func (w *world) SetPassword(_ context.Context, _, _ string, p responsehub.Secret) (Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	effect, err := w.call("password")
	if effect {
		w.passwords = append(w.passwords, p)
		w.change(func(a *Account) { a.PasswordChangedAt = time.Now() })
	}
	return Receipt{}, err
}

func (w *world) deliver(box, id, folder string) {
	w.letters[box+"|"+id] = &Letter{ID: id, Mailbox: box, Folder: folder, InternetMessageID: "<phish@x>", Subject: "Invoice"}
}

func (w *world) MailboxPage(_ context.Context, _, page string) ([]Mailbox, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.call("mailboxes"); err != nil {
		return nil, "", err
	}
	from := 0
	if page != "" {
		if _, err := fmt.Sscanf(page, "page at %d", &from); err != nil {
			return nil, "", err
		}
	}
	to := min(from+w.pageSize, len(w.boxes))
	if to == len(w.boxes) {
		return w.boxes[from:to], "", nil
	}
	return w.boxes[from:to], fmt.Sprintf("page at %d", to), nil
}

func (w *world) Recipients(context.Context, string, responsehub.Phish) ([]Mailbox, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.call("trace"); err != nil {
		return nil, err
	}
	return w.traced, w.untraced
}

func (w *world) Sent(_ context.Context, _, box string) (string, error) { return "sent-" + box, nil }

func (w *world) Find(_ context.Context, _, box string, p responsehub.Phish) ([]Letter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.call("find " + box); err != nil {
		return nil, err
	}
	var out []Letter
	for _, l := range w.letters {
		if l.Mailbox == box && l.InternetMessageID == p.InternetMessageID {
			out = append(out, *l)
		}
	}
	return out, nil
}

func (w *world) Trash(_ context.Context, _, box string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.call("trash")
	return "trash-" + box, err
}

func (w *world) Folder(_ context.Context, _, box, id string) (string, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.call("folder"); err != nil {
		return "", "", err
	}
	l, ok := w.letters[box+"|"+id]
	if !ok {
		return "", "", &responsehub.Error{Kind: responsehub.NotFound, Message: "gone"}
	}
	return l.Folder, "req-folder", nil
}

func (w *world) Move(_ context.Context, _, box, id, folder string) (Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	effect, err := w.call("move")
	if effect {
		w.letters[box+"|"+id].Folder = folder
		w.moves[box+"|"+id]++
	}
	return Receipt{}, err
}

// holds makes the world's footholds of one kind reachable as a Foothold.
type holds struct {
	w      *world
	hidden bool
}

func (h holds) Read(_ context.Context, _ Target, it *responsehub.Item) (Reading, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if _, err := h.w.call("read " + it.Object); err != nil {
		return Reading{}, err
	}
	f, ok := h.w.footholds[it.Object]
	if !ok || f.gone || f.hidden != h.hidden {
		return Reading{}, &responsehub.Error{Kind: responsehub.NotFound, Message: "It is not there."}
	}
	return Reading{Name: f.name, Active: f.active, Guard: f.guard, Snapshot: json.RawMessage(fmt.Sprintf(`{"active":%t}`, f.active)), RequestID: "req-read"}, nil
}

func (h holds) Neutralise(_ context.Context, _ Target, it *responsehub.Item, action responsehub.Action) (Receipt, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	effect, err := h.w.call("disable " + it.Object)
	if effect {
		f := h.w.footholds[it.Object]
		f.active, f.gone = false, action == responsehub.Delete || action == responsehub.Remove
		f.changes++
	}
	return Receipt{}, err
}

type scan struct {
	items []responsehub.Item
	err   error
}

func (s scan) Scan(context.Context, Target, time.Time) ([]responsehub.Item, error) {
	return s.items, s.err
}

func alert() *responsehub.Alert {
	return &responsehub.Alert{
		Version: "1", ID: "det-1", DetectedAt: time.Now(), Severity: responsehub.Critical, Title: "Account takeover",
		Tenant:      responsehub.AlertTenant{MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"},
		Account:     responsehub.Account{ObjectID: "22222222-2222-4222-8222-222222222222", UserPrincipalName: "pat@contoso.example"},
		Phish:       []responsehub.Phish{{InternetMessageID: "<phish@x>"}},
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "rule-1", Name: "."}},
	}
}

func throttled(after time.Duration) error {
	return &responsehub.Error{Kind: responsehub.Throttled, Message: "Microsoft asks to wait.", RetryAfter: after}
}

func forbidden() error {
	return &responsehub.Error{Kind: responsehub.Forbidden, Message: "The hub's app lacks User.EnableDisableAccount.All in Contoso."}
}

func lost() error {
	return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "The answer was lost."}
}

func check(t *testing.T, inc *responsehub.Incident, id responsehub.StepID, want responsehub.StepState) *responsehub.Step {
	t.Helper()
	s := inc.Step(id)
	if s.State != want {
		t.Fatalf("%s is %s (%s), want %s", id, s.State, s.Reason, want)
	}
	if want == responsehub.Done && (s.Proof == nil || s.VerifiedAt.IsZero()) {
		t.Fatalf("%s is done without a proof", id)
	}
	return s
}

// counts returns how often a call was made.
func (w *world) counts(name string) int {
	n := 0
	for _, c := range w.calls {
		if c == name {
			n++
		}
	}
	return n
}
