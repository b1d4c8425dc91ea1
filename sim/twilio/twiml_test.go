package twilio

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadTwiML(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		known     grammar
		code      int
		verbs     string
	}{
		{"menu", menu, voiceVerbs, 0, "Gather"},
		{"all", `<Response><!-- x --><Say voice="alice" language="en-US">a <break time="1s"/> b</Say><Pause length="2"/><Redirect method="POST">/x?a=1&amp;b=2</Redirect><Hangup/></Response>`, voiceVerbs, 0, "Say Pause Redirect Hangup"},
		{"empty", `<Response/>`, voiceVerbs, 0, ""},
		{"text", `<Response><Message>hello</Message></Response>`, textVerbs, 0, "Message"},
		{"body", `<Response><Message><Body>hello</Body></Message></Response>`, textVerbs, 0, "Message"},
		{"nothing", ``, voiceVerbs, 12100, ""},
		{"words", `hello`, voiceVerbs, 12100, ""},
		{"not closed", `<Response><Say>a</Say>`, voiceVerbs, 12100, ""},
		{"two roots", `<Response/><Response/>`, voiceVerbs, 12100, ""},
		{"words behind", `<Response/>x`, voiceVerbs, 12100, ""},
		{"document type", `<!DOCTYPE r><Response/>`, voiceVerbs, 12100, ""},
		{"not UTF-8", "<Response><Say>\xff</Say></Response>", voiceVerbs, 12100, ""},
		{"entity", `<Response><Say>&nbsp;</Say></Response>`, voiceVerbs, 12100, ""},
		{"control character", "<Response><Say>\x01</Say></Response>", voiceVerbs, 12100, ""},
		{"huge", `<Response><Say>` + strings.Repeat("x", 64<<10) + `</Say></Response>`, voiceVerbs, 11750, ""},
		{"long", `<Response><Say>` + strings.Repeat("x", 4097) + `</Say></Response>`, voiceVerbs, 12200, ""},
		{"lower case", `<Response><say>a</say></Response>`, voiceVerbs, 12200, ""},
		{"other root", `<Say>a</Say>`, voiceVerbs, 12200, ""},
		{"root with attribute", `<Response x="1"/>`, voiceVerbs, 12200, ""},
		{"text between", `<Response>hello</Response>`, voiceVerbs, 12200, ""},
		{"unknown verb", `<Response><Record/></Response>`, voiceVerbs, 12200, ""},
		{"unknown attribute", `<Response><Say volume="1">a</Say></Response>`, voiceVerbs, 12200, ""},
		{"attribute twice", `<Response><Say voice="a" voice="b">a</Say></Response>`, voiceVerbs, 12100, ""},
		{"empty Say", `<Response><Say> </Say></Response>`, voiceVerbs, 12200, ""},
		{"timeout that is none", `<Response><Gather timeout="soon"/></Response>`, voiceVerbs, 12200, ""},
		{"numDigits 0", `<Response><Gather numDigits="0"/></Response>`, voiceVerbs, 12200, ""},
		{"two finishing keys", `<Response><Gather finishOnKey="##"/></Response>`, voiceVerbs, 12200, ""},
		{"boolean", `<Response><Gather actionOnEmptyResult="yes"/></Response>`, voiceVerbs, 12200, ""},
		{"method", `<Response><Redirect method="PUT">/x</Redirect></Response>`, voiceVerbs, 12200, ""},
		{"Redirect to nowhere", `<Response><Redirect/></Response>`, voiceVerbs, 12200, ""},
		{"Gather in Gather", `<Response><Gather><Gather/></Gather></Response>`, voiceVerbs, 12200, ""},
		{"wrong SSML", `<Response><Say><SayAs>1</SayAs></Say></Response>`, voiceVerbs, 12200, ""},
		{"Say in a text", `<Response><Say>a</Say></Response>`, textVerbs, 12200, ""},
		{"Message in a call", `<Response><Message>a</Message></Response>`, voiceVerbs, 12200, ""},
		{"text in Hangup", `<Response><Hangup>a</Hangup></Response>`, voiceVerbs, 12200, ""},
	} {
		verbs, f := readTwiML([]byte(c.doc), c.known)
		var names []string
		for _, v := range verbs {
			names = append(names, v.name)
		}
		if code := codeOf(f); code != c.code || (code == 0 && strings.Join(names, " ") != c.verbs) {
			t.Errorf("%s: %v %v, want %d %s", c.name, names, f, c.code, c.verbs)
		}
	}
}

func codeOf(f *fault) int {
	if f == nil {
		return 0
	}
	return f.code
}

func FuzzReadTwiML(f *testing.F) {
	for _, s := range []string{menu, `<Response><Message>x</Message></Response>`, "<Response><Say>a<break/>b</Say><Hangup/></Response>", "<a", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, known := range []grammar{voiceVerbs, textVerbs} {
			verbs, bad := readTwiML(raw, known)
			if bad != nil && (bad.code < 11000 || bad.code > 12999 || len(verbs) > 0) {
				t.Errorf("%v with %v", bad, verbs)
			}
			for _, v := range verbs {
				if _, ok := known[v.name]; !ok {
					t.Errorf("verb %q came through", v.name)
				}
			}
		}
	})
}

func FuzzForm(f *testing.F) {
	for _, s := range []string{"To=%2B1&From=x", "StatusCallbackEvent=a&StatusCallbackEvent=b", "a=%zz", "Timeout=1&Timeout=2", ";", "="} {
		f.Add(s)
	}
	s, err := New(Config{URL: "http://x", AccountSID: testAccount, AuthToken: testToken, Numbers: []string{desk}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Stop)
	f.Fuzz(func(t *testing.T, raw string) {
		got := s.decode(raw, newCallFields)
		s.readAsked(got)
		if got.bad != nil && got.bad.message == "" {
			t.Error("refused without a word")
		}
		for name := range got.Values {
			if got.bad == nil && !strings.Contains(" "+newCallFields+" ", " "+name+" ") {
				t.Errorf("field %q came through", name)
			}
		}
	})
}

func FuzzScript(f *testing.F) {
	for _, s := range []string{"", "answers and presses 4", "presses 7 then 4, replies CODE twice after 1m", "sleeps through call 2, voicemail", "STOP", "texts fail 30003", ","} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, words string) {
		s, err := parseScript(words)
		if err != nil && (len(s.keys) > 0 || s.pickup != "") {
			t.Errorf("%q is refused and does %+v", words, s)
		}
	})
}

func TestSegments(t *testing.T) {
	for body, want := range map[string]int{
		"": 1, strings.Repeat("x", 160): 1, strings.Repeat("x", 161): 2, strings.Repeat("x", 306): 2, strings.Repeat("x", 307): 3,
		strings.Repeat("€", 80): 1, strings.Repeat("€", 81): 2, strings.Repeat("é", 160): 1, strings.Repeat("ê", 70): 1, strings.Repeat("ê", 71): 2,
		strings.Repeat("👍", 35): 1, strings.Repeat("👍", 36): 2, strings.Repeat("x", 69) + "\u2019": 1, strings.Repeat("x", 70) + "\u2019": 2,
	} {
		if got := segments(body); got != want {
			t.Errorf("%.20q of %d: %d, want %d", body, len([]rune(body)), got, want)
		}
	}
}

// TestSignature holds the signature against what the npm package twilio makes of the same.
func TestSignature(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "signatures.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, URL, Signature string
		Form                 url.Values
	}
	if err := json.Unmarshal(raw, &cases); err != nil || len(cases) < 5 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	for _, c := range cases {
		if got := sign(testToken, c.URL, c.Form); got != c.Signature {
			t.Errorf("%s: %s, want %s", c.Name, got, c.Signature)
		}
	}
}
