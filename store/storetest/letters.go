package storetest

import (
	"fmt"
	"testing"
	"time"

	"responsehub"
	"responsehub/remediation"
)

const retract = responsehub.LaneRetract

// fence is the claim's right to write beside its incident.
func fence(c remediation.Claim) responsehub.Fence {
	return responsehub.Fence{Incident: c.State.ID, Lane: c.Lane, Token: c.Token}
}

// letter is the n-th message of a retraction.
func letter(n int, state responsehub.StepState) responsehub.Letter {
	return responsehub.Letter{
		Mailbox: fmt.Sprintf("box %d", n), Address: "pat@contoso.example", ID: "AAk=", MessageID: "<a@b>", Subject: "Invoice",
		Folder: "inbox", Read: n%2 == 0, Rule: responsehub.ByMessageID, Round: 1, State: state,
	}
}

// all reads every letter, page by page, and returns them by key.
func (b *bench) all(id string, n int) map[string]responsehub.Letter {
	b.t.Helper()
	found, cursor := map[string]responsehub.Letter{}, ""
	for range 10_000 {
		page, next, err := b.Letters(b.ctx, id, cursor, n)
		must(b.t, err)
		for _, l := range page {
			found[l.Key()] = l
		}
		if cursor = next; cursor == "" {
			return found
		}
	}
	b.t.Fatal("the pages do not end")
	return nil
}

// letters is what is promised of the messages kept beside an incident.
var letters = []behaviour{
	{"letters are read back page by page as they were written last", func(t *testing.T, b *bench) {
		id := b.open("t1|a", retract)
		f := fence(b.one(id))
		want := map[string]responsehub.Letter{}
		var batch []responsehub.Letter
		for n := range 1234 {
			l := letter(n, responsehub.Running)
			batch = append(batch, l)
			want[l.Key()] = l
		}
		must(t, b.PutLetters(b.ctx, f, batch))
		moved := letter(7, responsehub.Done)
		moved.Hub, moved.At, moved.RequestID = true, time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), "req"
		want[moved.Key()] = moved
		must(t, b.PutLetters(b.ctx, f, []responsehub.Letter{moved}))
		same(t, b.all(id, 100), want)
	}},
	{"letters of a lost lease are refused", func(t *testing.T, b *bench) {
		id := b.open("t1|a", retract)
		old := b.one(id)
		time.Sleep(lease + 50*time.Millisecond)
		now := b.one(id)
		wants(t, b.PutLetters(b.ctx, fence(old), []responsehub.Letter{letter(1, responsehub.Done)}), remediation.ErrStale)
		same(t, len(b.all(id, 10)), 0)
		must(t, b.PutLetters(b.ctx, fence(now), []responsehub.Letter{letter(1, responsehub.Waiting)}))
		b.settle(now, remediation.ThenDone, 0)
		wants(t, b.PutLetters(b.ctx, fence(now), []responsehub.Letter{letter(1, responsehub.Done)}), remediation.ErrStale)
		same(t, b.all(id, 10), map[string]responsehub.Letter{responsehub.LetterKey("box 1", "AAk="): letter(1, responsehub.Waiting)})
	}},
	{"letters belong to their incident", func(t *testing.T, b *bench) {
		id, other := b.open("t1|a", retract), b.open("t1|b", retract)
		must(t, b.PutLetters(b.ctx, fence(b.one(id)), []responsehub.Letter{letter(1, responsehub.Waiting)}))
		same(t, len(b.all(other, 10)), 0)
		_, _, err := b.Letters(b.ctx, id, "no cursor", 10)
		same(t, responsehub.KindOf(err), responsehub.Invalid)
	}},
}
