package clients_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/twilio"
	"responsehub/oncall"
)

const (
	twilioToken   = "0123456789abcdef0123456789abcdef"
	twilioAccount = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// operator is a switchboard that says what the test wants.
type operator struct {
	speech oncall.Speech
	reply  string
	digits []string
	bodies []string
}

func (o *operator) Answered(context.Context, string) (oncall.Speech, error) { return o.speech, nil }

func (o *operator) Pressed(_ context.Context, _, _, digit string, _ int) (oncall.Speech, error) {
	o.digits = append(o.digits, digit)
	return o.speech, nil
}

func (o *operator) Reported(context.Context, string, oncall.Progress) error { return nil }

func (o *operator) Texted(_ context.Context, t oncall.Incoming) (string, error) {
	o.bodies = append(o.bodies, t.Body)
	return o.reply, nil
}

func (o *operator) CalledIn(context.Context, string) (oncall.Speech, error) { return o.speech, nil }

// placing is a Twilio that takes calls and keeps where they ask for words.
type placing struct{ form url.Values }

func (p *placing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // an empty form fails the test
	p.form = r.PostForm
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"sid":"CA00000000000000000000000000000001","status":"queued","to":"+15005550009"}`)
}

// TestTwilioLibrary: what Twilio's own library signs the hub accepts, byte for byte, and
// nothing else; and the hub's documents say what the library would write.
func TestTwilioLibrary(t *testing.T) {
	say := talk(t, "twilio.cjs")
	calls := &placing{}
	api := httptest.NewServer(calls)
	t.Cleanup(api.Close)
	const origin = "https://hub.example.com"
	client, err := twilio.New(twilio.Config{
		AccountSID: twilioAccount, APIKey: "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", APISecret: "secret", AuthTokens: []responsehub.Secret{"old", twilioToken},
		From: "+15005550006", API: api.URL, PublicURL: origin, Key: []byte("0123456789abcdef0123456789abcdef"),
	}, &http.Client{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Call(t.Context(), oncall.Call{Attempt: "a1", To: "+15005550009", Ring: 25 * time.Second}); err != nil {
		t.Fatal(err)
	}
	voice, _, _ := strings.Cut(calls.form.Get("Url"), "#") // the fragment is neither signed nor sent
	gather := strings.Replace(voice, "/voice/", "/gather/", 1)
	board := &operator{}
	hub := client.Inbound(board)

	// post sends a form as Twilio does, signed by its library for signedURL.
	post := func(address, signedURL string, params map[string]any) *httptest.ResponseRecorder {
		t.Helper()
		var signed struct{ Signature string }
		say(20*time.Second, map[string]any{"sign": map[string]any{"token": twilioToken, "url": signedURL, "params": params}}, &signed)
		var judged struct{ Valid bool }
		say(20*time.Second, map[string]any{"valid": map[string]any{"token": twilioToken, "url": address, "params": params, "signature": signed.Signature}}, &judged)
		form := url.Values{}
		for k, v := range params {
			switch v := v.(type) {
			case string:
				form.Set(k, v)
			case []string:
				form[k] = v
			}
		}
		r := httptest.NewRequest(http.MethodPost, strings.TrimPrefix(address, origin), strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		r.Header.Set("X-Twilio-Signature", signed.Signature)
		w := httptest.NewRecorder()
		hub.ServeHTTP(w, r)
		if judged.Valid != (w.Code < 300) {
			t.Errorf("%s signed as %s: the library says %v, the hub %d", address, signedURL, judged.Valid, w.Code)
		}
		return w
	}
	call := func(more ...string) map[string]any {
		p := map[string]any{"AccountSid": twilioAccount, "CallSid": "CA1", "From": "+15005550006", "To": "+15005550009", "ApiVersion": "2010-04-01", "CallStatus": "in-progress"}
		for i := 0; i < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		return p
	}
	speech := oncall.Speech{Lines: []string{"Contoso & Söhne: a \"takeover\" of <Pat>.", "Press 4."}, Language: "en-US", Ask: true, Goodbye: "Goodbye."}
	words := func(name, action string, lines ...string) string {
		t.Helper()
		var doc struct{ XML string }
		say(20*time.Second, map[string]any{"twiml": name, "lines": lines, "language": speech.Language, "action": action, "goodbye": speech.Goodbye}, &doc)
		return doc.XML
	}
	same := func(name, theirs string, ours *httptest.ResponseRecorder) {
		t.Helper()
		if diff := cmp.Diff(tree(t, theirs), tree(t, ours.Body.String())); diff != "" {
			t.Errorf("%s (-library +hub):\n%s", name, diff)
		}
	}
	const overrides = "#rc=3&rp=5xx,ct,rt"

	board.speech = speech
	same("ask", words("ask", gather+"?n=1"+overrides, speech.Lines...), post(voice, voice, call()))
	board.speech.Ask = false
	same("tell", words("tell", "", speech.Lines...), post(gather+"?n=1", gather+"?n=1", call("Digits", "4")))
	board.speech = oncall.Speech{Wait: "4", Language: "en-US"}
	same("moment", words("moment", gather+"?digit=5&n=1&try=1"+overrides, "One moment, please."), post(gather+"?n=1", gather+"?n=1", call("Digits", "5")))
	board.speech = oncall.Speech{}
	same("nothing", words("nothing", ""), post(gather+"?n=2", gather+"?n=2", call("Digits", "*")))
	board.reply = "Söhne & <Co> \"quoted\" it's"
	text := func(more ...string) map[string]any {
		p := call("MessageSid", "SM1", "From", "+15005550009", "To", "+15005550006", "Body", " ack 4821 \r\n👍", "ToState", "", "FromCity", "SÃO PAULO")
		for i := 0; i < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		return p
	}
	sms := origin + "/twilio/sms"
	same("reply", words("reply", "", board.reply), post(sms, sms, text()))

	repeated := text("MessageSid", "SM2")
	repeated["Tag"] = []string{"b", "a", "b"}
	post(sms, sms, repeated)
	post(sms, origin+":443/twilio/sms", text("MessageSid", "SM3"))
	for i, wrong := range []string{origin + ":8443/twilio/sms", "http://hub.example.com/twilio/sms", "https://evil.example.com/twilio/sms", sms + "/", sms + "?a=1"} {
		if w := post(sms, wrong, text("MessageSid", fmt.Sprint("SMx", i))); w.Code != http.StatusForbidden {
			t.Errorf("signed as %s: %d, want 403", wrong, w.Code)
		}
	}
	if len(board.bodies) != 3 || board.bodies[0] != " ack 4821 \r\n👍" || strings.Join(board.digits, "") != "45*" {
		t.Errorf("the switchboard got %q and %q", board.bodies, board.digits)
	}
}

// tree is a document without what does not matter: the order of attributes and how an
// empty element is written.
func tree(t *testing.T, doc string) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(doc))
	var out []string
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		switch el := token.(type) {
		case xml.StartElement:
			var attributes []string
			for _, a := range el.Attr {
				attributes = append(attributes, a.Name.Local+"="+a.Value)
			}
			sort.Strings(attributes)
			out = append(out, fmt.Sprintf("%s%s %v", strings.Repeat(" ", depth), el.Name.Local, attributes))
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if s := strings.TrimSpace(string(el)); s != "" {
				out = append(out, strings.Repeat(" ", depth)+s)
			}
		}
	}
}
