package responsehub_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"responsehub"
)

// record is a chain of four events, written in two writes as the engine does.
func record(t *testing.T) ([][]byte, string) {
	t.Helper()
	first, head, err := responsehub.Chain(0, "", []responsehub.Event{
		{At: noon, Kind: responsehub.EventOpened, Text: "Alert received"},
		{At: noon, Kind: responsehub.EventRequested, By: ann.By(), Step: responsehub.Lock, Text: "Lock asked for by Ann"},
	})
	if err != nil {
		t.Fatal(err)
	}
	second, head, err := responsehub.Chain(2, head, []responsehub.Event{
		{At: noon, Kind: responsehub.EventSent, Step: responsehub.Lock},
		{At: noon, Kind: responsehub.EventDone, Step: responsehub.Lock},
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(first, second...), head
}

// TestEventIsJSON: an entry is written as encoding/json writes it, in whose terms
// everybody else reads it.
func TestEventIsJSON(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "plain", "<a&b>", `"\`, "\u2028"}))
	rapid.Check(t, func(t *rapid.T) {
		e := responsehub.Event{
			At: time.Unix(rapid.Int64Range(0, 32e9).Draw(t, "s"), 0), Kind: responsehub.EventKind(text.Draw(t, "kind")),
			By:   responsehub.By{ID: text.Draw(t, "id"), Name: text.Draw(t, "name"), Via: responsehub.Surface(text.Draw(t, "via"))},
			Step: responsehub.StepID(text.Draw(t, "step")), Item: text.Draw(t, "item"), Text: text.Draw(t, "text"),
			Set: rapid.MapOf(rapid.SampledFrom([]string{"state", "lock", "a"}), text).Draw(t, "set"),
		}
		seq, head := rapid.Int64Range(0, 1e6).Draw(t, "seq"), rapid.StringMatching("[0-9a-f]{0,64}").Draw(t, "head")
		stored, _, err := responsehub.Chain(seq, head, []responsehub.Event{e})
		if err != nil {
			t.Fatal(err)
		}
		e.V, e.Seq, e.Prev, e.At = responsehub.EventVersion, seq+1, head, e.At.UTC()
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if string(stored[0]) != string(want) {
			t.Fatalf("got  %s\nwant %s", stored[0], want)
		}
	})
}

func TestCheckChain(t *testing.T) {
	whole, head := record(t)
	forged, forgedHead, err := responsehub.Chain(4, head, []responsehub.Event{{At: noon, Kind: responsehub.EventClosed}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func([][]byte) [][]byte
		head   string
		want   string // words of the fault; "" for a whole record
	}{
		{"whole", func(b [][]byte) [][]byte { return b }, head, ""},
		{"longer, with its head", func(b [][]byte) [][]byte { return append(b, forged...) }, forgedHead, ""},
		{"empty", func([][]byte) [][]byte { return nil }, "", ""},
		{"changed", func(b [][]byte) [][]byte {
			b[1] = bytes.Replace(b[1], []byte("Ann"), []byte("Bob"), 1)
			return b
		}, head, "entry 3 does not follow"},
		{"one space more", func(b [][]byte) [][]byte { b[0] = append(b[0], ' '); return b }, head, "entry 2 does not follow"},
		{"last changed", func(b [][]byte) [][]byte {
			b[3] = bytes.Replace(b[3], []byte("step.done"), []byte("step.sent"), 1)
			return b
		}, head, "last entry was changed"},
		{"first missing", func(b [][]byte) [][]byte { return b[1:] }, head, "entry 1 does not follow"},
		{"middle missing", func(b [][]byte) [][]byte { return slices.Delete(b, 1, 2) }, head, "entry 2 does not follow"},
		{"inserted", func(b [][]byte) [][]byte { return slices.Insert(b, 2, forged[0]) }, head, "entry 3 does not follow"},
		{"said twice", func(b [][]byte) [][]byte { return slices.Insert(b, 2, b[1]) }, head, "entry 3 does not follow"},
		{"turned round", func(b [][]byte) [][]byte { b[1], b[2] = b[2], b[1]; return b }, head, "entry 2 does not follow"},
		{"truncated", func(b [][]byte) [][]byte { return b[:3] }, head, "ends before entry 4"},
		{"all gone", func([][]byte) [][]byte { return nil }, head, "ends before entry 1"},
		{"added without the head", func(b [][]byte) [][]byte { return append(b, forged...) }, head, "ends before entry 6 or its last entry was changed"},
		{"not JSON", func(b [][]byte) [][]byte { b[2] = []byte("x"); return b }, head, "entry 3 cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chain := tt.change(slices.Clone(cloneAll(whole)))
			err := responsehub.CheckChain(chain, tt.head)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("a whole record is refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func cloneAll(b [][]byte) [][]byte {
	c := make([][]byte, len(b))
	for i := range b {
		c[i] = bytes.Clone(b[i])
	}
	return c
}

func TestTakeEventsHandsOutEachEventOnce(t *testing.T) {
	inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", takeover(), contoso, true)
	var kinds []responsehub.EventKind
	for _, e := range inc.TakeEvents() {
		kinds = append(kinds, e.Kind)
	}
	want := []responsehub.EventKind{responsehub.EventOpened, responsehub.EventRequested, responsehub.EventRequested, responsehub.EventRequested}
	if !slices.Equal(kinds, want) {
		t.Errorf("a new incident records %v, want %v", kinds, want)
	}
	if again := inc.TakeEvents(); len(again) != 0 {
		t.Errorf("taken twice: %+v", again)
	}
}
