package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/audit"
)

var at = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

// recorded is an incident and its record, as the engine writes them.
func recorded(t testing.TB) (*responsehub.Incident, []json.RawMessage) {
	t.Helper()
	inc := responsehub.NewIncident("id", "RH-7K2M", at, "petra", &responsehub.Alert{
		ID: "a", Title: "Takeover <b>", Severity: responsehub.High, DetectedAt: at, Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"},
		Persistence: []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "r1"}},
	}, responsehub.TenantRef{ID: "contoso", Name: "Contoso"}, false)
	var stored [][]byte
	head := ""
	was := map[string]string(nil)
	write := func() {
		events := inc.TakeEvents()
		now := inc.Standing()
		events[0].Set = responsehub.Moved(was, now)
		was = now
		more, h, err := responsehub.Chain(int64(len(stored)), head, events)
		if err != nil {
			t.Fatal(err)
		}
		stored, head = append(stored, more...), h
	}
	write()
	ann := responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Tenants: []string{"*"}}
	if _, err := inc.Ask(responsehub.Publish, ann, responsehub.StepRequest{}, at); err != nil {
		t.Fatal(err)
	}
	write()
	if _, err := inc.Ask(responsehub.Retract, ann, responsehub.StepRequest{Skip: true, Reason: "no phish"}, at); err != nil {
		t.Fatal(err)
	}
	write()
	inc.Sealed = map[string]responsehub.Sealed{"password": {Box: []byte("SEALED-BOX")}}
	out := make([]json.RawMessage, len(stored))
	for i, b := range stored {
		out[i] = b
	}
	return inc, out
}

func made(t testing.TB) ([]byte, ed25519.PublicKey) {
	t.Helper()
	key, err := audit.Key(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	inc, events := recorded(t)
	b, err := audit.Make(key, "1.0", at, inc, events)
	if err != nil {
		t.Fatal(err)
	}
	return b, key.Public().(ed25519.PublicKey)
}

func TestABundleVerifiesOffline(t *testing.T) {
	b, key := made(t)
	for name, trusted := range map[string]ed25519.PublicKey{"by itself": nil, "with the hub's key": key} {
		found, err := audit.Verify(b, trusted)
		if err != nil || found.Ref != "RH-7K2M" || found.Entries != 4 || !found.Rebuilt || found.Fingerprint != audit.Fingerprint(key) {
			t.Errorf("%s: %+v (%v)", name, found, err)
		}
	}
	if bytes.Contains(b, []byte("U0VBTEVELUJPWA")) {
		t.Error("the bundle holds the sealed password")
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(pretty.Bytes(), key); err != nil {
		t.Errorf("white space breaks it: %v", err)
	}
}

// TestOneChangedByteIsRefused changes each byte of the bundle in turn.
func TestOneChangedByteIsRefused(t *testing.T) {
	b, key := made(t)
	for i := range b[:len(b)-1] { // but the newline at the end
		for _, other := range []byte{b[i] + 1, b[i] ^ 0x20, 0} { // the second turns the case of a letter
			changed := bytes.Clone(b)
			if changed[i] = other; other == '\n' || other == ' ' || other == '\t' || other == '\r' {
				continue // outside of texts white space says nothing
			}
			if _, err := audit.Verify(changed, key); err == nil {
				t.Fatalf("byte %d changed from %q to %q and nobody noticed", i, b[i], changed[i])
			}
		}
	}
}

// TestTheSentenceTellsWhatWasChanged changes each class of fields, as somebody would who
// wants another story to be true.
func TestTheSentenceTellsWhatWasChanged(t *testing.T) {
	b, key := made(t)
	pretty := func(b []byte) []byte {
		var out bytes.Buffer
		if err := json.Indent(&out, b, "", "  "); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	swap := func(old, new string) []byte {
		t.Helper()
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("the bundle has no %s", old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
	_, record, _ := bytes.Cut(b, []byte(`"events":[`))
	inRecord := func(old, new string) []byte {
		t.Helper()
		if !bytes.Contains(record, []byte(old)) {
			t.Fatalf("the record has no %s: %s", old, record)
		}
		return append(bytes.Clone(b[:len(b)-len(record)]), bytes.Replace(record, []byte(old), []byte(new), 1)...)
	}
	for name, tt := range map[string]struct {
		bundle []byte
		want   string
	}{
		"the incident's title":   {swap("Takeover", "Makeover"), "entries of the record are intact, so it is the incident"},
		"when it was made":       {swap(`"made":"2026`, `"made":"2025`), "intact"},
		"the hub's version":      {swap(`"hub":"1.0"`, `"hub":"1.1"`), "intact"},
		"who did it":             {inRecord("Ann", "Bob"), "was changed, or the link to it"},
		"a number of the record": {inRecord(`"seq":2`, `"seq":7`), "entry 2 does not follow the one before it: it has the number 7"},
		"a link of the record":   {inRecord(`"prev":"`, `"prev":"00`), "entry 1 does not follow"},
		"why":                    {inRecord("no phish", "no thing"), "entry"},
		"the signature":          {swap(`"signature":"`, `"signature":"A`), "signature"},
		"the hash":               {swap(`"sha256":"`, `"sha256":"0`), "intact"},
		"the public key":         {swap(`"publicKey":"`, `"publicKey":"A`), "public key"},
		"the envelope":           {swap(`"publicKey"`, `"publickey"`), "envelope was changed"},
		"cut off":                {b[:len(b)/2], "it ends in the middle, after"},
		"nothing":                {nil, "the file is empty"},
		"a stray sign":           {bytes.Replace(pretty(b), []byte(`"sha256":`), []byte(`"sha256"!`), 1), "line "},
	} {
		if _, err := audit.Verify(tt.bundle, key); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestForeignKeysAndOtherFilesAreRefused(t *testing.T) {
	b, _ := made(t)
	other, err := audit.Key(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(b, other.Public().(ed25519.PublicKey)); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("a foreign key: %v", err)
	}
	for _, bad := range []string{"", "{}", "null", "[]", string(b) + string(b), `{"content":{},"sha256":"","publicKey":"","signature":"","more":1}`} {
		if _, err := audit.Verify([]byte(bad), nil); err == nil {
			t.Errorf("%.40q is taken for a bundle", bad)
		}
	}
}

func TestChainAndState(t *testing.T) {
	inc, stored := recorded(t)
	events, err := audit.Chain(stored, "")
	if err != nil {
		t.Fatal(err)
	}
	if rebuilt, err := audit.State(inc, events); !rebuilt || err != nil {
		t.Errorf("rebuilt %v (%v)", rebuilt, err)
	}
	if _, err := audit.Chain(stored[:2], responsehub.EventHash(stored[2])); err == nil {
		t.Error("a record without its last entry is taken for whole")
	}
	if _, err := audit.Chain(stored[1:], ""); err == nil {
		t.Error("a record without its first entry is taken for whole")
	}
	inc.Step(responsehub.Lock).State = responsehub.Done
	if _, err := audit.State(inc, events); err == nil || !strings.Contains(err.Error(), `lock is "done"`) {
		t.Errorf("a state that nobody recorded: %v", err)
	}
	events[0].Set = nil
	if rebuilt, err := audit.State(inc, events); rebuilt || err != nil {
		t.Errorf("a record of an older version: %v (%v)", rebuilt, err)
	}
}

func FuzzVerify(f *testing.F) {
	b, _ := made(f)
	f.Add(b)
	f.Add([]byte("{}"))
	f.Add(b[:len(b)/2])
	f.Add(bytes.Replace(b, []byte("publicKey"), []byte("publickey"), 1))
	f.Add(append(bytes.Clone(b), b...))
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := audit.Verify(in, nil); err == nil && !bytes.Contains(in, []byte("RH-7K2M")) {
			t.Errorf("%q verifies", in)
		}
	})
}
