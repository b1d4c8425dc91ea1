package store

import (
	"encoding/binary"
	"testing"
)

// reply makes what Redis might return from bytes: lists of texts, numbers, nothing and
// further lists.
func reply(b []byte, depth int) ([]any, []byte) {
	var out []any
	for len(b) > 1 && len(out) < 12 {
		kind, n := b[0]%6, int(b[1])
		b = b[2:]
		n = min(n, len(b))
		switch kind {
		case 0:
			out = append(out, string(b[:n]))
			b = b[n:]
		case 1:
			var w [8]byte
			copy(w[:], b)
			out = append(out, int64(binary.LittleEndian.Uint64(w[:])))
		case 2:
			out = append(out, nil)
		case 3:
			out = append(out, 1.5)
		case 4:
			if depth == 0 {
				return out, b
			}
			var in []any
			in, b = reply(b, depth-1)
			out = append(out, in)
		case 5:
			return out, b
		}
	}
	return out, b
}

// FuzzStored decodes answers of every shape: what cannot be read is an error, and what
// is read is whole.
func FuzzStored(f *testing.F) {
	f.Add([]byte("\x00\x011\x00\x03doc\x00\x010\x00\x00"))
	f.Add([]byte("\x00\x07WRITTEN\x00\x011"))
	f.Add([]byte("\x00\x08REPEATED\x00\x011\x00\x02ok"))
	f.Add([]byte("\x00\x08EXISTING\x00\x02id\x00\x011"))
	f.Add([]byte("\x00\x08EXISTING\x02\x00\x03\x00"))
	f.Add([]byte("\x00\x03GAP\x03\x00"))
	f.Add([]byte("\x00\x06id|tea\x00\x015\x00\x011\x00\x010\x00\x011\x00\x03doc\x00\x010\x00\x00"))
	f.Add([]byte("\x00\x0501234\x04\x00\x00\x02|x\x05\x00"))
	f.Add([]byte("\x00\x0f123-456-7-x-y-z"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, _ := reply(b, 2)
		if st, err := subject("id", r); err == nil && st.Doc == nil {
			t.Errorf("a subject without a document was read from %v", r)
		}
		if c, err := claim(r); err == nil && (c.Lane == "" || c.State.ID == "") {
			t.Errorf("a claim without a lane was read from %v", r)
		}
		if done, err := committed(r); err == nil && done.Version == 0 && done.Existing == "" && !done.Repeated {
			// Version 0 and an empty id are what Redis said, and it said it was written.
			if word, _, _ := status(r); word != "WRITTEN" && word != "EXISTING" {
				t.Errorf("a commit without an outcome was read from %v", r)
			}
		}
		_, _, _ = waited(r)
		if e, err := parseCursor(string(b)); err == nil && len(b) > 0 && e.id == "" {
			t.Errorf("a cursor without an id was read from %q", b)
		}
	})
}
