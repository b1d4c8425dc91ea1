package remediation

import (
	"context"
	"errors"
	"time"

	"responsehub"
)

// The errors by which a store tells what a caller must do.
var (
	// ErrNotFound says that the subject does not exist.
	ErrNotFound = errors.New("not in the store")
	// ErrConflict says that somebody else wrote first: load again, decide again.
	ErrConflict = errors.New("the stored version differs")
	// ErrStale says that the lease was lost: drop the turn, somebody else has the lane.
	ErrStale = errors.New("the lease was lost")
	// ErrRefTaken says that a new incident's ref is in use: choose another.
	ErrRefTaken = errors.New("the ref is taken")
)

// Store keeps incidents, their events and their lanes. Each writing method is one
// script in one hash slot: all of it happened or none of it. Every method returns the
// errors above, or an error that wraps what Redis said.
type Store interface {
	// Load reads a subject, and the answer given to a command where one is named.
	Load(ctx context.Context, id, command string) (State, error)
	// Commit writes one change.
	Commit(ctx context.Context, c Commit) (Committed, error)
	// Claim takes up to n due lanes of a partition for one lease each. It also says how
	// long it is until the next lane is due (at most a second).
	Claim(ctx context.Context, partition, n int, urgentOnly bool, lease time.Duration) ([]Claim, time.Duration, error)
	// Extend lengthens a lease from now on.
	Extend(ctx context.Context, c Claim, lease time.Duration) error
	// Settle writes a change under a lease and gives the lane back, or keeps it.
	Settle(ctx context.Context, s Settlement) error
	// Await returns when the partition's bell rang, or after max. It is only a hint.
	Await(ctx context.Context, partition int, max time.Duration) error
	// Sweep repairs a partition: a lane that should be due and is not is made due. It
	// returns how many there were; in a correct build always none.
	Sweep(ctx context.Context, partition int) (int, error)
}

// Archive is what lists and reports read. A store is one too.
type Archive interface {
	// ByRef returns the id of the incident with the ref.
	ByRef(ctx context.Context, ref string) (string, error)
	// List returns stored incidents, newest first.
	List(ctx context.Context, f Filter) (Page, error)
	// Events returns an incident's stored events in order, and the hash of the last.
	Events(ctx context.Context, id string) ([][]byte, string, error)
	// Letters returns some of an incident's letters, in no particular order. The first
	// page has the cursor ""; a page without a next one is the last. A letter that was
	// there all the time comes at least once.
	Letters(ctx context.Context, id, cursor string, n int) ([]responsehub.Letter, string, error)
	// DeadLanes lists the lanes that were given up, oldest first.
	DeadLanes(ctx context.Context) ([]DeadLane, error)
	// Revive makes a dead lane due again; ErrNotFound when it is not dead.
	Revive(ctx context.Context, id string, lane responsehub.Lane) error
}

// State is a stored subject.
type State struct {
	ID      string
	Version int64 // 1 for the first write
	Doc     []byte
	Seq     int64  // number of the last event
	Head    string // hash of the last event
	Answer  []byte // to the command that was asked about; nil when it was not seen
}

// Commit is one change of one subject.
type Commit struct {
	ID      string
	Version int64 // the version that was read; 0: the subject must not exist
	Doc     []byte
	Events  [][]byte
	Seq     int64 // number of the last event after this write
	Head    string
	Command string // command id, "" for none
	Answer  []byte // kept with the command id and returned to whoever sends it again
	Wake    []Wake
	Index   Index
	Opening *Opening // only with Version 0
}

// Wake makes a lane due after a pause. A lane that is due sooner stays so; a lane that
// is held is visited again after its holder settles.
type Wake struct {
	Lane  responsehub.Lane
	After time.Duration
}

// Index is what lists and look-ups need; it is written in the same script.
type Index struct {
	Tenant   string // the hub's tenant id, or "" while unknown
	State    responsehub.IncidentState
	Was      responsehub.IncidentState // before this write; "" when new
	OpenedAt time.Time
	Account  string   // account key; alerts for the same account meet here
	Alerts   []string // source|alert id of all alerts joined in so far that are new in this write
	Closed   bool     // the account has no open incident any more
}

// Opening makes the write that opens an incident atomic with the look at what is
// there already.
type Opening struct {
	Ref       string
	Alert     string // source|alert id
	Delivery  string // source|delivery id, "" where the sender gives none
	BodyHash  string
	Directory int64 // version of the directory in which the tenant was found
}

// Committed is what became of a commit.
type Committed struct {
	Version  int64
	Repeated bool   // the command id was seen before: nothing was written, Answer is the first answer
	Answer   []byte //
	Existing string // with Opening: the incident that has this alert or this account already; nothing was written
	Known    bool   // with Existing: it has this very alert
	BodyHash string // with Opening: hash stored for the delivery when it differs from this one's; nothing was written

	OtherDirectory bool  // with Opening: the directory changed since the tenant was looked up; nothing was written
	Directory      int64 // its version now
}

// Claim is a lane under a lease.
type Claim struct {
	Lane    responsehub.Lane
	Token   int64 // fence: grows with every claim
	Dirty   int64 // how often the lane was woken when it was claimed
	Attempt int   // failed turns in a row
	State   State // the subject at that moment
}

// Then says what becomes of a lane when a turn is settled.
type Then int

// What becomes of a lane.
const (
	ThenKeep  Then = iota // the lease goes on: a save in the middle of a turn
	ThenDone              // nothing to do until it is woken; due at once if it was woken meanwhile
	ThenAfter             // due after the pause, or at once if it was woken meanwhile
	ThenRetry             // due after the pause, and counted as a failed turn; a wake-up does not shorten the pause
	ThenDead              // set aside where people see it; a wake-up brings it back
	ThenPause             // like ThenRetry, but not counted: the other side asked to wait
)

// Settlement ends or saves a turn.
type Settlement struct {
	Claim Claim
	Write *Commit // nil: the subject stays as it is
	Then  Then
	After time.Duration
	Error string // for people: why the lane waits or died
}

// Filter narrows a list. Zero fields do not narrow.
type Filter struct {
	Tenants []string // hub tenant ids; nil is all
	State   responsehub.IncidentState
	Since   time.Time
	Cursor  string // of the page before
	Limit   int    // 1..200; 0 is 50
}

// Page is one page of a list.
type Page struct {
	States []State
	Next   string // cursor of the next page, "" at the end
}

// DeadLane is a lane that was given up.
type DeadLane struct {
	ID       string           `json:"incident"`
	Lane     responsehub.Lane `json:"lane"`
	Error    string           `json:"error"`
	Attempts int              `json:"attempts"`
	DiedAt   time.Time        `json:"died_at"`
}

// Partitions is the number of partitions, fixed for ever: it decides where everything
// is stored.
const Partitions = 16

// Partition returns the partition of an id: CRC-16/XMODEM, the checksum Redis Cluster
// uses, of the id modulo the number of partitions.
func Partition(id string) int { return partitionOf(checksum(0, id)) }

func partitionOf(crc uint16) int { return int(crc) % Partitions }

// checksum goes on from the checksum of what stands before.
func checksum[T string | []byte](crc uint16, id T) uint16 {
	for i := range len(id) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^id[i]]
	}
	return crc
}

// crcTable is the checksum of each byte. Every key's name needs several checksums.
var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()
