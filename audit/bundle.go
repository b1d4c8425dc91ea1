package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"responsehub"
)

// BundleVersion is the version of the bundle's form.
const BundleVersion = 1

// MaxBundle bounds a bundle that is read, in bytes.
const MaxBundle = 256 << 20

// Bundle is an incident with its whole record, signed.
type Bundle struct {
	Content   json.RawMessage `json:"content"`   // the hash and the signature are over its compact form
	SHA256    string          `json:"sha256"`    // hex
	PublicKey string          `json:"publicKey"` // base64, Ed25519
	Signature string          `json:"signature"` // base64, over the hash
}

// content is what is signed.
type content struct {
	V        int                   `json:"v"`
	Made     time.Time             `json:"made"`
	Hub      string                `json:"hub"` // version
	Incident *responsehub.Incident `json:"incident"`
	Head     string                `json:"head"` // hash of the last entry
	Events   []json.RawMessage     `json:"events"`
}

// Key derives the hub's signing key from its secret, so that there is nothing more to
// keep: the same hub signs with the same key for ever.
func Key(secret []byte) (ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, secret, nil, "responsehub evidence v1", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("audit: derive the signing key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Fingerprint is a public key in a form that people can read to each other.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:16])
}

// Make signs an incident with its record. One-time passwords that wait to be read are
// left out, sealed as they are.
func Make(key ed25519.PrivateKey, hub string, now time.Time, inc *responsehub.Incident, events []json.RawMessage) ([]byte, error) {
	shown := *inc
	shown.Sealed = nil
	c := content{V: BundleVersion, Made: now.UTC(), Hub: hub, Incident: &shown, Events: events}
	if n := len(events); n > 0 {
		c.Head = responsehub.EventHash(events[n-1])
	}
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("audit: encode bundle: %w", err)
	}
	sum := sha256.Sum256(body)
	public, _ := key.Public().(ed25519.PublicKey) // what an Ed25519 key's is
	out, err := json.Marshal(Bundle{
		Content: body, SHA256: hex.EncodeToString(sum[:]),
		PublicKey: base64.StdEncoding.EncodeToString(public), Signature: base64.StdEncoding.EncodeToString(ed25519.Sign(key, sum[:])),
	})
	if err != nil {
		return nil, fmt.Errorf("audit: encode bundle: %w", err)
	}
	return append(out, '\n'), nil
}

// Found is what a verified bundle holds.
type Found struct {
	Ref         string
	Made        time.Time
	Hub         string
	Entries     int
	Rebuilt     bool   // the state was rebuilt from the record and is the same
	Fingerprint string // of the key that signed
}

// Verify checks a bundle without asking anybody: its hash, its signature, the chain of
// its record, and that the state follows from the record. trusted is the hub's public
// key where it is known from elsewhere; without one Verify shows that nothing was changed
// since it was signed, and by which key.
func Verify(bundle []byte, trusted ed25519.PublicKey) (Found, error) {
	var b Bundle
	if err := strict(bundle, &b); err != nil {
		return Found{}, fmt.Errorf("this is no evidence bundle: %w", err)
	}
	var body bytes.Buffer
	if err := json.Compact(&body, b.Content); err != nil {
		return Found{}, fmt.Errorf("the content cannot be read: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	if hex.EncodeToString(sum[:]) != b.SHA256 {
		return Found{}, fmt.Errorf("the content was changed: its hash is not the one that was signed; %s", blame(body.Bytes()))
	}
	public, err := base64.StdEncoding.Strict().DecodeString(b.PublicKey)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return Found{}, errors.New("the public key cannot be read")
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(b.Signature)
	if err != nil || !ed25519.Verify(public, sum[:], signature) {
		return Found{}, errors.New("the signature is not the hub's: the bundle was changed or made by somebody else")
	}
	if trusted != nil && !bytes.Equal(trusted, public) {
		return Found{}, fmt.Errorf("the bundle is signed by another key (%s) than the one you trust (%s)", Fingerprint(public), Fingerprint(trusted))
	}
	if !canonical(bundle, &b) {
		return Found{}, errors.New("the envelope was changed: it is not as the hub writes it")
	}
	var c content
	if err := json.Unmarshal(body.Bytes(), &c); err != nil || c.Incident == nil {
		return Found{}, fmt.Errorf("the content is signed, but of a form that this version does not read: %w", errors.Join(err))
	}
	if c.V > BundleVersion {
		return Found{}, fmt.Errorf("the bundle is of version %d, which this version does not read", c.V)
	}
	events, err := Chain(c.Events, c.Head)
	if err != nil {
		return Found{}, fmt.Errorf("the record is broken: %w", err)
	}
	rebuilt, err := State(c.Incident, events)
	if err != nil {
		return Found{}, err
	}
	return Found{Ref: c.Incident.Ref, Made: c.Made, Hub: c.Hub, Entries: len(events), Rebuilt: rebuilt, Fingerprint: Fingerprint(public)}, nil
}

// canonical reports whether a bundle is, but for white space, what the hub writes: JSON
// has several ways to say the same, and a change that says the same is a change.
func canonical(bundle []byte, b *Bundle) bool {
	var given bytes.Buffer
	again, err := json.Marshal(b)
	return err == nil && json.Compact(&given, bundle) == nil && bytes.Equal(given.Bytes(), again)
}

// blame says as exactly as can be known what of a changed content was changed.
func blame(body []byte) string {
	var c content
	if err := json.Unmarshal(body, &c); err != nil {
		return "it cannot be read any more: " + where(body, err).Error()
	}
	if _, err := Chain(c.Events, c.Head); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("the %d entries of the record are intact, so it is the incident beside them or the heading", len(c.Events))
}

// where says at which place a text cannot be read.
func where(b []byte, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends in the middle, after %d bytes: it was cut off", len(b))
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	at := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = e.Offset
	}
	if at < 0 || at > int64(len(b)) {
		return err
	}
	return fmt.Errorf("line %d, byte %d: %w", 1+bytes.Count(b[:at], []byte("\n")), at, err)
}

func strict(b []byte, to any) error {
	if len(b) > MaxBundle {
		return fmt.Errorf("it is larger than %d MB", MaxBundle>>20)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return where(b, err)
	}
	if d.More() {
		return errors.New("something follows it")
	}
	return nil
}
