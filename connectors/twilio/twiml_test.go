package twilio

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"responsehub/oncall"
)

var update = flag.Bool("update", false, "write the golden files anew")

const action = "https://hub.example.com/twilio/gather/a1.mac?n=1#rc=3&rp=5xx,ct,rt"

// documents are all the shapes of our answers.
func documents() map[string][]byte {
	ask := oncall.Speech{
		Lines:    []string{"This is the security desk with a critical alert.", "Contoso & Söhne: account takeover of <Pat>."},
		Language: "en-US", Ask: true, Goodbye: "Goodbye.",
	}
	return map[string][]byte{
		"ask":       spoken(ask, action),
		"tell":      spoken(oncall.Speech{Lines: []string{"You have it. Thank you."}, Language: "nl-NL", Goodbye: "Tot ziens."}, action),
		"nothing":   spoken(oncall.Speech{}, action),
		"again":     again(action, "en-US", 3),
		"trouble":   ended(trouble, ""),
		"not-taken": ended(notTaken, "en-US"),
		"reply":     reply("RH-7K2M is yours. \"Reply\" <help> & more."),
	}
}

func TestTwiML(t *testing.T) {
	for name, got := range documents() {
		path := filepath.Join("testdata", name+".golden.xml")
		if *update {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(bytes.TrimSuffix(want, []byte("\n"))), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if twice := documents()[name]; !bytes.Equal(got, twice) {
			t.Errorf("%s is written in another way the second time", name)
		}
		strict(t, got)
	}
}

// allowed are the verbs, their attributes and what may stand in them.
// https://www.twilio.com/docs/voice/twiml and https://www.twilio.com/docs/messaging/twiml
var allowed = map[string]struct{ attributes, children string }{
	"Response": {"", "Say Gather Pause Redirect Hangup Message"},
	"Say":      {"language", ""},
	"Gather":   {"input action method timeout numDigits finishOnKey actionOnEmptyResult", "Say"},
	"Pause":    {"length", ""},
	"Redirect": {"method", ""},
	"Hangup":   {"", ""},
	"Message":  {"", ""},
}

// strict reads a document as one who knows no verb but those allowed.
func strict(t *testing.T, doc []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	var open []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, doc)
		}
		switch el := tok.(type) {
		case xml.StartElement:
			name := el.Name.Local
			verb, known := allowed[name]
			parent := "Response"
			if len(open) > 0 {
				parent = open[len(open)-1]
				known = known && strings.Contains(" "+allowed[parent].children+" ", " "+name+" ")
			}
			if !known || len(open) == 0 && name != "Response" {
				t.Fatalf("%s may not stand in %s:\n%s", name, parent, doc)
			}
			for _, a := range el.Attr {
				if !strings.Contains(" "+verb.attributes+" ", " "+a.Name.Local+" ") {
					t.Fatalf("%s has no attribute %s:\n%s", name, a.Name.Local, doc)
				}
			}
			open = append(open, name)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// FuzzSpoken: whatever the switchboard says, the document can be read, and the words come
// out again.
func FuzzSpoken(f *testing.F) {
	f.Add("Contoso", "en-US", true, "Goodbye.")
	f.Add("</Say><Hangup/>]]>\x00\x1b\u2028\ufffe", "\"><x", false, "")
	f.Fuzz(func(t *testing.T, line, language string, ask bool, bye string) {
		doc := spoken(oncall.Speech{Lines: []string{line, line}, Language: language, Ask: ask, Goodbye: bye}, action)
		if !utf8.Valid(doc) {
			t.Fatalf("not UTF-8: %q", doc)
		}
		strict(t, doc)
		strict(t, reply(line))
		var read struct {
			Says []string `xml:"Say"`
		}
		if err := xml.Unmarshal(doc, &read); err != nil {
			t.Fatal(err)
		}
		if want := clean(bye, sentence); want != "" && read.Says[len(read.Says)-1] != want {
			t.Errorf("said %q, want %q", read.Says, want)
		}
	})
}
